"""Answers' messages, as the dialect writes them.

An answer's message is lossless: where the dialect has no form for a part (a signed
thought, a provider's own block), all parts go along in the field ``jackfield_parts``.
Sent back unchanged, the message is the same value.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from jackfield import (
    ContentPart,
    MediaPart,
    Message,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
)

from ..render import data_url
from ..usage import count
from .history import PARTS, spoken
from .parts import encode_parts


def flattened(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What any provider noted, without the providers' names."""
    noted = [own for own in metadata.values() if isinstance(own, Mapping)]
    return {name: value for own in noted for name, value in own.items()}


def render_message(message: Message) -> dict[str, Any]:
    """An answer's *message*."""
    wire = plain_message(message.content)
    if beside := what_is_beside(wire, message):
        wire[PARTS] = beside
    return wire


def what_is_beside(wire: Mapping[str, Any], message: Message) -> list[dict[str, Any]]:
    """All parts of *message*, if they are not what *wire* alone says."""
    said = [p for p in message.content if p != TextPart("")]
    return [] if list(spoken("", wire).content) == said else encode_parts(said)


def plain_message(parts: Iterable[ContentPart]) -> dict[str, Any]:
    """*parts* as far as the dialect has a form for them."""
    texts: dict[str, str] = {}
    wire: dict[str, list[Any]] = {"tool_calls": [], "images": [], "annotations": []}
    sound: dict[str, Any] = {}
    for part in parts:
        match part:
            case TextPart(text):
                texts["content"] = texts.get("content", "") + text
                wire["annotations"] += citations(part.provider_metadata)
            case ReasoningPart(text) if text:
                texts["reasoning_content"] = texts.get("reasoning_content", "") + text
            case RefusalPart(text) if text:
                texts["refusal"] = texts.get("refusal", "") + text
            case ToolCall():
                wire["tool_calls"].append(render_call(part))
            case MediaPart():
                sound |= render_sound(part)
                wire["images"] += render_image(part)
            case _:
                pass
    told: dict[str, Any] = {name: listed for name, listed in wire.items() if listed}
    told |= {"audio": sound} if sound else {}
    text = texts.pop("content", "")
    alone = not ("refusal" in texts or "tool_calls" in told or sound)
    content = text if text or alone else None
    return {"role": "assistant", "content": content, "refusal": None, **texts, **told}


def render_call(call: ToolCall) -> dict[str, Any]:
    """A tool call."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def render_image(part: MediaPart) -> list[dict[str, Any]]:
    """*part* if it is a picture, in the form that servers of the dialect give theirs."""
    if not part.media_type.startswith("image/"):
        return []
    return [{"type": "image_url", "image_url": {"url": data_url(part)}}]


def render_sound(part: MediaPart) -> dict[str, Any]:
    """*part* if it is speech."""
    if part.data is None or not part.media_type.startswith("audio/"):
        return {}
    own = flattened(part.provider_metadata)
    return {
        "id": str(own.get("id") or ""),
        "data": b64encode(part.data).decode(),
        "transcript": str(own.get("transcript") or ""),
        "expires_at": count(own.get("expires_at")) or 0,
    }


_CITED: Mapping[str, type] = {"start_index": int, "end_index": int, "title": str, "url": str}


def citations(metadata: Mapping[str, Any]) -> list[Any]:
    """The citations in *metadata*, as chats have them; the Responses API writes them flat."""
    noted = flattened(metadata).get("annotations")
    found = []
    for one in noted if isinstance(noted, list) else []:
        if isinstance(one, Mapping) and one.get("type") == "url_citation":
            told = one.get("url_citation", one)
            if isinstance(told, Mapping) and all(type(told.get(n)) is t for n, t in _CITED.items()):
                cited = told if told is not one else {name: told[name] for name in _CITED}
                found.append({"type": "url_citation", "url_citation": cited})
    return found
