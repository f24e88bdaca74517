"""The shapes of Anthropic's Messages API, as far as they are read.

Unknown fields are ignored; a field of a wrong type is an error with its JSON path.
The blocks of a message are in blocks.py.

Source: https://docs.claude.com/en/api/messages and https://docs.claude.com/en/api/messages-streaming
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct


class Delta(Struct):
    """A piece of a block, or how the message ended."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str | None = None
    partial_json: str = ""
    citation: Any = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None
    container: Any = None


class Message(Struct):
    """A whole answer, or the start of a streamed one, or an error's body."""

    type: str = ""
    id: str = ""
    model: str = ""
    content: list[Raw] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None
    container: Any = None
    context_management: Any = None
    usage: dict[str, Any] | None = None
    error: Any = None


class Event(Struct):
    """An event of a stream."""

    type: str = ""
    index: int = 0
    delta: Delta | None = None
    content_block: Raw = Raw(b"{}")
    message: Message | None = None
    usage: dict[str, Any] | None = None
    context_management: Any = None


EVENT = msgspec.json.Decoder(Event)
MESSAGE = msgspec.json.Decoder(Message)
