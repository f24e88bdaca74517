"""Images, sound, video and documents as the API takes them.

https://ai.google.dev/gemini-api/docs/image-understanding and
https://ai.google.dev/gemini-api/docs/files
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from jackfield import MediaPart
from jackfield.attachments import is_address, sniff
from jackfield.exchange import Call

ALIASES = {"image/jpg": "image/jpeg", "audio/x-wav": "audio/wav", "audio/mpeg3": "audio/mpeg"}


def media_type(part: MediaPart) -> str:
    """The media type without its parameters; ``""`` where only the kind is known."""
    kind = part.media_type.partition(";")[0].strip().lower()
    if kind.endswith("/*"):
        return (sniff(part.data) if part.data else None) or ""
    return ALIASES.get(kind, kind)


def render_media(call: Call[Any], part: MediaPart) -> dict[str, Any] | None:
    """A part with the bytes, or with where they are; the API reads nearly every media type."""
    kind = media_type(part)
    if part.data is None:
        if not is_address(part.url):
            call.warn("dropped", part.media_type, f"{part.url!r} is no address: a file has its uri")
            return None
        told = {"mimeType": kind} if kind else {}
        return {"fileData": {**told, "fileUri": part.url}}
    if not kind:
        call.warn("dropped", part.media_type, "the API wants to know the exact media type")
        return None
    return {"inlineData": {"mimeType": kind, "data": b64encode(part.data).decode()}}
