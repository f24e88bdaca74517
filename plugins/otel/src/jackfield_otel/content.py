"""What was asked and answered, in the JSON of the GenAI conventions, for those who want it recorded."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from jackfield import (
    ChatRequest,
    ChatResponse,
    FinishReason,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    Request,
    TextPart,
    ToolCall,
    ToolResult,
)

_REASONS = {FinishReason.TOOL_CALLS: "tool_call"}


def asked(request: Request[Any]) -> dict[str, str]:
    """The attributes that hold what *request* says; media are named, and their bytes left out."""
    if not isinstance(request, ChatRequest):
        return {}
    found = {"gen_ai.input.messages": _json([_message(m) for m in request.messages])}
    if request.tools:
        tools = [
            {"type": "function", "name": t.name, "description": t.description}
            for t in request.tools
        ]
        found["gen_ai.tool.definitions"] = _json(tools)
    return found


def answered(result: Any) -> dict[str, str]:
    """The attributes that hold what *result* says."""
    if not isinstance(result, ChatResponse):
        return {}
    ends: list[Any] = [result, *result.alternatives]
    said = [{**_message(end.message), "finish_reason": _reason(end)} for end in ends]
    return {"gen_ai.output.messages": _json(said)}


def _json(value: Any) -> str:
    return json.dumps(value, default=str)


def _reason(end: Any) -> str:
    ours: FinishReason = end.finish_reason
    return _REASONS.get(ours, ours.value)


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role.value, "parts": [_part(p) for p in message.content]}


def _part(part: Any) -> dict[str, Any]:
    match part:
        case TextPart(text) | RefusalPart(text):
            return {"type": "text", "content": text}
        case ReasoningPart(text):
            return {"type": "reasoning", "content": text}
        case ToolCall(id=key, name=name, arguments=written):
            arguments: Any = written
            with contextlib.suppress(ValueError):
                arguments = json.loads(written)
            return {"type": "tool_call", "id": key, "name": name, "arguments": arguments}
        case ToolResult(tool_call_id=key):
            return {"type": "tool_call_response", "id": key, "response": part.text}
        case MediaPart(media_type=kind, url=str(url)) if not url.startswith("data:"):
            return {"type": "uri", "mime_type": kind, "modality": _modality(kind), "uri": url}
        case MediaPart(media_type=kind):
            return {"type": "media", "mime_type": kind, "modality": _modality(kind)}
        case ProviderPart(provider=name):
            return {"type": "provider", "provider": name}
    return {"type": type(part).__name__}


def _modality(media_type: str) -> str:
    kind = media_type.partition("/")[0]
    return kind if kind in {"image", "audio", "video"} else "document"
