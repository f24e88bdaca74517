"""When two bodies of Cohere's API mean the same: defaults spelled out or left out, texts in blocks or bare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cohere_wire.reading import parsed
from jackfield import CallWarning

Json = dict[str, Any]
EMPTY: tuple[Any, ...] = (None, [], {}, "")
DEFAULTS = {"stream": False, "embedding_types": ["float"], "tool_choice": "AUTO"}


def explained(warnings: Iterable[CallWarning]) -> set[str]:
    """The fields of a body that *warnings* say differ from what was asked."""
    named = {"stop": "stop_sequences", "top_p": "p", "top_k": "k"}
    return {named.get(w.subject, w.subject) for w in warnings}


def meaning(body: Json, leave: Iterable[str] = ()) -> Json:
    """*body* in one form of the many that mean the same, without the fields in *leave*."""
    plain = {k: v for k, v in _full(body).items() if k not in set(leave)}
    plain = {k: v for k, v in plain.items() if v != DEFAULTS.get(k, ...)}
    if "messages" in plain:
        said = [_message(m) for m in plain["messages"]]
        plain["messages"] = [m for m in said if len(m) > 1]
    if "chat_history" in plain:
        # Version 1 takes roles in any case.
        plain["chat_history"] = [{**t, "role": t["role"].upper()} for t in plain["chat_history"]]
    if "tools" in plain:
        plain["tools"] = [_tool(t) for t in plain["tools"]]
    result: Json = json.loads(json.dumps(plain), parse_int=float)
    return result


def _full(thing: Mapping[str, Any]) -> Json:
    return {k: v for k, v in thing.items() if v not in EMPTY}


def _message(message: Mapping[str, Any]) -> Json:
    plain = _full(message)
    content = plain.get("content")
    if isinstance(content, str):
        plain["content"] = [{"type": "text", "text": content}]
    elif content is not None:
        plain["content"] = [b for b in content if b.get("text") != ""]
    if "citations" in plain:
        # Blocks without a text are not sent, so that counting them may come to another number.
        cited = plain["citations"]
        plain["citations"] = [{k: v for k, v in c.items() if k != "content_index"} for c in cited]
    if "tool_calls" in plain:
        plain["tool_calls"] = [_call(c) for c in plain["tool_calls"]]
    return _full(plain)


def _call(call: Mapping[str, Any]) -> Json:
    function = call["function"]
    return {**call, "function": {**function, "arguments": parsed(function["arguments"]) or {}}}


def _tool(tool: Mapping[str, Any]) -> Json:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return dict(tool)
    schema = {"type": "object", **function.get("parameters", {})}
    return {**tool, "function": _full({**function, "parameters": _full(schema)})}
