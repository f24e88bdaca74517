"""Text from speech, and speech from text.

Source: https://huggingface.co/docs/inference-providers/tasks/automatic-speech-recognition
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield.exchange import Call, Exchange
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.operations import (
    SpeechRequest,
    SpeechResponse,
    TimedText,
    TranscriptionRequest,
    TranscriptionResponse,
)

from .reading import media, read
from .tasks import task_request

_UNHEARD = ("language", "prompt", "translate")
_UNSPOKEN = ("voice", "output_format", "speed", "instructions")


class Chunk(Struct):
    """A piece of what was said; the end of the last one may be unknown."""

    text: str
    timestamp: tuple[float | None, float | None]


class Transcript(Struct):
    """What was said."""

    text: str
    chunks: list[Chunk] | None = None


_TRANSCRIPT = msgspec.json.Decoder(Transcript)


def build(call: Call[TranscriptionRequest]) -> HTTPRequest:
    """POST the sound as it is, or within JSON where there are parameters."""
    request = call.request
    for name in _UNHEARD:
        if getattr(request, name):
            call.warn("unsupported", name, "this task has no such parameter")
    parameters: dict[str, Any] = {}
    if "segment" in request.timestamps:
        parameters["return_timestamps"] = True
    if "word" in request.timestamps:
        call.warn("unsupported", "timestamps", "words have no times here, segments do")
    if request.temperature is not None:
        heat = request.temperature
        # Zero is no choosing at all; the description wants more than that.
        chosen = {"temperature": heat} if heat > 0 else {"do_sample": False}
        parameters["generation_parameters"] = chosen
    return task_request(call, request.audio, parameters)


def parse(call: Call[TranscriptionRequest], response: HTTPResponse) -> TranscriptionResponse:
    """The text, and its pieces in time."""
    answer = read(call, _TRANSCRIPT, response)
    return TranscriptionResponse(
        model=call.request.model,
        text=answer.text,
        segments=tuple(map(_timed, answer.chunks or ())),
    )


def _timed(chunk: Chunk) -> TimedText:
    start = chunk.timestamp[0] or 0.0
    # Sound that ends within a piece has no time for that: it has at least begun.
    end = start if chunk.timestamp[1] is None else chunk.timestamp[1]
    return TimedText(text=chunk.text, start=start, end=end)


def build_speech(call: Call[SpeechRequest]) -> HTTPRequest:
    """POST the text."""
    for name in _UNSPOKEN:
        if getattr(call.request, name) is not None:
            call.warn("unsupported", name, "this task has no such parameter")
    return task_request(call, call.request.text, {})


def parse_speech(call: Call[SpeechRequest], response: HTTPResponse) -> SpeechResponse:
    """The sound itself."""
    return SpeechResponse(model=call.request.model, audio=media(call, response, "audio/"))


TRANSCRIPTION: Exchange[Any, Any] = Exchange(build=build, parse=parse)
SPEECH: Exchange[Any, Any] = Exchange(build=build_speech, parse=parse_speech)
