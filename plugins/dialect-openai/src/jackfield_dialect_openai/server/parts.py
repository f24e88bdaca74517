"""Parts of a message as JSON, nothing lost: what goes beside an answer that the dialect cannot say whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from jackfield import (
    ContentPart,
    MediaPart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
)
from jackfield.prompts import bad

_KINDS: Mapping[str, type[Any]] = {
    "text": TextPart,
    "media": MediaPart,
    "reasoning": ReasoningPart,
    "refusal": RefusalPart,
    "tool_call": ToolCall,
    "provider": ProviderPart,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode_parts(parts: Iterable[ContentPart]) -> list[dict[str, Any]]:
    """*parts* as JSON objects; bytes are base64."""
    return [{"type": _NAMES[type(part)], **_fields(part)} for part in parts]


def _fields(part: ContentPart) -> dict[str, Any]:
    told = msgspec.to_builtins(part, enc_hook=str)
    return {
        name: value
        for name, value in told.items()
        if value is not None and not (name == "provider_metadata" and not value)
    }


def decode_parts(where: str, given: Any) -> tuple[ContentPart, ...]:
    """The parts that `encode_parts` wrote.

    Raises:
        InvalidRequestError: they are misshapen; *where* and the message say how.
    """
    try:
        return tuple(msgspec.convert(part, _KINDS[part["type"]]) for part in given)
    except (msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
        fix = "send an answer's message back as it came, or without this field"
        raise bad(where, f"misshapen: {error}", fix) from None
