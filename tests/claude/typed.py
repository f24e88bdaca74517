"""The reverse reading: from a recorded body of the Messages API to the typed request that means the same."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from jackfield import (
    ChatRequest,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    TokenCountRequest,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.params import GenerationParams

Json = dict[str, Any]

PARAMS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop_sequences": "stop",
}
"""The fields that have a common name."""

CHOICES = {"auto": "auto", "none": "none", "any": "required"}


def chat_request(body: Json) -> ChatRequest:
    """The typed request for *body*; what has no common name goes into ``provider_options``."""
    rest = dict(body)
    rest.pop("stream", None)
    params: Json = {common: rest.pop(wire) for wire, common in PARAMS.items() if wire in rest}
    stop = params.pop("stop", None)
    choice = rest.pop("tool_choice", None) or {}
    if "disable_parallel_tool_use" in choice:
        params["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
    config = dict(rest.pop("output_config", None) or {})
    answer = config.pop("format", None)
    if rest.get("thinking") == {"type": "adaptive"} and "effort" in config:
        params["reasoning_effort"] = config.pop("effort")
        del rest["thinking"]
    if config:
        rest["output_config"] = config
    if not all(isinstance(t.get("input_schema", {}), dict) for t in rest.get("tools") or ()):
        rest["tools"], offered = rest.pop("tools"), []  # a schema is an object, or none of ours
    else:
        offered = tools(rest.pop("tools", None))
    return ChatRequest(
        model=rest.pop("model"),
        messages=(*system(rest.pop("system", None)), *messages(rest.pop("messages"))),
        params=GenerationParams(**{**params, "stop": stop and tuple(stop)}),
        tools=offered,
        tool_choice=CHOICES.get(choice.get("type", "auto")) or choice["name"],
        response_format=None if answer is None else response_format(answer),
        provider_options={"claude": rest},
    )


def count_request(body: Json) -> TokenCountRequest:
    """The typed request for the *body* of a count."""
    rest = dict(body)
    return TokenCountRequest(
        model=rest.pop("model"),
        messages=(*system(rest.pop("system", None)), *messages(rest.pop("messages"))),
        tools=tools(rest.pop("tools", None)),
        provider_options={"claude": rest},
    )


def response_format(wire: Json) -> ResponseFormat:
    """An answer's format, its schema to be sent as it is."""
    return ResponseFormat(type="json_schema", schema=wire["schema"], strict=True)


def system(wire: Any) -> Iterable[Message]:
    """The system prompt."""
    return [] if wire is None else [Message("system", parts(wire))]


def messages(wire: Iterable[Json]) -> list[Message]:
    """The turns of a conversation."""
    return [_message(m) for m in wire]


def _message(wire: Json) -> Message:
    inline = {"claude": {"role": "system"}} if wire["role"] == "system" else {}
    return Message(wire["role"], parts(wire["content"]), provider_metadata=inline)


def parts(wire: Any) -> tuple[Any, ...]:
    """Content: a string, or blocks."""
    return (TextPart(wire),) if isinstance(wire, str) else tuple(_part(block) for block in wire)


def _own(block: Json, *known: str) -> Json:
    """What of *block* has no common name, as metadata."""
    rest = {k: v for k, v in block.items() if k not in ("type", *known)}
    return {"claude": rest} if rest else {}


def _part(block: Json) -> Any:
    match block:
        case {"type": "text", "text": text}:
            return TextPart(text, provider_metadata=_own(block, "text"))
        case {"type": "image" | "document", "source": source}:
            return _media(block, source)
        case {"type": "thinking", "thinking": thinking, "signature": signature}:
            return ReasoningPart(thinking, signature)
        case {"type": "redacted_thinking", "data": data}:
            return ReasoningPart("", redacted=data)
        case {"type": "tool_use", "id": id_, "name": name, "input": given}:
            own = _own(block, "id", "name", "input")
            return ToolCall(id_, name, json.dumps(given), provider_metadata=own)
        case {"type": "tool_result", "tool_use_id": id_}:
            own = _own(block, "tool_use_id", "content", "is_error")
            failed = bool(block.get("is_error"))
            content = parts(block.get("content") or ())
            return ToolResult(id_, content, failed, provider_metadata=own)
    return ProviderPart("claude", block)


def canonical(data: str) -> bool:
    """Whether *data* is base64 in the one form that encoding gives."""
    try:
        return b64encode(b64decode(data, validate=True)).decode() == data
    except ValueError:
        return False


def _media(block: Json, source: Json) -> Any:
    own, name = _own(block, "source", "title"), block.get("title")
    match source:
        case {"type": "base64", "media_type": kind, "data": data} if canonical(data):
            return MediaPart(kind, b64decode(data), name=name, provider_metadata=own)
        case {"type": "text", "media_type": kind, "data": data}:
            return MediaPart(kind, data.encode(), name=name, provider_metadata=own)
        case {"type": "url", "url": url}:
            kind = "image/*" if block["type"] == "image" else "application/pdf"
            return MediaPart(kind, url=url, name=name, provider_metadata=own)
    return ProviderPart("claude", block)


def tools(wire: Iterable[Json] | None) -> list[Tool]:
    """Tools, those of the caller and Anthropic's own."""
    return [_tool(tool) for tool in wire or ()]


def _tool(wire: Json) -> Tool:
    if wire.get("type", "custom") != "custom":
        kind = {"type": wire["type"]}
        own = {k: v for k, v in wire.items() if k != "name"}
        return Tool(wire.get("name", ""), provider_metadata={"claude": {**own, **kind}})
    schema = wire["input_schema"]
    own = _own(wire, "name", "description", "input_schema", "strict")
    described = wire.get("description") or ""
    return Tool(wire["name"], described, schema, strict=wire.get("strict"), provider_metadata=own)
