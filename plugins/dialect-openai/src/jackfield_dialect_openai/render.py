"""From canonical values to the dialect's requests: messages, tools, formats, bodies.

What the dialect cannot take is converted or dropped, and the call is told.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    ResponseFormat,
    Role,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.attachments import is_address
from jackfield.exchange import Call, get_request, json_request, segment
from jackfield.flow import HTTPRequest
from jackfield.types import MediaPart, ProviderPart, ReasoningPart, RefusalPart, TextPart

_AUDIO = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_FILE_ID = re.compile(r"(?:file|assistant)-[\w-]+")


def file_id(call: Call[Any], part: MediaPart) -> str | None:
    """The id of the kept file that *part* is; "" with a warning if it is another service's.

    None where it has bytes or an address.
    """
    if part.data is not None or is_address(part.url):
        return None
    if _FILE_ID.fullmatch(part.url or ""):
        return part.url
    call.warn("dropped", part.media_type, f"{part.url!r} is no address, nor the id of a file here")
    return ""


def notes(call: Call[Any], value: Any) -> Mapping[str, Any]:
    """What is noted on a message or part for this provider, or for all that speak the dialect."""
    told = value.provider_metadata
    return {**told.get("openai", {}), **told.get(call.provider.info.name, {})}


def data_url(part: MediaPart) -> str:
    """The URL of *part*, made of its bytes if it has no other."""
    if part.data is None:
        return str(part.url)
    return f"data:{part.media_type};base64,{b64encode(part.data).decode()}"


def render_messages(call: Call[ChatRequest]) -> list[dict[str, Any]]:
    """The dialect's messages for the call's."""
    wire: list[dict[str, Any]] = []
    media: list[MediaPart] = []
    for message in call.request.messages:
        results = [p for p in message.content if isinstance(p, ToolResult)]
        if not results:
            wire += _after_tools(call, media)
        wire += [_result(call, r) for r in results]
        media += [p for r in results for p in r.content if isinstance(p, MediaPart)]
        rest = [p for p in message.content if not isinstance(p, ToolResult)]
        if rest or not results:
            wire += _after_tools(call, media)
            plain, name = _plain(call, message.role, rest), notes(call, message).get("name")
            wire.append({**plain, "name": name} if name else plain)
    return wire + _after_tools(call, media)


def _result(call: Call[Any], result: ToolResult) -> dict[str, Any]:
    if result.is_error:
        call.warn("dropped", "tool result", "the dialect has no mark for a failed tool")
    texts = [_text(p) for p in result.content if isinstance(p, TextPart)]
    content = texts if len(texts) > 1 else result.text
    return {"role": "tool", "tool_call_id": result.tool_call_id, "content": content}


def _after_tools(call: Call[Any], media: list[MediaPart]) -> list[dict[str, Any]]:
    """The media of tool results: a user message after the last of them, emptying *media*."""
    if not media:
        return []
    call.warn("emulated", "tool result", "its media went into a user message")
    content = [c for p in media if (c := _media(call, p))]
    media.clear()
    return [{"role": "user", "content": content}] if content else []


def _text(part: TextPart) -> dict[str, Any]:
    return {"type": "text", "text": part.text}


def _plain(call: Call[Any], role: Role, parts: list[Any]) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": "user" if role is Role.TOOL else role.value}
    content: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for part in parts:
        match part:
            case TextPart():
                content.append(_text(part))
            case MediaPart() if role in (Role.ASSISTANT, Role.SYSTEM):
                _spoken(call, role, part, wire)
            case MediaPart():
                content.append(_media(call, part))
            case ToolCall():
                calls.append(_call(call, part))
            case RefusalPart(text):
                wire["refusal"] = wire.get("refusal", "") + text
            case ReasoningPart():
                _reasoning(call, part, wire)
            case ProviderPart(provider, data) if provider == call.provider.info.name:
                content.append(dict(data))
            case _:
                call.warn("dropped", type(part).__name__, "the dialect has no form for it")
    wire["content"] = _joined(role, [c for c in content if c], wire, calls)
    if calls:
        wire["tool_calls"] = calls
    return wire


def _joined(role: Role, content: list[dict[str, Any]], wire: Any, calls: list[Any]) -> Any:
    """Content as every server takes it: plain text where it is that and nothing more."""
    plain = all(c.get("type") == "text" and c.keys() == {"type", "text"} for c in content)
    if not plain or (len(content) > 1 and role is not Role.ASSISTANT):
        return content
    text = "".join(c["text"] for c in content)
    return text if text or not (calls or "refusal" in wire or "audio" in wire) else None


def _spoken(call: Call[Any], role: Role, part: MediaPart, wire: dict[str, Any]) -> None:
    """Refer to a sound that the model made itself; no other media may stand there."""
    own = part.provider_metadata.get(call.provider.info.name, {})
    if role is Role.ASSISTANT and own.get("id"):
        wire["audio"] = {"id": own["id"]}
    else:
        call.warn("dropped", part.media_type, f"the dialect takes no media from the {role.value}")


def _reasoning(call: Call[Any], part: ReasoningPart, wire: dict[str, Any]) -> None:
    """Send thinking back where the server takes it."""
    provider: Any = call.provider
    own = part.provider_metadata.get(provider.info.name, {})
    name = provider.reasoning_history
    if own.get("reasoning_details"):
        details = wire.setdefault("reasoning_details", [])
        details += own["reasoning_details"]
    elif name and part.text:
        wire[name] = wire.get(name, "") + part.text
    else:
        call.warn("dropped", "reasoning", "this API takes no earlier thinking back")


def _call(call: Call[Any], part: ToolCall) -> dict[str, Any]:
    if part.provider_metadata.get(call.provider.info.name, {}).get("type") == "custom":
        custom = {"name": part.name, "input": msgspec.json.decode(part.arguments)["input"]}
        return {"id": part.id, "type": "custom", "custom": custom}
    function = {"name": part.name, "arguments": part.arguments}
    return {"id": part.id, "type": "function", "function": function}


def _media(call: Call[Any], part: MediaPart) -> dict[str, Any]:
    """The wire part for *part*; empty if there is none."""
    provider: Any = call.provider
    kind = part.media_type
    own = notes(call, part)
    kept = file_id(call, part)
    if kept is not None:
        if kept and getattr(provider, "file_ids", False) and not kind.startswith("image/"):
            return {"type": "file", "file": {"file_id": kept}}
        if kept:
            call.warn("dropped", kind, "no such file goes by its id: pass the bytes")
        return {}
    if kind.startswith("image/"):
        detail = {"detail": own["detail"]} if "detail" in own else {}
        return {"type": "image_url", "image_url": {"url": data_url(part), **detail}}
    if kind in _AUDIO and part.data is not None:
        sound = {"data": b64encode(part.data).decode(), "format": _AUDIO[kind]}
        return {"type": "input_audio", "input_audio": sound}
    if not getattr(provider, "files", True):  # a provider in this process says nothing of it
        call.warn("dropped", kind, "this API's chats take no documents: try api=responses")
        return {}
    if part.data is not None or getattr(provider, "file_urls", False):
        name = part.name or "document." + kind.rpartition("/")[2]
        return {"type": "file", "file": {"filename": name, "file_data": data_url(part)}}
    call.warn("dropped", kind, "the dialect takes only images by URL: pass the bytes")
    return {}


def render_tools(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """The dialect's function tools."""
    return [{"type": "function", "function": _function(tool)} for tool in tools]


