"""Values as JSON and back, exactly: what is kept of requests and results."""

from __future__ import annotations

import hashlib
import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from importlib import import_module
from typing import Any

import attrs

from .. import errors
from ..errors import InvalidRequestError, LLMError
from ..requests import Request

TAG = "$"
_LEAVES: Mapping[type, tuple[str, Any, Any]] = {
    Decimal: ("decimal", str, Decimal),
    bytes: ("bytes", lambda b: b64encode(b).decode(), b64decode),
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    float: ("float", repr, float),
}
_READ = {name: read for name, _, read in _LEAVES.values()}
_ASIDE = ("timeout", "strict", "metadata")
"""What of a request does not change its answer."""


@lru_cache(maxsize=512)
def _fields(kind: type[Any]) -> tuple[tuple[str, str, Any], ...] | None:
    """Each field of an attrs class: its name, that for ``__init__``, and its default; None for others."""
    if not attrs.has(kind) or issubclass(kind, Enum | LLMError):
        return None
    return tuple((f.name, f.alias or f.name, f.default) for f in attrs.fields(kind) if f.init)


@lru_cache(maxsize=512)
def _name(kind: type[Any]) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def encode(value: Any) -> Any:
    """*value* as plain JSON from which `decode` makes an equal value.

    Takes what JSON has, tuples, bytes, decimals, times, enumerations, attrs values and errors.

    Raises:
        InvalidRequestError: it holds something else.
    """
    kind: Any = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if kind is float and value - value == 0:
        return value
    if (leaf := _LEAVES.get(kind)) is not None:
        return {TAG: leaf[0], "value": leaf[1](value)}
    if isinstance(value, tuple):
        return {TAG: "tuple", "items": [encode(v) for v in value]}
    if isinstance(value, list):
        return [encode(v) for v in value]
    if kind is dict or (_fields(kind) is None and isinstance(value, Mapping)):
        if TAG not in value and all(type(k) is str for k in value):
            return {k: encode(v) for k, v in value.items()}
        return {TAG: "table", "items": [[encode(k), encode(v)] for k, v in value.items()]}
    return _instance(value)


def _instance(value: Any) -> Any:
    """An instance of a class that has a name: of an enumeration, an error, or an attrs class."""
    kind: Any = type(value)
    told: dict[str, Any] = {TAG: _name(kind)}
    if (fields := _fields(kind)) is not None:
        for name, alias, usual in fields:
            held = getattr(value, name)
            if held is usual:
                continue
            if (kind := type(held)) is str or kind is int:
                if held != usual or kind is not type(usual):
                    told[alias] = held
            elif kind is not type(usual) or held != usual:
                told[alias] = encode(held)
        return told
    if isinstance(value, Enum):
        return {**told, "value": encode(value.value)}
    if isinstance(value, LLMError):
        facts = {name: _fact(fact) for name, fact in value.__dict__.items()}
        return {**told, "args": [_fact(a) for a in value.args], "facts": facts}
    fix = "keep plain values, attrs classes and errors in requests and results"
    raise InvalidRequestError(f"a {kind.__name__} cannot be written down; {fix}", phase="build")


def _fact(value: Any) -> Any:
    """*value*, or its text: an error is kept whatever it carries."""
    try:
        return encode(value)
    except InvalidRequestError:
        return str(value)


def decode(plain: Any) -> Any:
    """The value that `encode` made *plain* from.

    Raises:
        ValueError: it is of a class that is not here, or another by now.
    """
    if isinstance(plain, list):
        return [decode(v) for v in plain]
    if not isinstance(plain, dict):
        return plain
    tag = plain.get(TAG)
    if tag is None:
        return {k: decode(v) for k, v in plain.items()}
    if tag == "tuple":
        return tuple(decode(v) for v in plain["items"])
    if tag == "table":
        return {decode(k): decode(v) for k, v in plain["items"]}
    if tag in _READ:
        return _READ[tag](plain["value"])
    kind = _class(tag)
    if issubclass(kind, Enum):
        return kind(decode(plain["value"]))
    if issubclass(kind, LLMError):
        return errors._rebuild(kind, tuple(decode(plain["args"])), decode(plain["facts"]))  # noqa: SLF001  # the core's own
    try:
        return kind(**{k: decode(v) for k, v in plain.items() if k != TAG})
    except TypeError as error:
        raise ValueError(f"{tag} has changed: {error}") from None


def _class(name: str) -> type[Any]:
    """The class *name*: one of values, enumerations or errors, and in a module that is ours or loaded."""
    home, _, path = name.partition(":")
    module = import_module(home) if home.startswith("jackfield.") else sys.modules.get(home)
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and (attrs.has(found) or issubclass(found, Enum | LLMError)):
        return found
    raise ValueError(f"there is no {name} here: load the plugin that it comes from")


_DUMPS = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def dumps(plain: Any) -> str:
    """*plain* as one line of ASCII, the same for the same value."""
    return _DUMPS(plain)


def digest(request: Request[Any]) -> str:
    """A hash of everything in *request* that changes its answer.

    Raises:
        InvalidRequestError: it holds a value that cannot be written down.
    """
    asked = encode(attrs.evolve(request, metadata={}))  # where anything may stand
    plain = {k: v for k, v in asked.items() if k not in _ASIDE}
    text = json.dumps(plain, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
