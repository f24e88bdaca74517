"""The fields of a request checked before an engine has them: the engines fail over wrong ones, each in its own way."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import EngineError

Test = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_bias(value: Any) -> bool:
    # A bias that is not finite leaves a grammar without any token, which ends the process.
    return isinstance(value, Mapping) and all(
        str(token).isdecimal() and _is_number(bias) for token, bias in value.items()
    )


def _are_tools(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(tool, Mapping)
        and isinstance(function := tool.get("function", tool), Mapping)
        and isinstance(function.get("name"), str)
        for tool in value
    )


def _are_stops(value: Any) -> bool:
    many = [value] if isinstance(value, str) else value
    return isinstance(many, list | tuple) and all(isinstance(stop, str) for stop in many)


def _is_form(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") in {
        "text",
        "json_object",
        "json_schema",
    }


def _are_template_words(value: Any) -> bool:
    return isinstance(value, Mapping) and not {"messages", "tools"} & set(value)


_NUMBER = (_is_number, "a finite number")
_WHOLE = (_is_whole, "a whole number")
_COUNT = (lambda value: _is_whole(value) and value > 0, "a whole number of at least 1")
_RULES: Mapping[str, tuple[Test, str]] = {
    **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p"), _NUMBER),
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), _NUMBER),
    **dict.fromkeys(("mirostat_tau", "mirostat_eta"), _NUMBER),
    **dict.fromkeys(("seed", "top_k", "mirostat"), _WHOLE),
    **dict.fromkeys(("max_tokens", "max_completion_tokens"), _COUNT),
    "repeat_penalty": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "chat_template_kwargs": (_are_template_words, "a table without messages and tools"),
    "grammar": (lambda value: isinstance(value, str), "a GBNF grammar as text"),
    "logit_bias": (_is_bias, "a table from token numbers to finite numbers"),
    "response_format": (_is_form, "a table with type text, json_object or json_schema"),
    "stop": (_are_stops, "a text or a list of texts"),
    "tools": (_are_tools, "a list of functions with names"),
    "tool_choice": (
        lambda value: value in ("none", "auto", "required") or isinstance(value, Mapping),
        "none, auto, required, or a table that names a function",
    ),
}


def check_fields(body: Mapping[str, Any]) -> None:
    """See that every field of *body* is of its kind, and that all of it can be written as JSON.

    Raises:
        EngineError: `invalid_request`, naming the field and what belongs there.
    """
    for name, (fits, what) in _RULES.items():
        value = body.get(name)
        if value is not None and not fits(value):
            raise EngineError("invalid_request", f"{name} is {value!r}; give {what}")
    try:
        _check_text(json.dumps(body, ensure_ascii=False), "the request")
    except (TypeError, ValueError, RecursionError) as error:
        raise EngineError("invalid_request", f"the request is no JSON: {error}") from error


def check_texts(texts: Sequence[str]) -> None:
    """See that every one of *texts* can be written as UTF-8.

    Raises:
        EngineError: `invalid_request` for half of a surrogate pair, which is no character.
    """
    for at, text in enumerate(texts):
        _check_text(text, f"input {at}")


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start]
        raise EngineError(
            "invalid_request",
            f"{what} holds {half!a}, half of a surrogate pair, which is no character; remove it",
        ) from error
