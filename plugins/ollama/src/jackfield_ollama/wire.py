"""The shapes of Ollama's answers, as far as they are read.

A line of a stream and a whole answer are one shape. Unknown fields are ignored; a
field of a wrong type is an error with its JSON path. https://docs.ollama.com/api.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct


class Function(Struct):
    """A called function; *arguments* is kept as the server wrote it."""

    name: str = ""
    arguments: Raw = Raw(b"{}")  # bytes, and immutable


class ToolCallWire(Struct):
    """A tool call, always whole; older servers give no id."""

    function: Function
    id: str | None = None


class MessageWire(Struct):
    """The assistant's message, or a piece of it."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[ToolCallWire] | None = None
    images: list[str] | None = None


class ChatLine(Struct):
    """A line of a stream, or a whole answer; times are nanoseconds, kept as they come."""

    model: str | None = None
    created_at: Any = None
    message: MessageWire | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    total_duration: Any = None
    load_duration: Any = None
    prompt_eval_duration: Any = None
    eval_duration: Any = None
    remote_model: Any = None
    remote_host: Any = None
    logprobs: list[Any] | None = None
    error: Any = None


class TextLine(ChatLine):
    """The same without roles; *image* is base64, *context* the tokens so far."""

    response: str | None = None
    thinking: str | None = None
    tool_calls: list[ToolCallWire] | None = None
    image: str | None = None
    context: Any = None


class Embeddings(Struct):
    """An answer of vectors; *embedding* is the one vector of servers before 0.3."""

    embeddings: tuple[tuple[float, ...], ...] | None = None
    embedding: tuple[float, ...] | None = None
    model: str | None = None
    prompt_eval_count: int | None = None
    total_duration: Any = None
    load_duration: Any = None
    error: Any = None


class Models(Struct):
    """The models that are there, or loaded; null where there are none, but never absent."""

    models: list[dict[str, Any]] | None


class Shown(Struct):
    """What is read of a model's description; the whole of it is kept beside."""

    details: dict[str, Any] | None = None
    model_info: dict[str, Any] | None = None
    capabilities: list[str] | None = None
    modelfile: str | None = None
    error: Any = None


class Step(Struct):
    """A line of a pull; counts are bytes."""

    status: str = ""
    completed: int | None = None
    total: int | None = None
    error: Any = None


CHAT = msgspec.json.Decoder(ChatLine)
TEXT = msgspec.json.Decoder(TextLine)
EMBEDDINGS = msgspec.json.Decoder(Embeddings)
MODELS = msgspec.json.Decoder(Models)
SHOWN = msgspec.json.Decoder(Shown)
STEP = msgspec.json.Decoder(Step)
