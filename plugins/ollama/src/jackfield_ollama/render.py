"""From canonical values to Ollama's chat requests.

What the API cannot take is converted or dropped, and the call is told.
https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from jackfield import (
    ChatRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    Role,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.exchange import Call, json_request
from jackfield.flow import HTTPRequest


def build_chat(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /api/chat."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "messages": render_messages(call), **call.wire}
    if tools := _offered(call):
        body["tools"] = [render_tool(call, tool) for tool in tools]
    if (wanted := request.response_format) is not None and wanted.type != "text":
        body["format"] = render_format(wanted)
        if wanted.description:
            call.warn("unsupported", "response_format", "say in the prompt what describes it")
    return json_request("/api/chat", closed(call, body))


def closed(call: Call[Any], body: dict[str, Any]) -> dict[str, Any]:
    """*body* with how long the model stays, the caller's own fields, and whether it streams."""
    if call.config.keep_alive is not None:
        body["keep_alive"] = call.config.keep_alive
    if "stream" in call.options:
        call.warn("dropped", "stream", "the method called decides it")
    return merge(body, call.options) | {"stream": call.stream}


def merge(body: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with the caller's own fields; objects (``options``) are merged."""
    merged = dict(body)
    for key, value in own.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = {**merged[key], **value} if both else value
    return merged


def render_messages(call: Call[ChatRequest]) -> list[dict[str, Any]]:
    """Ollama's messages for the call's; a tool's result is named by the call that it answers."""
    names: dict[str, str] = {}
    wire: list[dict[str, Any]] = []
    for message in call.request.messages:
        names.update({c.id: c.name for c in message.tool_calls})
        wire += _message(call, message, names)
    return wire


def _message(
    call: Call[Any], message: Message, names: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    results = [p for p in message.content if isinstance(p, ToolResult)]
    for result in results:
        wire = _plain(call, Role.TOOL, result.content)
        if name := result.name or names.get(result.tool_call_id):
            wire["tool_name"] = name
        if result.tool_call_id:
            wire["tool_call_id"] = result.tool_call_id
        if result.is_error:
            call.warn("dropped", "tool result", "the API has no mark for a failed tool")
        yield wire
    rest = [p for p in message.content if not isinstance(p, ToolResult)]
    if rest or not results:
        yield _plain(call, Role.USER if message.role is Role.TOOL else message.role, rest)


def _plain(call: Call[Any], role: Role, parts: Any) -> dict[str, Any]:
    """One message: all text joined, images beside it."""
    texts: list[str] = []
    images: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    for part in parts:
        match part:
            case TextPart(text):
                texts.append(text)
            case MediaPart():
                _media(call, part, texts, images)
            case ReasoningPart(text) if text:
                thoughts.append(text)
            case ToolCall():
                calls.append(_call(call, part))
            case RefusalPart(text):
                call.warn("emulated", "refusal", "sent as text")
                texts.append(text)
            case _:
                call.warn("dropped", type(part).__name__, "the API has no form for it")
    wire: dict[str, Any] = {"role": role.value, "content": "".join(texts)}
    if thoughts:
        wire["thinking"] = "".join(thoughts)
    if images:
        wire["images"] = images
    if calls:
        wire["tool_calls"] = calls
    return wire


def _media(call: Call[Any], part: MediaPart, texts: list[str], images: list[str]) -> None:
    kind = part.media_type
    if part.data is None:
        call.warn("dropped", kind, "Ollama fetches no URLs: pass the bytes or a file")
    elif kind.startswith("image/"):
        images.append(b64encode(part.data).decode())
    elif kind.startswith("text/") or kind == "application/json":
        call.warn("emulated", kind, "its text went into the message")
        texts.append(part.data.decode("utf-8", "replace"))
    else:
        call.warn("dropped", kind, "Ollama takes images and text")


def _call(call: Call[Any], part: ToolCall) -> dict[str, Any]:
    """A call that the model made; its arguments are an object on this wire."""
    try:
        arguments = msgspec.json.decode(part.arguments or "{}")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        arguments = part.arguments
    if not isinstance(arguments, dict):
        call.warn("emulated", "tool call", f"{part.name}: its arguments were put into an object")
        arguments = {"arguments": arguments}
    function = {"name": part.name, "arguments": arguments}
    return {"id": part.id, "type": "function", "function": function}


def _offered(call: Call[ChatRequest]) -> tuple[Tool, ...]:
    """The tools to send: the API has no tool choice, and takes what it is offered."""
    tools, choice = call.request.tools, call.request.tool_choice
    if choice == "auto":
        return tools
    if choice == "none":
        return ()
    if choice == "required":
        call.warn("unsupported", "tool_choice", "Ollama cannot be made to call a tool")
        return tools
    chosen = tuple(t for t in tools if t.name == choice)
    if not chosen:
        message = f"tool_choice: there is no tool {choice!r}; name one of tools"
        raise InvalidRequestError(message, param="tool_choice", phase="build")
    call.warn("emulated", "tool_choice", f"only {choice} was offered; the call cannot be forced")
    return chosen


def render_tool(call: Call[Any], tool: Tool) -> dict[str, Any]:
    """A function tool."""
    if tool.strict:
        call.warn("unsupported", f"tool {tool.name}", "arguments are not held to the schema")
    function: dict[str, Any] = {"name": tool.name, "parameters": tool.parameters}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def render_format(wanted: ResponseFormat) -> Any:
    """``"json"``, or the schema itself."""
    return wanted.schema if wanted.type == "json_schema" and wanted.schema else "json"
