"""The shapes of version 1's answers, as far as they are read.

Source: https://docs.cohere.com/v1/reference/chat and https://docs.cohere.com/v1/reference/generate
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class ToolUse(Struct):
    """A call of a tool; it has no id there."""

    name: str
    parameters: msgspec.Raw = msgspec.Raw(b"{}")


class Generation(Struct):
    """One of several texts."""

    text: str = ""
    index: int | None = None
    finish_reason: str | None = None


class Answer(Struct):
    """A whole answer: of a chat one text, of a completion a list of them."""

    id: str | None = None
    generation_id: str | None = None
    text: str | None = None
    generations: list[Generation] | None = None
    finish_reason: str | None = None
    citations: list[Any] | None = None
    tool_calls: list[ToolUse] | None = None
    meta: dict[str, Any] | None = None


class Line(Struct):
    """An event of a stream."""

    event_type: str = ""
    is_finished: bool | None = None
    index: int | None = None
    generation_id: str | None = None
    text: str | None = None
    citations: list[Any] | None = None
    tool_calls: list[ToolUse] | None = None
    finish_reason: str | None = None
    response: msgspec.Raw = msgspec.Raw(b"{}")


LINE = msgspec.json.Decoder(Line)
ANSWER = msgspec.json.Decoder(Answer)
PLAIN: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
