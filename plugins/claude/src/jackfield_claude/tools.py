"""Tools, the choice among them, and an answer's format asked for by a tool.

https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jackfield import ResponseFormat, Tool
from jackfield.exchange import Call
from jackfield.prompts import bad

from .render import Json, own

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any"}


def render_tools(call: Call[Any], tools: Iterable[Tool]) -> list[Json]:
    """Tools of the caller, and Anthropic's own where the metadata names their ``type``."""
    return [_tool(at, tool, own(call, tool)) for at, tool in enumerate(tools)]


def _tool(at: int, tool: Tool, mine: Json) -> Json:
    if mine.get("type", "custom") != "custom":
        wire: Json = {"name": tool.name, **mine}
    else:
        if not NAME.fullmatch(tool.name):
            fix = "use up to 128 letters, digits, _ and -"
            raise bad(f"tools[{at}].name", f"{tool.name!r} is no name for Claude's tools", fix)
        schema = {"type": "object", **tool.parameters}
        about = {"description": tool.description or None, "strict": tool.strict}
        wire = {"name": tool.name, "input_schema": schema, **about, **mine}
    return {key: value for key, value in wire.items() if value is not None}


def render_choice(choice: str, single: Mapping[str, Any]) -> Json:
    """The ``tool_choice``; *single* is what says that one call at a time is enough."""
    kind = CHOICES.get(choice)
    wire = {"type": kind} if kind else {"type": "tool", "name": choice}
    return wire if kind == "none" else {**wire, **single}


def add_answer_tool(call: Call[Any], wanted: ResponseFormat, tools: list[Json], choice: str) -> str:
    """Add a tool whose input is the answer; the choice of tools that makes the model use it."""
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", wanted.name)[:64] or "answer"
    while name in {tool.get("name") for tool in tools}:
        name += "_"
    call.memo["answer_tool"] = name
    call.warn("emulated", "response_format", "by a tool that the model has to call")
    told, schema = "Call this with your answer.", {"type": "object", **(wanted.schema or {})}
    alone = not tools or choice == "none"
    tools.append({"name": name, "description": told, "input_schema": schema})
    if choice in CHOICES:
        return name if alone else "required"
    return choice
