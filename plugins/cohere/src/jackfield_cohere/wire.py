"""The shapes of version 2 of Cohere's chat, as far as they are read.

Unknown fields are ignored; a field of a wrong type is an error with its JSON path.

Source: https://docs.cohere.com/reference/chat and https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from jackfield.exchange import unreadable


class Content(Struct):
    """A block of an answer, or a piece of one: text or thinking."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None


class Function(Struct):
    """What a call of a tool calls, or a piece of its arguments."""

    name: str | None = None
    arguments: str | None = None


class ToolUse(Struct):
    """A call of a tool, or a piece of one."""

    id: str | None = None
    function: Function | None = None


class Citation(Struct):
    """What of a citation says where it belongs."""

    content_index: int | None = None
    type: str | None = None


class Message(Struct):
    """A whole message; a streamed event has one object where this has a list."""

    content: list[Content] | Content | str | None = None
    tool_plan: str | None = None
    tool_calls: list[ToolUse] | ToolUse | None = None
    citations: list[dict[str, Any]] | dict[str, Any] | None = None


class Delta(Struct):
    """What an event adds, or how the answer ended."""

    message: Message | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


class Event(Struct):
    """An event of a stream."""

    type: str = ""
    id: str | None = None
    index: int = 0
    delta: Delta | None = None
    logprobs: Any = None


class Answer(Struct):
    """A whole answer."""

    id: str = ""
    message: Message | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    logprobs: Any = None
    error: Any = None


EVENT = msgspec.json.Decoder(Event)
ANSWER = msgspec.json.Decoder(Answer)
KNOWN = {
    *("message-start", "message-end", "tool-plan-delta", "citation-start", "citation-end"),
    *(f"{what}-{when}" for what in ("content", "tool-call") for when in ("start", "delta", "end")),
}


def read_event(data: bytes) -> Event:
    """The event in *data*; one that is not known yet may have fields unlike ours."""
    try:
        return EVENT.decode(data)
    except msgspec.DecodeError as error:
        if data.strip() == b"[DONE]":
            return Event()
        plain = msgspec.json.decode(data)
        if plain["type"] not in KNOWN:
            return Event(plain["type"])
        raise unreadable(error, data) from None


def normalized(body: Any) -> Any:
    """*body* with the error's type where the core looks for it."""
    if not isinstance(body, Mapping) or not isinstance(body.get("error_type"), str):
        return body
    said = body.get("error") or body.get("message")
    return {"error": {"message": said if isinstance(said, str) else "", "type": body["error_type"]}}
