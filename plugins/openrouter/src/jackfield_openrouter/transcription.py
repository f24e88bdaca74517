"""Transcription, which OpenRouter takes as JSON with the sound in base64.

Source: https://openrouter.ai/docs/api-reference/transcription
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from jackfield import InvalidRequestError
from jackfield.exchange import Call, json_request
from jackfield.flow import HTTPRequest
from jackfield.operations import TranscriptionRequest
from jackfield_dialect_openai.render import merge

_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mp4": "m4a"}


def build_transcription(call: Call[TranscriptionRequest]) -> HTTPRequest:
    """POST /audio/transcriptions."""
    request, sound = call.request, call.request.audio
    if sound.data is None:
        message = "this API takes no URL: pass the bytes or a path"
        raise InvalidRequestError(message, param="audio", phase="build")
    kind = _FORMATS.get(sound.media_type, sound.media_type.rpartition("/")[2])
    body: dict[str, Any] = {
        "model": request.model,
        "input_audio": {"data": b64encode(sound.data).decode(), "format": kind},
    }
    for name in ("language", "temperature"):
        if getattr(request, name) is not None:
            body[name] = getattr(request, name)
    for name in ("prompt", "timestamps", "translate"):
        if getattr(request, name):
            call.warn("unsupported", name, "OpenRouter's transcription has no such field")
    return json_request("/audio/transcriptions", merge(body, call.options))
