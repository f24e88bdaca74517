"""Generation parameters: their common names and aliases, and the tables that place them.

Each provider declares one table of `Param`; the same table feeds the normalizer,
the documentation, model metadata and the tests' strategies.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, fields, frozen

from .errors import InvalidRequestError
from .types import CallWarning


@frozen(kw_only=True)
class GenerationParams:
    """Sampling and length controls by their common names; ``None`` is unset."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repeat_penalty: float | None = None
    reasoning_effort: str | None = None
    context_length: int | None = None
    parallel_tool_calls: bool | None = None


NAMES: tuple[str, ...] = tuple(f.name for f in fields(GenerationParams))

ALIASES: Mapping[str, str] = {
    "temp": "temperature",
    "nucleus_sampling": "top_p",
    "max_length": "max_tokens",
    "max_new_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "num_predict": "max_tokens",
    "n_predict": "max_tokens",
    "context": "context_length",
    "ctx_size": "context_length",
    "n_ctx": "context_length",
    "num_ctx": "context_length",
    "stop_sequences": "stop",
    "random_seed": "seed",
    "repetition_penalty": "repeat_penalty",
    "effort": "reasoning_effort",
}

EFFORTS: Sequence[str] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_INTEGERS = {"max_tokens": 1, "top_k": 0, "seed": None, "context_length": 1}
_NUMBERS = {"temperature", "top_p", "min_p", "presence_penalty", "frequency_penalty"} | {
    "repeat_penalty"
}


def parse_params(given: Mapping[str, Any] | GenerationParams | None) -> GenerationParams:
    """*given* under its common names, checked.

    Raises:
        InvalidRequestError: an unknown name, an alias beside its own name, or a
            value of the wrong kind; ``param`` names it.
    """
    if given is None:
        return _NONE
    known: dict[str, Any] = {}
    for key, value in _table(given).items():
        name = ALIASES.get(key, key)
        if name not in NAMES:
            raise _bad(key, "is not a parameter", _suggest(key))
        if name in known and value is not None:
            raise _bad(key, f"was given twice ({key} is {name})", "keep one of them")
        if value is not None:
            known[name] = _check(name, value)
    return GenerationParams(**known)


def _table(given: Any) -> Mapping[str, Any]:
    if isinstance(given, GenerationParams):
        return {n: getattr(given, n) for n in NAMES}
    if not isinstance(given, Mapping):
        message = f"parameters: {type(given).__name__} is not a table; write {{'temperature': 0.5}}"
        raise InvalidRequestError(message, param="parameters", phase="build")
    return given


def _suggest(key: str) -> str:
    near = difflib.get_close_matches(key, [*NAMES, *ALIASES], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{hint}fields of one provider's own go into provider_options"


def _bad(name: str, problem: str, fix: str) -> InvalidRequestError:
    return InvalidRequestError(f"parameter {name} {problem}: {fix}", param=name, phase="build")


def _check(name: str, value: Any) -> Any:
    if name in _INTEGERS:
        least = _INTEGERS[name]
        if isinstance(value, bool) or not isinstance(value, int):
            raise _bad(name, f"must be a whole number, not {value!r}", "give an int")
        if (least is not None and value < least) or abs(value) >= 2**63:
            raise _bad(name, f"is {value}, out of range", f"give {least or 0} to 2**63 - 1")
        return value
    if name in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _bad(name, f"must be a number, not {value!r}", "give a float")
        if not math.isfinite(value):
            raise _bad(name, f"is {value}", "give a finite number")
        return value
    if name == "stop":
        stops = (value,) if isinstance(value, str) else value
        if not isinstance(stops, list | tuple) or not all(isinstance(s, str) and s for s in stops):
            raise _bad(name, "must be non-empty strings", "give a str or a list of them")
        return tuple(stops) or None
    if name == "parallel_tool_calls" and not isinstance(value, bool):
        raise _bad(name, f"must be a bool, not {value!r}", "give True or False")
    if name == "reasoning_effort" and value not in EFFORTS:
        raise _bad(name, f"is {value!r}", f"one of {', '.join(EFFORTS)}")
    return value


_NONE = GenerationParams()


@frozen
class Param:
    """Where a common parameter goes on the wire, and what the wire accepts.

    *wire* may be a path (``"options.num_ctx"``). Values beyond *ge* and *le* are
    clamped with a warning. *values* maps common words to the wire's, the nearest
    being taken (with a warning) where one is missing; *most* bounds a list.
    """

    wire: str
    ge: float | None = field(default=None, kw_only=True)
    le: float | None = field(default=None, kw_only=True)
    default: Any = field(default=None, kw_only=True)
    values: Mapping[str, Any] | None = field(default=None, kw_only=True)
    most: int | None = field(default=None, kw_only=True)
    convert: Callable[[Any], Any] | None = field(default=None, kw_only=True)


ParamTable = Mapping[str, Param]


def normalize(
    table: ParamTable, params: GenerationParams
) -> tuple[dict[str, Any], list[CallWarning]]:
    """The wire fields for *params*, and a warning for each compromise."""
    wire: dict[str, Any] = {}
    warnings: list[CallWarning] = []
    for name in NAMES:
        value = getattr(params, name)
        spec = table.get(name)
        if spec is None:
            if value is not None:
                warnings.append(CallWarning("unsupported", name, "not sent"))
            continue
        if value is None:
            value = spec.default
        if value is None:
            continue
        fitted, change = _fit(spec, value)
        if change:
            warnings.append(CallWarning("clamped", name, change))
        if fitted is not None:
            place(wire, spec.wire, spec.convert(fitted) if spec.convert else fitted)
    return wire, warnings


def _fit(spec: Param, value: Any) -> tuple[Any, str]:
    """*value* as the wire takes it, and how that differs from what was asked for, if it does."""
    if spec.values is not None:
        near = value if value in spec.values else _nearest(value, spec.values)
        return spec.values[near], "" if near == value else f"{value} became {near}"
    if spec.most is not None and len(value) > spec.most:
        return value[: spec.most], f"only the first {spec.most} were sent"
    fitted = value
    if spec.ge is not None and value < spec.ge:
        fitted = type(value)(spec.ge)
    if spec.le is not None and value > spec.le:
        fitted = type(value)(spec.le)
    return fitted, "" if fitted == value else f"{value} became {fitted}"


def _nearest(value: str, values: Mapping[str, Any]) -> str:
    at = EFFORTS.index(value)
    return min((v for v in values), key=lambda v: (abs(EFFORTS.index(v) - at), v))


def place(wire: dict[str, Any], path: str, value: Any) -> None:
    """Set *value* at the dotted *path* in *wire*."""
    *parents, leaf = path.split(".")
    for parent in parents:
        wire = wire.setdefault(parent, {})
    wire[leaf] = value
