"""What a chat model was asked to make instead of words: pictures, sound."""

from __future__ import annotations

from typing import Any

from jackfield import ChatResponse, ContentFilterError, FinishReason, MediaPart, ResponseFormatError
from jackfield.exchange import Call
from jackfield.flow import HTTPResponse

from ..parse import parse_chat


def made(
    call: Call[Any], response: HTTPResponse, kind: str
) -> tuple[ChatResponse, tuple[MediaPart, ...]]:
    """The answer, and all that it has of *kind*: ``"image"``, ``"audio"``.

    Raises:
        ContentFilterError: the prompt, or what was made, was refused.
        ResponseFormatError: there is none of it.
    """
    answer = parse_chat(call, response)
    messages = [answer.message, *(a.message for a in answer.alternatives)]
    parts = (p for m in messages for p in m.content if isinstance(p, MediaPart))
    found = tuple(part for part in parts if part.media_type.startswith(f"{kind}/"))
    if not found:
        word = answer.raw_finish_reason or "no reason given"
        if answer.finish_reason is FinishReason.CONTENT_FILTER:
            raise ContentFilterError(f"the {kind} was refused: {word}", code=word)
        raise ResponseFormatError(f"the answer has no {kind}: {word}")
    return answer, found
