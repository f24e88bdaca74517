"""The reverse reading: from a recorded body of the Messages API to the typed request that means the same."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from jackfield import (
    ChatRequest,
    InvalidRequestError,
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
from jackfield.params import EFFORTS, parse_params
from jackfield_claude.facts import THINKING, fact
from jackfield_claude.media import FILE_ID, IMAGES, MAX_TITLE, PDF

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


class UnsayableError(Exception):
    """A body that no typed request means: the service should not take it either."""


def chat_request(body: Json) -> ChatRequest:
    """The typed request for *body*; what has no common name goes into ``provider_options``."""
    rest = _checked(body)
    rest.pop("stream", None)
    params = _params(rest)
    choice = _choice(rest, params)
    answer = _effort_and_format(rest, params, choice)
    # A schema is an object, or none of ours.
    offered = tools(rest.pop("tools", None)) if _typable(rest.get("tools") or ()) else []
    return ChatRequest(
        model=rest.pop("model"),
        messages=_conversation(rest),
        params=parse_params(params),
        tools=offered,
        tool_choice=choice,
        response_format=None if answer is None else response_format(answer),
        provider_options={"claude": rest},
    )


def count_request(body: Json) -> TokenCountRequest:
    """The typed request for the *body* of a count."""
    rest = _checked(body)
    offered = tools(rest.pop("tools", None)) if _typable(rest.get("tools") or ()) else []
    return TokenCountRequest(
        model=rest.pop("model"),
        messages=_conversation(rest),
        tools=offered,
        provider_options={"claude": rest},
    )


def _checked(body: Json) -> Json:
    """A copy of *body*, if a typed request can mean it."""
    said = body.get("messages")
    if not (isinstance(body.get("model"), str) and said and isinstance(said, list)):
        raise UnsayableError("a model and messages are the least")
    for message in said:
        if not (isinstance(message, dict) and message.keys() == {"role", "content"}):
            raise UnsayableError("a message is a role and content")
        if message["role"] not in ("user", "assistant", "system"):
            raise UnsayableError(f"nobody is a {message['role']}")
    return dict(body)


def _params(rest: Json) -> Json:
    """The parameters that have a common name and a value that is good for it."""
    found: Json = {}
    for wire, common in PARAMS.items():
        value = rest.get(wire)
        try:
            parse_params({common: value})
        except InvalidRequestError:
            continue
        if common != "stop" or isinstance(value, list | None):
            found[common] = value
            rest.pop(wire, None)
    return found


def _choice(rest: Json, params: Json) -> str:
    """The choice of tools; one of another shape stays as it is."""
    given = rest.get("tool_choice") or {}
    if not isinstance(given, dict):
        return "auto"
    given = {k: v for k, v in given.items() if v is not None}
    kind, name = given.get("type", "auto"), given.get("name")
    if not given.keys() <= {"type", "name", "disable_parallel_tool_use"} or not (
        (kind in CHOICES and name is None) or (kind == "tool" and name and name not in CHOICES)
    ):
        return "auto"
    rest.pop("tool_choice", None)
    if "disable_parallel_tool_use" in given:
        params["parallel_tool_calls"] = not given["disable_parallel_tool_use"]
    return CHOICES.get(kind) or str(name)


def _effort_and_format(rest: Json, params: Json, choice: str) -> Json | None:
    """Take the effort word, where that is the whole of thinking, and the answer's format.

    Few models think when they must call a tool: for those the exact fields are the way.
    """
    config = dict(rest.pop("output_config", None) or {})
    answer: Json | None = None
    match config.get("format"):
        case {"type": "json_schema", "schema": dict(), **more} if not more:
            answer = config.pop("format")
    free = choice in ("auto", "none") and "tool_choice" not in rest
    adaptive = free and fact(THINKING, str(rest.get("model"))) == "adaptive"
    word = config.get("effort")
    if adaptive and rest.get("thinking") == {"type": "adaptive"} and word in EFFORTS:
        params["reasoning_effort"] = config.pop("effort")
        del rest["thinking"]
    if config:
        rest["output_config"] = config
    return answer


def _conversation(rest: Json) -> tuple[Message, ...]:
    return (*system(rest.pop("system", None)), *messages(rest.pop("messages")))


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
    if not isinstance(wire, str) and not (
        isinstance(wire, list) and all(isinstance(block, dict) for block in wire)
    ):
        raise UnsayableError("content is a text or blocks")
    return (TextPart(wire),) if isinstance(wire, str) else tuple(_part(block) for block in wire)


def _own(block: Json, *known: str) -> Json:
    """What of *block* has no common name, as metadata."""
    rest = {k: v for k, v in block.items() if k not in ("type", *known)}
    return {"claude": rest} if rest else {}


def _part(block: Json) -> Any:
    match block:
        case {"type": "text", "text": str(text)}:
            return TextPart(text, provider_metadata=_own(block, "text"))
        case {"type": "image" | "document", "source": dict(source)}:
            return _media(block, source)
        case {"type": "thinking", "thinking": str(thinking), "signature": str(signature)} if (
            signature and len(block) == 3
        ):
            return ReasoningPart(thinking, signature)
        case {"type": "redacted_thinking", "data": str(data)} if data and len(block) == 2:
            return ReasoningPart("", redacted=data)
        case {"type": "tool_use", "id": str(id_), "name": str(name), "input": given} if id_:
            own = _own(block, "id", "name", "input")
            return ToolCall(id_, name, json.dumps(given), provider_metadata=own)
        case {"type": "tool_result", "tool_use_id": str(id_)} if id_:
            own = _own(block, "tool_use_id", "content", "is_error")
            failed = bool(block.get("is_error"))
            content = parts(block.get("content") or [])
            return ToolResult(id_, content, failed, provider_metadata=own)
    return ProviderPart("claude", block)


def canonical(data: str) -> bool:
    """Whether *data* is base64 in the one form that encoding gives."""
    try:
        return data != "" and b64encode(b64decode(data, validate=True)).decode() == data
    except ValueError:
        return False


TAKEN = {"image": IMAGES, "document": (PDF,)}
"""The kinds of bytes that each block may hold; others go as they are, to be refused."""


def _media(block: Json, source: Json) -> Any:
    own, name = _own(block, "source", "title"), block.get("title")
    if name == "" or len(name or "") > MAX_TITLE or (name and block["type"] == "image"):
        return ProviderPart("claude", block)
    match source:
        case {"type": "base64", "media_type": kind, "data": str(data)} if kind in TAKEN[
            block["type"]
        ] and canonical(data):
            return MediaPart(kind, b64decode(data), name=name, provider_metadata=own)
        case {"type": "text", "media_type": "text/plain", "data": str(data)} if data:
            return MediaPart("text/plain", data.encode(), name=name, provider_metadata=own)
        case {"type": "url", "url": str(url)} if url.startswith(("http://", "https://")):
            kind = "image/*" if block["type"] == "image" else PDF
            return MediaPart(kind, url=url, name=name, provider_metadata=own)
        case {"type": "file", "file_id": str(id_)} if FILE_ID.fullmatch(id_):
            kind = "image/*" if block["type"] == "image" else PDF
            return MediaPart(kind, url=id_, name=name, provider_metadata=own)
    return ProviderPart("claude", block)


def _typable(wire: Iterable[Any]) -> bool:
    """Whether each tool is Anthropic's own, or has a name and a schema that is an object."""
    return all(
        isinstance(tool, dict)
        and (
            tool.get("type", "custom") != "custom"
            or (isinstance(tool.get("input_schema"), dict) and isinstance(tool.get("name"), str))
        )
        for tool in wire
    )


def tools(wire: Iterable[Json] | None) -> list[Tool]:
    """Tools, those of the caller and Anthropic's own."""
    return [_tool(tool) for tool in wire or ()]


def _tool(wire: Json) -> Tool:
    if wire.get("type", "custom") != "custom":
        kind = {"type": wire["type"]}
        # A toolset of an MCP server has no name.
        own = {"name": None, **wire}
        return Tool(wire.get("name") or "toolset", provider_metadata={"claude": {**own, **kind}})
    schema = wire["input_schema"]
    own = _own(wire, "name", "description", "input_schema", "strict")
    described = wire.get("description") or ""
    return Tool(wire["name"], described, schema, strict=wire.get("strict"), provider_metadata=own)
