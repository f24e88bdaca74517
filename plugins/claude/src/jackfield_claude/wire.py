"""The shapes of Anthropic's Messages API, as far as they are read.

Unknown fields are ignored; a field of a wrong type is an error with its JSON path.
The blocks of a message are in blocks.py.

Source: https://docs.claude.com/en/api/messages and https://docs.claude.com/en/api/messages-streaming
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from jackfield.exchange import unreadable


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
    diagnostics: Any = None
    input_transformations: Any = None
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
    input_transformations: Any = None
    error: Any = None


EVENT = msgspec.json.Decoder(Event)
MESSAGE = msgspec.json.Decoder(Message)
EVENTS = ("message_start", "message_delta", "message_stop", "content_block_start")
DELTAS = ("text_delta", "thinking_delta", "signature_delta", "input_json_delta", "citations_delta")


def read_event(data: bytes) -> Event:
    """The event in *data*; errors and what is not known yet may have fields unlike ours."""
    try:
        return EVENT.decode(data)
    except msgspec.DecodeError as error:
        if data.strip() == b"[DONE]":
            # Gateways of OpenAI's dialect end every stream with it; it says nothing here.
            return Event()
        plain = msgspec.json.decode(data)
        kind, piece = plain["type"], plain.get("delta")
        if kind == "content_block_delta" and piece["type"] not in DELTAS:
            return Event(kind, plain["index"], Delta(piece["type"]))
        if kind not in (*EVENTS, "content_block_delta"):
            return Event(kind)
        raise unreadable(error, data) from None
