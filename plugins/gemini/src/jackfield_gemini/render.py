"""From messages to contents.

What the API cannot take is converted or dropped, and the call is told. The metadata
``{"gemini": {…}}`` of a part goes into its part on the wire: ``thoughtSignature``, say,
or ``videoMetadata``. https://ai.google.dev/api/caching#Content
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from jackfield import (
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
)
from jackfield.exchange import Call
from jackfield.prompts import bad

from .media import render_media

Json = dict[str, Any]


def own(call: Call[Any], thing: Any) -> Json:
    """What *thing* says to this provider alone."""
    metadata: Mapping[str, Any] = getattr(thing, "provider_metadata", {})
    return dict(metadata.get(call.provider.info.name, {}))


def render_conversation(call: Call[Any], messages: Iterable[Message]) -> Json:
    """The fields ``systemInstruction`` and ``contents``.

    System messages go to the front. The results of parallel calls go into one
    content, as the API wants them.
    """
    system: list[Json] = []
    contents: list[Json] = []
    names: dict[str, str] = {}
    after_tool = False
    for at, message in enumerate(messages):
        names.update({c.id: c.name for c in message.tool_calls})
        parts = render_parts(call, message.content, names)
        if not parts:
            call.warn("dropped", f"messages[{at}]", "there is nothing in it to send")
            continue
        if message.role is Role.SYSTEM:
            if contents:
                call.warn("emulated", "system message", "it went to the front")
            system += _texts(call, parts)
            continue
        if after_tool and message.role is Role.TOOL:
            parts = contents.pop()["parts"] + parts
        after_tool = message.role is Role.TOOL
        if after_tool:
            parts.sort(key=lambda p: "functionResponse" not in p)
        role = "model" if message.role is Role.ASSISTANT else "user"
        contents.append({"role": role, "parts": parts, **own(call, message)})
    if not contents:
        raise bad("messages", "nothing is left to send", "add a user message that says something")
    return {"systemInstruction": {"parts": system}, "contents": contents} if system else {
        "contents": contents
    }  # fmt: skip


def _texts(call: Call[Any], parts: list[Json]) -> list[Json]:
    """The text of a system message: the API takes nothing else there."""
    texts = [p for p in parts if "text" in p]
    if len(texts) < len(parts):
        call.warn("dropped", "system message", "only its text can be sent")
    return texts


def render_parts(call: Call[Any], parts: Sequence[Any], names: Mapping[str, str]) -> list[Json]:
    """What the API can take of *parts*; *names* are those of the tools of earlier calls."""
    return [wire for part in parts for wire in _part(call, part, names)]


def _part(call: Call[Any], part: Any, names: Mapping[str, str]) -> list[Json]:
    mine = own(call, part)
    match part:
        case TextPart(text):
            return [{"text": text, **mine}] if text or mine else []
        case MediaPart():
            wire = render_media(call, part)
            return [] if wire is None else [{**wire, **mine}]
        case ReasoningPart(text) if mine:
            return [{"text": text, **mine}]
        case ReasoningPart():
            call.warn("dropped", "reasoning", "Gemini takes no thoughts but its own")
        case ToolCall():
            return [{**_call(call, part), **mine}]
        case ToolResult():
            return _result(call, part, names)
        case RefusalPart(text) if text:
            call.warn("emulated", "refusal", "it went as text")
            return [{"text": text}]
        case ProviderPart(provider, data) if provider == call.provider.info.name:
            return [dict(data)]
        case ProviderPart(provider):
            call.warn("dropped", f"a part of {provider}", "only its own provider understands it")
    return []


def _object(text: str) -> Any:
    """*text* to the letter if it is a JSON object, else None."""
    try:
        if isinstance(msgspec.json.decode(text), dict):
            return msgspec.Raw(text.encode())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    return None


def _call(call: Call[Any], part: ToolCall) -> Json:
    args = _object(part.arguments.strip() or "{}")
    if args is None:
        detail = "its arguments are no JSON object: sent as text"
        call.warn("emulated", f"call of {part.name}", detail)
        args = {"arguments": part.arguments}
    known = {"id": part.id} if part.id else {}
    return {"functionCall": {**known, "name": part.name, "args": args}}


def _result(call: Call[Any], part: ToolResult, names: Mapping[str, str]) -> list[Json]:
    """The answer of a tool: an object as it is, a text as its ``result`` or ``error``."""
    name = part.name or names.get(part.tool_call_id) or part.tool_call_id
    known = {"id": part.tool_call_id} if part.tool_call_id else {}
    media = [p for p in part.content if isinstance(p, MediaPart)]
    said: Any = _object(part.text.strip())
    if said is None and not part.text and len(media) == 1:
        only = media[0]
        if only.data is not None and only.media_type == "application/json":
            said, media = _object(only.data.decode("utf-8", "replace")), []
    if said is None or part.is_error:
        said = {"error" if part.is_error else "result": part.text if said is None else said}
    wire = {**known, "name": name, "response": said}
    rendered = [w for p in media if (w := render_media(call, p)) is not None]
    inside = [w for w in rendered if "inlineData" in w and takes_media(call.request.model)]
    if inside:
        wire["parts"] = inside
    beside = [w for w in rendered if w not in inside]
    if beside:
        call.warn("emulated", "tool result", "its media went beside it")
    return [{"functionResponse": {**wire, **own(call, part)}}, *beside]


def takes_media(model: str) -> bool:
    """Whether *model* takes media inside of a tool's result: those since Gemini 3 do."""
    return not any(old in model for old in ("gemini-1", "gemini-2", "gemma"))
