"""Functions, tools of the service's own, and the choice among them.

https://ai.google.dev/gemini-api/docs/function-calling
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jackfield import Tool
from jackfield.exchange import Call

from .render import Json, own

MODES: Mapping[str, str] = {"none": "NONE", "required": "ANY"}

DECLARED = {"name", "description", "behavior", "parameters", "parametersJsonSchema"} | {
    "response",
    "responseJsonSchema",
}
"""What metadata may say about a function; a tool whose metadata says more is the service's own."""


def render_tools(call: Call[Any], tools: Iterable[Tool]) -> list[Json]:
    """The caller's functions as one tool; the service's own (``{"googleSearch": {}}``) after it."""
    functions: list[Json] = []
    served: list[Json] = []
    for tool in tools:
        mine = own(call, tool)
        if mine.keys() - DECLARED:
            served.append(mine)
            continue
        wire = {"name": tool.name, "description": tool.description}
        schema = {} if "parameters" in mine else {"parametersJsonSchema": tool.parameters}
        functions.append({**wire, **schema, **mine})
    return [*([{"functionDeclarations": functions}] if functions else ()), *served]


def render_choice(call: Call[Any], tools: Iterable[Tool], choice: str) -> Json | None:
    """The ``toolConfig``; functions that are strict have their arguments checked."""
    functions = [t for t in tools if not own(call, t).keys() - DECLARED]
    strict = [t for t in functions if t.strict]
    if not functions:
        if choice not in ("auto", "none"):
            call.warn("dropped", "tool_choice", "there are no functions")
        return None
    config: Json = {}
    if choice in MODES:
        config["mode"] = MODES[choice]
    elif choice != "auto":
        config = {"mode": "ANY", "allowedFunctionNames": [choice]}
    elif strict:
        config["mode"] = "VALIDATED"
        if len(strict) < len(functions):
            call.warn("emulated", "strict", "it counts for all functions or for none")
    return {"functionCallingConfig": config} if config else None
