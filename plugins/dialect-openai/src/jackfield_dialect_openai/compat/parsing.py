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


_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})
"""What of a schema maps names to schemas: a name is anybody's, even if it is a keyword elsewhere."""
_DATA = frozenset({"const", "enum", "examples"})


def closed(schema: Any) -> Any:
    """*schema* as strict servers want it: objects have all their properties and no others."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    told: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            told[key] = {name: closed(inner) for name, inner in value.items()}
        elif key != "default":
            told[key] = value if key in _DATA else closed(value)
    if isinstance(told.get("properties"), dict):
        told["required"] = list(told["properties"])
        told["additionalProperties"] = False
    return told


def parsed(completion: ChatCompletion, wanted: Any, tools: Any = ()) -> ChatCompletion:
    """*completion* with ``parsed`` in each message: an object of the class *wanted*, or None.

    A call of one of *tools* that was made of a pydantic model (``openai.pydantic_function_tool``)
    has an object of it as ``function.parsed_arguments``.

    Raises:
        ResponseFormatError: the model's text is no such object; the message says why.
    """
    models = _models(tools)
    for choice in completion.choices:
        message: Any = choice.message
        message.parsed = None
        if isinstance(wanted, type) and message.content and not message.refusal:
            message.parsed = _read(wanted, message.content, choice.finish_reason, "the answer")
        for call in message.tool_calls or ():
            model, said = models.get(call.function.name), f"the call of {call.function.name}"
            if model is not None:
                text = call.function.arguments
                call.function.parsed_arguments = _read(model, text, choice.finish_reason, said)
    return completion


def _models(tools: Any) -> dict[str, Any]:
    """The pydantic models of which *tools* were made, by the tools' names."""
    listed = tools if isinstance(tools, list | tuple) else ()
    functions = [tool.get("function") for tool in listed if isinstance(tool, Mapping)]
    made = [(f, getattr(f, "model", None)) for f in functions if isinstance(f, Mapping)]
    return {f["name"]: m for f, m in made if hasattr(m, "model_validate_json") and "name" in f}


def _read(wanted: Any, text: str, finish: str, what: str) -> Any:
    try:
        return wanted.model_validate_json(text)
    except ValueError as error:
        cut = ": it was cut off, allow more tokens" if finish == "length" else ""
        message = f"{what} is no {wanted.__name__}{cut} ({error})"
        raise ResponseFormatError(message, code=finish) from error
