"""The shapes of Anthropic's Messages API, as far as they are read.

Unknown fields are ignored; a block of an unknown type is kept whole, as data. A
field of a wrong type is an error with its JSON path.

Source: https://docs.claude.com/en/api/messages and https://docs.claude.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct


class Text(Struct):
    """Text, with its sources where the model cited."""

    text: str
    citations: list[Any] | None = None


class Thinking(Struct):
    """Visible thinking, or none with only its signature."""

    thinking: str
    signature: str | None = None


class RedactedThinking(Struct):
    """Encrypted thinking."""

    data: str


class ToolUse(Struct):
    """A call of one of the caller's tools; *input* is kept as the JSON text that came."""

    id: str
    name: str
    input: Raw = Raw(b"{}")
    caller: dict[str, Any] | None = None


class Kind(Struct):
    """What kind of block one is."""

    type: str


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


class TokensCounted(Struct):
    """How many tokens a request holds."""

    input_tokens: int


class ModelPage(Struct):
    """A page of the list of models."""

    data: list[dict[str, Any]]
    has_more: bool | None = None
    last_id: str | None = None


EVENT = msgspec.json.Decoder(Event)
MESSAGE = msgspec.json.Decoder(Message)
KIND = msgspec.json.Decoder(Kind)
BLOCKS: Mapping[str, msgspec.json.Decoder[Any]] = {
    "text": msgspec.json.Decoder(Text),
    "thinking": msgspec.json.Decoder(Thinking),
    "redacted_thinking": msgspec.json.Decoder(RedactedThinking),
    "tool_use": msgspec.json.Decoder(ToolUse),
}
TOKENS = msgspec.json.Decoder(TokensCounted)
MODELS = msgspec.json.Decoder(ModelPage)
ANY_OBJECT = msgspec.json.Decoder(dict[str, Any])
