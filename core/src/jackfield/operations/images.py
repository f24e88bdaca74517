"""Image generation and editing."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from ..requests import Request
from ..types import CallWarning, Cost, Json, MediaPart, Usage


@frozen(kw_only=True)
class ImageResponse:
    """The images made: bytes, or a URL where the provider hands out only that.

    *revised_prompts* has the prompt that was really used for each image, where the
    provider tells one.
    """

    id: str = ""
    model: str = ""
    images: tuple[MediaPart, ...]
    revised_prompts: tuple[str | None, ...] = ()
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)


def _parts(images: Iterable[MediaPart]) -> tuple[MediaPart, ...]:
    return tuple(images)


@frozen(kw_only=True)
class ImageRequest(Request[ImageResponse]):
    """Ask for *n* images of *prompt*; with *images*, for edits of those.

    *size* is ``"WIDTHxHEIGHT"`` in pixels; *mask* is an image whose transparent
    places are to be changed; *output_format* is ``"png"``, ``"jpeg"`` or ``"webp"``.
    """

    prompt: str
    n: int = 1
    size: str | None = None
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    images: tuple[MediaPart, ...] = field(default=(), converter=_parts)
    mask: MediaPart | None = None
