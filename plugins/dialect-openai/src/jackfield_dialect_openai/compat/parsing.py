"""Answers as objects of a class of the caller's: ``chat.completions.parse``, for pydantic's models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield import ResponseFormatError
from jackfield.prompts import bad

from .shapes import ChatCompletion


def render_class(given: Any, others: Mapping[str, Any]) -> Any:
    """The ``response_format`` for a class with ``model_json_schema``; anything else as it is.

    *others* are the call's other arguments.
    """
    if others.get("stream"):
        raise bad("stream", "is for create", "an answer is parsed when it is whole")
    if not isinstance(given, type):
        return given
    if not hasattr(given, "model_json_schema"):
        raise bad("response_format", f"{given.__name__} is no pydantic model", "pass one")
    shape = {"name": given.__name__, "schema": closed(given.model_json_schema()), "strict": True}
    return {"type": "json_schema", "json_schema": shape}


def closed(schema: Any) -> Any:
    """*schema* as strict servers want it: objects have all their properties and no others."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    told = {key: closed(value) for key, value in schema.items() if key != "default"}
    if isinstance(told.get("properties"), dict):
        told["required"] = list(told["properties"])
        told["additionalProperties"] = False
    return told


def parsed(completion: ChatCompletion, wanted: Any) -> ChatCompletion:
    """*completion* with ``parsed`` in each message: an object of the class *wanted*, or None.

    Raises:
        ResponseFormatError: the model's text is no such object; the message says why.
    """
    for choice in completion.choices:
        message: Any = choice.message
        message.parsed = None
        if isinstance(wanted, type) and message.content and not message.refusal:
            message.parsed = _read(wanted, message.content, choice.finish_reason)
    return completion


def _read(wanted: Any, text: str, finish: str) -> Any:
    try:
        return wanted.model_validate_json(text)
    except ValueError as error:
        cut = ": it was cut off, allow more tokens" if finish == "length" else ""
        message = f"the answer is no {wanted.__name__}{cut} ({error})"
        raise ResponseFormatError(message, code=finish) from error
