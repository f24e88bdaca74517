"""Images, and documents: what the model may cite.

https://docs.cohere.com/docs/image-inputs and https://docs.cohere.com/docs/rag-with-cohere
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from jackfield import MediaPart
from jackfield.attachments import is_address, sniff
from jackfield.exchange import Call

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
TEXTUAL = re.compile(r"text/.+|application/(json|xml|yaml|toml|javascript|.+\+(json|xml))")
Json = dict[str, Any]


def own(call: Call[Any], thing: Any) -> Json:
    """What *thing* says to this provider alone."""
    metadata: Mapping[str, Any] = getattr(thing, "provider_metadata", {})
    return dict(metadata.get(call.provider.info.name, {}))


def kind_of(part: MediaPart) -> str:
    """The media type of *part*, of its bytes where it is vague."""
    kind = part.media_type.partition(";")[0].strip().lower()
    if kind == "image/*" and part.data is not None:
        return sniff(part.data) or kind
    return "image/jpeg" if kind == "image/jpg" else kind


def render_image(call: Call[Any], part: MediaPart) -> Json | None:
    """An image's block; None where *part* is none that the API takes."""
    kind = kind_of(part)
    if kind.startswith("image/") and is_address(part.url):
        url = part.url
    elif part.data is not None and kind in IMAGES:
        url = f"data:{kind};base64,{b64encode(part.data).decode()}"
    else:
        return None
    detail = {k: v for k, v in own(call, part).items() if k == "detail"}
    return {"type": "image_url", "image_url": {"url": url, **detail}}


def render_document(call: Call[Any], part: MediaPart) -> Json | None:
    """A document of the text in *part*, or of the fields of its JSON object; None for want of text.

    The metadata may have the whole ``document`` as the API takes it.
    """
    mine = own(call, part)
    if isinstance(mine.get("document"), Mapping):
        return dict(mine["document"])
    if part.data is None or not TEXTUAL.fullmatch(kind_of(part)):
        return None
    try:
        data: Any = {"text": part.data.decode()}
    except UnicodeDecodeError:
        return None
    if kind_of(part) == "application/json":
        data = _fields(data["text"]) or data
    if part.name and "title" not in data:
        data = {"title": part.name, **data}
    return {**{k: v for k, v in mine.items() if k == "id"}, "data": data}


def _fields(text: str) -> Json | None:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def refuse(call: Call[Any], part: MediaPart) -> None:
    """Say that *part* is not sent."""
    fix = "pass the bytes of a text" if part.data is None else "images and texts are taken"
    call.warn("dropped", part.media_type, f"Cohere has no form for it: {fix}")
