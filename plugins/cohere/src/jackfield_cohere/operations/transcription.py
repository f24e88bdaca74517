"""Text from speech. https://docs.cohere.com/reference/create-audio-transcription."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield.exchange import Call, Exchange, decode
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import TranscriptionRequest, TranscriptionResponse
from jackfield.operations.forms import FilePart, form_request
from jackfield.prompts import bad

from ..usage import parse_usage


class Transcript(Struct):
    """What was said."""

    text: str
    usage: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None


_TRANSCRIPT = msgspec.json.Decoder(Transcript)


def build(call: Call[TranscriptionRequest]) -> HTTPRequest:
    """A form to /v2/audio/transcriptions. The API wants to be told the language.

    Raises:
        InvalidRequestError: there are no bytes, or no language.
    """
    request = call.request
    audio, language = request.audio, call.options.get("language", request.language)
    if audio.data is None:
        raise bad("audio", "the API takes no URL", "pass the bytes or a path")
    if not language:
        raise bad("language", "the API does not find it out", 'say it, as in language="en"')
    for name in ("prompt", "timestamps", "translate"):
        if getattr(request, name):
            call.warn("unsupported", name, "not sent")
    fields = {"language": language, "temperature": request.temperature, **call.options}
    name = audio.name or f"audio.{audio.media_type.rpartition('/')[2].removeprefix('x-')}"
    file = FilePart(name, audio.media_type, audio.data)
    return form_request(
        "/v2/audio/transcriptions",
        [("model", request.model), *fields.items(), ("file", file)],
    )


def parse(call: Call[TranscriptionRequest], response: HTTPResponse) -> TranscriptionResponse:
    """The text, in the language that was named."""
    said = decode(_TRANSCRIPT, response.body)
    language = call.options.get("language", call.request.language)
    about = {} if said.meta is None else {call.provider.info.name: {"meta": said.meta}}
    return TranscriptionResponse(
        text=said.text,
        language=language,
        usage=parse_usage(said.usage or said.meta),
        provider_metadata=about,
    )


TRANSCRIPTION: Exchanges = {TranscriptionRequest: Exchange(build=build, parse=parse)}
