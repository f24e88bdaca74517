"""Speech and transcription. https://platform.openai.com/docs/api-reference/audio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from jackfield import Cost, InvalidRequestError, MediaPart, ResponseFormatError
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import (
    SpeechRequest,
    SpeechResponse,
    TimedText,
    TranscriptionRequest,
    TranscriptionResponse,
)
from jackfield.operations.forms import FilePart, form_request

from ..render import merge
from ..usage import parse_cost, parse_usage
from .reading import inline, read

TYPES: Mapping[str, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""Media types of the formats of speech."""

_ENDINGS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "x-m4a": "m4a", "mp4": "m4a"}


def build_speech(call: Call[SpeechRequest]) -> HTTPRequest:
    """POST /audio/speech."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "input": request.text}
    named = {"voice": "voice", "output_format": "response_format", "speed": "speed"}
    named["instructions"] = "instructions"
    for name, wire in named.items():
        if getattr(request, name) is not None:
            body[wire] = getattr(request, name)
    return json_request("/audio/speech", merge(body, call.options))


def parse_speech(call: Call[SpeechRequest], response: HTTPResponse) -> SpeechResponse:
    """The sound: the body itself, or base64 within JSON."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    asked = call.options.get("response_format") or call.request.output_format or "mp3"
    usual = TYPES.get(str(asked), f"audio/{asked}")
    if kind == "application/json" or response.body[:1] == b"{":
        answer = read(call, _SPOKEN, response)
        part = inline(answer.audio_data, usual)
        usage = answer.usage
    elif response.body:
        part = MediaPart(kind if kind.startswith("audio/") else usual, response.body)
        usage = None
    else:
        raise ResponseFormatError("the answer has no sound: its body is empty")
    return SpeechResponse(
        model=call.request.model,
        audio=part,
        usage=parse_usage(usage),
        cost=parse_cost(usage) or Cost(),
    )


class Spoken(Struct):
    """Sound within JSON, as Mistral sends it."""

    audio_data: str
    usage: dict[str, Any] | None = None


class Timed(Struct):
    """A segment, or a word."""

    start: float
    end: float
    text: str | None = None
    word: str | None = None
    speaker: str | None = None


class Transcript(Struct):
    """What was said."""

    text: str
    model: str | None = None
    language: str | None = None
    duration: float | str | None = None
    segments: list[Timed] | None = None
    words: list[Timed] | None = None
    usage: dict[str, Any] | None = None
    logprobs: Any = None


_SPOKEN = msgspec.json.Decoder(Spoken)
_TRANSCRIPT = msgspec.json.Decoder(Transcript)


def build_transcription(call: Call[TranscriptionRequest]) -> HTTPRequest:
    """A form to /audio/transcriptions, or to /audio/translations."""
    request = call.request
    if request.audio.data is None:
        message = "this API takes no URL: pass the bytes or a path"
        raise InvalidRequestError(message, param="audio", phase="build")
    fields: dict[str, Any] = {"model": request.model}
    for name in ("language", "prompt", "temperature"):
        if getattr(request, name) is not None:
            fields[name] = getattr(request, name)
    if request.translate and fields.pop("language", None) is not None:
        call.warn("dropped", "language", "a translation is told no language")
    if request.timestamps:
        fields["response_format"] = "verbose_json"
    fields = merge(fields, call.options)
    repeated = [("timestamp_granularities[]", kind) for kind in request.timestamps]
    for name, value in fields.items():
        many = value if isinstance(value, list | tuple) else [value]
        repeated += [(f"{name}[]" if isinstance(value, list | tuple) else name, v) for v in many]
    ending = request.audio.media_type.rpartition("/")[2]
    name = request.audio.name or f"audio.{_ENDINGS.get(ending, ending)}"
    file = FilePart(name, request.audio.media_type, request.audio.data)
    path = "/audio/translations" if request.translate else "/audio/transcriptions"
    return form_request(path, [("file", file), *repeated])


def parse_transcription(
    call: Call[TranscriptionRequest], response: HTTPResponse
) -> TranscriptionResponse:
    """The text: JSON, or the body itself where a format of text was asked for."""
    kind = response.headers.get("content-type", "")
    if kind.startswith("text/") and response.body.lstrip()[:1] != b"{":
        said = Transcript(response.body.decode("utf-8", "replace").strip())
    else:
        said = read(call, _TRANSCRIPT, response)
    kept = {} if said.logprobs is None else {call.provider.info.name: {"logprobs": said.logprobs}}
    return TranscriptionResponse(
        model=said.model or call.request.model,
        text=said.text,
        language=said.language,
        duration=_duration(said),
        segments=_timed(said.segments),
        words=_timed(said.words),
        usage=parse_usage(said.usage),
        cost=parse_cost(said.usage) or Cost(),
        provider_metadata=kept,
    )


def _duration(said: Transcript) -> float | None:
    if said.duration is not None:
        return float(said.duration)
    usage = said.usage or {}
    told = usage.get("seconds", usage.get("prompt_audio_seconds"))
    return float(told) if isinstance(told, int | float) else None


def _timed(pieces: list[Timed] | None) -> tuple[TimedText, ...]:
    return tuple(
        TimedText(text=p.word or p.text or "", start=p.start, end=p.end, speaker=p.speaker)
        for p in pieces or ()
    )


SPEECH: Exchanges = {SpeechRequest: Exchange(build=build_speech, parse=parse_speech)}
TRANSCRIPTION: Exchanges = {
    TranscriptionRequest: Exchange(build=build_transcription, parse=parse_transcription)
}
