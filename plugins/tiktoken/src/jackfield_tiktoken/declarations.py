"""Tools as type declarations: the form in which OpenAI's models are shown them, as they tell it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from jackfield import Tool

DEEPEST = 16
"""Objects within objects; what is deeper is counted as an object of unknown shape."""


def declared(tools: Iterable[Tool]) -> str:
    """The declarations of *tools*."""
    lines = ["# Tools", "", "## functions", "", "namespace functions {", ""]
    for tool in tools:
        lines += [*_comment(tool.description), *_function(tool), ""]
    return "\n".join([*lines, "} // namespace functions"])


def _comment(text: Any) -> list[str]:
    return [f"// {line}" for line in str(text).splitlines()] if text else []


def _function(tool: Tool) -> Iterator[str]:
    fields = list(_fields(tool.parameters, DEEPEST))
    if not fields:
        yield f"type {tool.name} = () => any;"
        return
    yield f"type {tool.name} = (_: {{"
    yield from fields
    yield "}) => any;"


def _fields(schema: Mapping[str, Any], depth: int) -> Iterator[str]:
    fields = schema.get("properties")
    named = schema.get("required")
    required = named if isinstance(named, list | tuple) else ()
    for name, wanted in fields.items() if isinstance(fields, Mapping) else ():
        shape = wanted if isinstance(wanted, Mapping) else {}
        yield from _comment(shape.get("description"))
        mark = "" if name in required else "?"
        yield f"{name}{mark}: {_type(shape, depth)},"


def _type(schema: Mapping[str, Any], depth: int) -> str:
    """The type of a value that fits *schema*."""
    choices = schema.get("enum")
    if isinstance(choices, list | tuple) and choices:
        return " | ".join(map(_literal, choices))
    several = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(several, list | tuple) and depth:
        return " | ".join(_type(s, depth - 1) for s in several if isinstance(s, Mapping))
    kind = schema.get("type")
    if isinstance(kind, list | tuple):
        return " | ".join(map(str, kind))
    if kind == "array" and depth:
        items = schema.get("items")
        return (_type(items, depth - 1) if isinstance(items, Mapping) else "any") + "[]"
    if kind == "object" and depth:
        fields = "\n".join(_fields(schema, depth - 1))
        return f"{{\n{fields}\n}}" if fields else "object"
    return {"integer": "number", "None": "any"}.get(str(kind), str(kind))


def _literal(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return str(value)
