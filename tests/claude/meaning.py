"""When two bodies of the Messages API mean the same: defaults spelled out or left out, ids renamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from claude.reading import parsed
from jackfield import CallWarning

Json = dict[str, Any]

EXPLAINS = {
    "response_format": {"output_config", "tools", "tool_choice"},
    "reasoning_effort": {"thinking", "output_config"},
    "stop": {"stop_sequences"},
    "system message": {"system"},
}
"""The fields that a warning about a subject speaks of, where they are called otherwise."""


def explained(warnings: Iterable[CallWarning]) -> set[str]:
    """The fields of a body that *warnings* say differ from what was asked."""
    return {field for w in warnings for field in EXPLAINS.get(w.subject, {w.subject})}


def meaning(body: Json, leave: Iterable[str] = ()) -> Json:
    """*body* in one form of the many that mean the same, without the fields in *leave*."""
    plain = {k: v for k, v in body.items() if v is not None and k not in set(leave)}
    if plain.get("stream") is False:
        del plain["stream"]
    choice = plain.get("tool_choice")
    if isinstance(choice, dict):
        choice = plain["tool_choice"] = {k: v for k, v in choice.items() if v is not None}
    # The usual choice is as good as none, and so is one that lets the model off without tools.
    kind = choice.get("type") if isinstance(choice, dict) else None
    if choice == {"type": "auto"} or (kind in ("auto", "none") and not plain.get("tools")):
        del plain["tool_choice"]
    ids: dict[str, str] = {}
    if "system" in plain:
        plain["system"] = _content(plain["system"], ids)
    if "messages" in plain:
        said = [
            {"role": m["role"], "content": _content(m["content"], ids)} for m in plain["messages"]
        ]
        plain["messages"] = [_results_first(m) for m in said if m["content"]]
    if plain.get("tools"):
        plain["tools"] = [_tool(t) if isinstance(t, dict) else t for t in plain["tools"]]
    plain = {k: v for k, v in plain.items() if v not in ([], {})}
    result: Json = json.loads(json.dumps(plain), parse_int=float)
    return result


def _results_first(message: Json) -> Json:
    """*message* as the API takes it: the results of tools before anything else."""
    if message["role"] == "user":
        message["content"].sort(key=lambda block: block.get("type") != "tool_result")
    return message


def _content(content: Any, ids: dict[str, str]) -> list[Json]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [_block(block, ids) for block in blocks if block.get("text", "x").strip()]


def _block(block: Mapping[str, Any], ids: dict[str, str]) -> Json:
    plain = {k: v for k, v in block.items() if v is not None}
    for key in ("id", "tool_use_id"):
        if key in plain:
            plain[key] = ids.setdefault(plain[key], f"id {len(ids)}")
    if plain.get("caller") == {"type": "direct"}:
        del plain["caller"]
    if plain.get("is_error") is False:
        del plain["is_error"]
    given = plain.get("input")
    if plain.get("type") == "tool_use":
        # The API takes objects alone: anything else goes as the text of one field.
        plain["input"] = _wrapped(given if isinstance(given, dict) else {"arguments": given})
    if plain.get("type") == "tool_result":
        plain["content"] = _content(plain.get("content", []), ids)
    return plain


def _wrapped(given: Json) -> Json:
    text = given.get("arguments")
    alone = given.keys() == {"arguments"} and isinstance(text, str)
    return {"arguments": parsed(str(text))} if alone else given


def _tool(tool: Mapping[str, Any]) -> Json:
    plain = {k: v for k, v in tool.items() if v is not None}
    if plain.get("description") == "":
        del plain["description"]
    if plain.get("type") == "custom":
        del plain["type"]
    if isinstance(plain.get("input_schema"), dict):
        plain["input_schema"] = {"type": "object", "properties": {}, **plain["input_schema"]}
    return plain
