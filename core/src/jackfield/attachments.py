"""From files, bytes and URLs to media parts."""

from __future__ import annotations

import mimetypes
import os
from pathlib import Path
from typing import Any

from .errors import InvalidRequestError
from .types import MediaPart

MAX_ATTACHMENT = 50 * 1024 * 1024

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
    b"ID3": "audio/mpeg",
}


def sniff(data: bytes) -> str | None:
    """The media type that the first bytes of *data* tell, if they tell."""
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    return None


def is_address(url: str | None) -> bool:
    """Whether others may read *url*: the id of a file that a provider keeps says nothing to them."""
    return "://" in (url or "") or (url or "").startswith("data:")


def attachment(given: Any) -> MediaPart:
    """A media part from a `MediaPart`, bytes, an http(s) URL, or the path of a file.

    Raises:
        InvalidRequestError: missing, empty, too large, or of no known type.
    """
    if isinstance(given, MediaPart):
        return given
    if isinstance(given, bytes):
        return MediaPart(_type("attachments", given, None), given)
    if isinstance(given, str) and given.startswith(("http://", "https://")):
        guessed = mimetypes.guess_type(given.partition("?")[0])[0]
        return MediaPart(guessed or "image/*", url=given)
    if not isinstance(given, str | os.PathLike):
        raise _bad(type(given).__name__, "is no path, URL, bytes or MediaPart")
    path = Path(given)
    try:
        if not path.is_file():
            problem = "is a directory" if path.is_dir() else "is no file, but a pipe or device"
            raise _bad(f"{path}", problem if path.exists() else "does not exist")
        size = path.stat().st_size
        if not 0 < size <= MAX_ATTACHMENT:
            raise _bad(f"{path}", f"has {size} bytes; 1 to {MAX_ATTACHMENT} can be sent")
        data = path.read_bytes()
    except OSError as error:
        raise _bad(f"{path}", error.strerror or "cannot be read") from None
    return MediaPart(_type(f"{path}", data, path.name), data, name=path.name)


def _type(where: str, data: bytes, name: str | None) -> str:
    seen = sniff(data)
    named = mimetypes.guess_type(name)[0] if name else None
    if named and named in _MAGIC.values() and seen != named:
        raise _bad(where, f"is named like {named}, but is {seen or 'something else'}")
    kind = seen or named
    if kind is None:
        raise _bad(where, "is of no known type; pass MediaPart(media_type, data)")
    return kind


def _bad(where: str, problem: str) -> InvalidRequestError:
    return InvalidRequestError(f"attachment {where} {problem}", param="attachments", phase="build")
