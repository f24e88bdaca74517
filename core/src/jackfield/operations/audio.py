"""Speech from text, and text from speech."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from attrs import field, frozen

from ..requests import Request
from ..types import CallWarning, Cost, Json, MediaPart, Usage


@frozen(kw_only=True)
class SpeechResponse:
    """Spoken text."""

    model: str = ""
    audio: MediaPart
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class SpeechRequest(Request[SpeechResponse]):
    """Ask for *text* to be spoken.

    *voice* is one of the provider's; *output_format* is ``"mp3"``, ``"wav"``,
    ``"opus"``, ``"flac"``, ``"aac"`` or ``"pcm"``; *speed* is a factor, 1 is the
    voice's own; *instructions* say how to speak.
    """

    text: str
    voice: str | None = None
    output_format: str | None = None
    speed: float | None = None
    instructions: str | None = None


@frozen(kw_only=True)
class TimedText:
    """A piece of a transcript; *start* and *end* are seconds from the beginning."""

    text: str
    start: float
    end: float
    speaker: str | None = None


@frozen(kw_only=True)
class TranscriptionResponse:
    """What was said; *duration* is in seconds, *language* as the provider names it."""

    model: str = ""
    text: str
    language: str | None = None
    duration: float | None = None
    segments: tuple[TimedText, ...] = ()
    words: tuple[TimedText, ...] = ()
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)

    def __str__(self) -> str:
        return self.text


def _kinds(timestamps: str | Iterable[str]) -> tuple[str, ...]:
    return (timestamps,) if isinstance(timestamps, str) else tuple(timestamps)


@frozen(kw_only=True)
class TranscriptionRequest(Request[TranscriptionResponse]):
    """Ask what is said in *audio*.

    *language* is its ISO 639-1 code, if known; *prompt* has names and words that
    are said; *timestamps* are ``"segment"`` and ``"word"``; *translate* asks for
    English, whatever is spoken.
    """

    audio: MediaPart
    language: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    timestamps: tuple[Literal["segment", "word"], ...] = field(default=(), converter=_kinds)
    translate: bool = False
