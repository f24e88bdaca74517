"""Images and documents as the Messages API takes them: bytes, an address, or a file's id.

https://docs.claude.com/en/docs/build-with-claude/vision and
https://docs.claude.com/en/docs/build-with-claude/pdf-support
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from jackfield import MediaPart
from jackfield.attachments import is_address, sniff
from jackfield.exchange import Call

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
PDF = "application/pdf"
TEXTUAL = re.compile(r"text/.+|application/(json|xml|yaml|toml|javascript|.+\+(json|xml))")
MAX_TITLE = 500
FILE_ID = re.compile(r"file_\w+")


def render_media(call: Call[Any], part: MediaPart) -> dict[str, Any] | None:
    """An image or document block; where the API takes no such thing, a warning and None."""
    kind = part.media_type.partition(";")[0].strip().lower()
    kind = "image/jpeg" if kind == "image/jpg" else kind
    if part.data is None:
        image = kind.startswith("image/")
        if FILE_ID.fullmatch(part.url or ""):
            return _block(part, {"type": "file", "file_id": part.url}, image=image)
        if (known := is_address(part.url)) and (image or kind == PDF):
            return _block(part, {"type": "url", "url": part.url}, image=image)
        why = "only images and PDFs can be sent by URL: pass the bytes"
        call.warn("dropped", kind, why if known else f"{part.url!r} is no address, nor a file here")
        return None
    if kind == "image/*":
        kind = sniff(part.data) or kind
    if kind in IMAGES or kind == PDF:
        encoded = b64encode(part.data).decode()
        source = {"type": "base64", "media_type": kind, "data": encoded}
        return _block(part, source, image=kind in IMAGES)
    if TEXTUAL.fullmatch(kind):
        try:
            text = part.data.decode()
        except UnicodeDecodeError:
            kind += " that is not UTF-8"
        else:
            return _block(part, {"type": "text", "media_type": "text/plain", "data": text})
    call.warn("dropped", kind, "Claude takes JPEG, PNG, GIF, WebP, PDF and text")
    return None


def _block(part: MediaPart, source: dict[str, Any], *, image: bool = False) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "image" if image else "document", "source": source}
    if part.name and not image:
        block["title"] = part.name[:MAX_TITLE]
    return block
