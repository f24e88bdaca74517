"""Speech from text, by a chat model that answers with sound.

Source: https://ai.google.dev/gemini-api/docs/speech-generation
"""

from __future__ import annotations

import io
import re
import wave
from typing import Any

from jackfield import MediaPart, ResponseFormatError
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import SpeechRequest, SpeechResponse

from ..config import merge, path
from .made import made

RATE = 24_000
"""Samples a second, where the answer does not say."""

PCM = ("audio/l16", "audio/pcm")
"""How the service calls what it gives: samples of 16 bits, the little end first, one channel."""


def build(call: Call[SpeechRequest]) -> HTTPRequest:
    """POST /models/NAME:generateContent that asks for sound alone.

    How to speak stands before the text: the API has no field for it.
    """
    request = call.request
    text = request.text
    if request.instructions is not None:
        call.warn("emulated", "instructions", "they went before the text")
        text = f"{request.instructions}: {text}"
    if request.output_format == "wav":
        call.warn("emulated", "output_format", "samples come; they get a head of WAV's here")
    elif request.output_format not in (None, "pcm"):
        call.warn("unsupported", "output_format", "it stays as it comes")
    if request.speed is not None:
        call.warn("unsupported", "speed", "not sent")
    generation: dict[str, Any] = {"responseModalities": ["AUDIO"]}
    if request.voice is not None:
        voice = {"prebuiltVoiceConfig": {"voiceName": request.voice}}
        generation["speechConfig"] = {"voiceConfig": voice}
    contents = [{"role": "user", "parts": [{"text": text}]}]
    body = {"contents": contents, "generationConfig": generation}
    return json_request(path(request.model, verb=":generateContent"), merge(body, call.options))


def parse(call: Call[SpeechRequest], response: HTTPResponse) -> SpeechResponse:
    """The sound, its pieces in one.

    Raises:
        ContentFilterError: it was refused.
        ResponseFormatError: there is none, or pieces of several kinds.
    """
    answer, pieces = made(call, response, "audio")
    kind = pieces[0].media_type
    if any(piece.media_type != kind or piece.data is None for piece in pieces):
        raise ResponseFormatError("the answer has sounds of several kinds (at $.candidates)")
    sound = MediaPart(kind, b"".join(piece.data or b"" for piece in pieces))
    if call.request.output_format == "wav":
        sound = with_head(sound)
    return SpeechResponse(
        model=answer.model or call.request.model,
        audio=sound,
        usage=answer.usage,
        provider_metadata=answer.provider_metadata,
    )


def with_head(sound: MediaPart) -> MediaPart:
    """*sound* as a WAV file, if it is bare samples; what is another form already stays so."""
    kind, _, about = sound.media_type.partition(";")
    if kind.strip().lower() not in PCM:
        return sound
    rate = re.search(r"\brate=(\d+)", about)
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(int(rate[1]) if rate else RATE)
        written.writeframes(sound.data or b"")
    return MediaPart("audio/wav", file.getvalue())


SPEECH: Exchanges = {SpeechRequest: Exchange(build=build, parse=parse)}
