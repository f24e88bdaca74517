"""Parts of an answer that are neither plain text nor tool calls: lists of content, sound, details."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from jackfield import MediaPart, PartAdded, ProviderPart, ReasoningDelta, RefusalDelta, TextDelta

from .wire import Audio


def piece_event(piece: Any, index: int, at: int, name: str) -> Any:
    """The event for one *piece* of a list of content; None if the piece is empty.

    What has no common form is kept as a part of the provider *name*'s own.
    """
    if isinstance(piece, str):
        return TextDelta(piece, 0, at) if piece else None
    if not isinstance(piece, Mapping):
        raise TypeError(f"a piece of content is of type {type(piece).__name__}")
    thought, text, refusal = (piece.get(key) for key in ("thinking", "text", "refusal"))
    if thought is not None:
        thoughts = thought if isinstance(thought, list) else [thought]
        said = "".join(t if isinstance(t, str) else t.get("text") or "" for t in thoughts)
        return ReasoningDelta(said, 0, at) if said else None
    if isinstance(text, str):
        return TextDelta(text, 0, at) if text else None
    if isinstance(refusal, str):
        return RefusalDelta(refusal, 0, at) if refusal else None
    image = piece.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image
    if isinstance(url, str) and url:
        return PartAdded(_image(url), index, at)
    return PartAdded(ProviderPart(name, piece), index, at)


def _image(url: str) -> MediaPart:
    if not url.startswith("data:"):
        return MediaPart("image/*", url=url)
    kind, _, data = url[5:].partition(",")
    return MediaPart(kind.partition(";")[0] or "image/*", b64decode(data, validate=True))


@define
class Sound:
    """Spoken output, collected from its pieces."""

    id: str | None = None
    expires_at: int | None = None
    data: list[str] = field(factory=list)
    transcript: list[str] = field(factory=list)

    def add(self, wire: Audio) -> None:
        """Note one piece."""
        self.id = self.id or wire.id
        self.expires_at = self.expires_at or wire.expires_at
        self.data += [wire.data] if wire.data else []
        self.transcript += [wire.transcript] if wire.transcript else []

    def event(self, media_type: str, index: int, at: int, name: str) -> PartAdded:
        """The whole sound, its transcript beside it."""
        try:
            data = b"".join(map(b64decode, self.data))
        except Base64Error:  # cut where base64 cannot be
            data = b64decode("".join(self.data))
        said = "".join(self.transcript)
        about = {"id": self.id, "transcript": said, "expires_at": self.expires_at}
        return PartAdded(MediaPart(media_type, data, provider_metadata={name: about}), index, at)


_GROWING = ("text", "summary", "data")


def join_details(details: list[Any], more: list[Any], *, whole: bool) -> None:
    """Add *more* reasoning details, as a server wants them back: a block's pieces made one."""
    for new in more:
        last = details[-1] if details and not whole else None
        if not (isinstance(last, dict) and isinstance(new, dict) and _same_block(last, new)):
            details.append(dict(new) if isinstance(new, dict) else new)
            continue
        for key, value in new.items():
            if key in _GROWING and isinstance(value, str) and isinstance(last.get(key), str):
                last[key] += value
            elif value is not None:
                last[key] = value


def shown(details: list[Any]) -> str | None:
    """The thinking that *details* show."""
    told = [d.get("text") or d.get("summary") for d in details if isinstance(d, dict)]
    return "".join(text for text in told if isinstance(text, str)) or None


def _same_block(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("type", "index"))