def _function(tool: Tool) -> dict[str, Any]:
    wire: dict[str, Any] = {"name": tool.name, "parameters": tool.parameters}
    if tool.description:
        wire["description"] = tool.description
    if tool.strict is not None:
        wire["strict"] = tool.strict
    return wire


def render_tool_choice(choice: str) -> Any:
    """``auto``, ``none``, ``required``, or one function by name."""
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def render_format(wanted: ResponseFormat) -> dict[str, Any]:
    """The dialect's ``response_format``."""
    if wanted.type != "json_schema":
        return {"type": "json_object" if wanted.type == "json" else "text"}
    schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema or {}}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    if wanted.description:
        schema["description"] = wanted.description
    return {"type": "json_schema", "json_schema": schema}


def render_body(call: Call[ChatRequest]) -> dict[str, Any]:
    """The whole body of a chat request."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "messages": render_messages(call), **call.wire}
    if request.tools:
        body["tools"] = render_tools(request.tools)
    if request.tools or "tools" in call.options:
        if request.tool_choice != "auto":
            body["tool_choice"] = render_tool_choice(request.tool_choice)
    else:
        body.pop("parallel_tool_calls", None)
        if request.tool_choice not in ("auto", "none"):
            call.warn("dropped", "tool_choice", "there are no tools to choose from")
    if request.response_format is not None:
        body["response_format"] = render_format(request.response_format)
    if call.stream:
        body["stream"] = True
        if getattr(call.config, "stream_usage", True):
            body["stream_options"] = {"include_usage": True}
    return merge(body, call.options)


def merge(body: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with the caller's own fields; objects are merged, anything else is replaced."""
    merged = dict(body)
    for key, value in options.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def build_chat(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /chat/completions."""
    provider: Any = call.provider
    return json_request(provider.chat_path, render_body(call))


def build_embeddings(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST /embeddings."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "input": list(request.inputs)}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    if request.input_type is not None:
        call.warn("unsupported", "input_type", "this API makes no difference")
    return json_request("/embeddings", merge(body, call.options))


def build_models(call: Call[Any]) -> HTTPRequest:  # noqa: ARG001  # every exchange is given its call
    """GET /models."""
    return get_request("/models")


def build_model(call: Call[Any]) -> HTTPRequest:
    """GET /models/NAME."""
    return get_request(f"/models/{segment(call.request.model)}")
