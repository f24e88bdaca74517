"""The shapes of the API's answers, as far as they are read.

Unknown fields are ignored; a field of a wrong type is an error with its JSON path.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class FunctionCall(Struct):
    """What a model wants called."""

    name: str = ""
    id: str | None = None
    args: Any = None


class Blob(Struct, rename="camel"):
    """Bytes, in base64."""

    mime_type: str = ""
    data: str = ""


class FileData(Struct, rename="camel"):
    """Where bytes are."""

    file_uri: str
    mime_type: str = ""


class Part(Struct, rename="camel"):
    """One part of a content: one of its fields says what it is."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None


class Content(Struct):
    """Parts, in their order; those are read one by one."""

    parts: list[dict[str, Any]] | None = None


class Candidate(Struct, rename="camel"):
    """One answer, or a piece of one."""

    index: int = 0
    content: Content | None = None
    finish_reason: str | int | None = None


class Feedback(Struct, rename="camel"):
    """What the service thinks of a prompt."""

    block_reason: str | None = None


class Answer(Struct, rename="camel"):
    """A whole answer, or an event of a streamed one, or an error's body."""

    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: dict[str, Any] | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: Any = None


ANSWER = msgspec.json.Decoder(Answer)
OBJECT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, Any])
