"""Chat messages as chat templates want them: plain text, and tool arguments as objects."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import EngineError

Message = dict[str, Any]


def prepare(messages: Any) -> list[Message]:
    """*messages* of an OpenAI request in the form that chat templates are written for.

    Raises:
        EngineError: `invalid_request` for anything but text, saying where.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str) or not messages:
        raise EngineError("invalid_request", "messages must be a list with at least one message")
    return [_message(message, f"messages[{at}]") for at, message in enumerate(messages)]


def _message(message: Any, where: str) -> Message:
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        raise EngineError("invalid_request", f"{where} must be an object with a role")
    role = "system" if message["role"] == "developer" else message["role"]
    out = {**message, "role": role, "content": _text(message.get("content"), f"{where}.content")}
    if calls := message.get("tool_calls"):
        out["tool_calls"] = [_call(call) for call in calls]
    return out


def _text(content: Any, where: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = []
    for at, part in enumerate(content):
        if not isinstance(part, Mapping) or part.get("type") not in {"text", "refusal"}:
            kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            raise EngineError(
                "invalid_request", f"{where}[{at}] is {kind!r}; a local model here takes only text"
            )
        parts.append(str(part.get("text", part.get("refusal", ""))))
    return "".join(parts)


def _call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = dict(call.get("function") or {})
    if isinstance(function.get("arguments"), str):
        # Templates write `arguments | tojson`: a text would come out quoted twice.
        with contextlib.suppress(ValueError):
            function["arguments"] = json.loads(function["arguments"] or "{}")
    return {**call, "function": function}


def usual_tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """*tool* with the fields of its function in the order that models were trained on."""
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return tool
    first = [key for key in ("name", "description", "parameters") if key in function]
    return {**tool, "function": {**{key: function[key] for key in first}, **function}}


def chosen_tools(body: Mapping[str, Any]) -> list[Any]:
    """The tools of *body* that its `tool_choice` allows: the one that it names, otherwise all.

    Raises:
        EngineError: `invalid_request` when it names none of them.
    """
    tools, choice = list(body.get("tools") or ()), body.get("tool_choice")
    if not isinstance(choice, Mapping):
        return tools
    wanted = (choice.get("function") or choice).get("name")
    names = [str((tool.get("function") or tool).get("name")) for tool in tools]
    if wanted not in names:
        have = ", ".join(names)
        raise EngineError(
            "invalid_request", f"tool_choice: no tool {wanted!r} is on offer; have {have}"
        )
    return [tools[names.index(wanted)]]
