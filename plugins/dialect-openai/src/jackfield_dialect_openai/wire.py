"""The shapes of OpenAI's chat-completions dialect, as far as they are read.

A streamed chunk and a whole answer are one shape: a choice has a ``delta`` or a
``message``. Everything is optional and unknown fields are ignored; a field of a
wrong type is an error with its JSON path.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class Function(Struct):
    """A called function; some servers send the arguments as an object."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Custom(Struct):
    """A called custom tool: its input is free text."""

    name: str | None = None
    input: str | None = None


class ToolCallWire(Struct):
    """A tool call, or a piece of one."""

    index: int | float | None = None
    id: str | int | None = None
    function: Function | None = None
    custom: Custom | None = None


class Audio(Struct):
    """Spoken output."""

    id: str | None = None
    data: str | None = None
    transcript: str | None = None
    expires_at: Any = None


class MessageWire(Struct):
    """An assistant's message, or the delta of one."""

    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: list[Any] | None = None
    tool_calls: list[ToolCallWire] | ToolCallWire | None = None
    function_call: Function | None = None
    annotations: list[Any] | None = None
    images: list[Any] | None = None
    audio: Audio | None = None


class Choice(Struct):
    """One answer, or a piece of one."""

    index: int | float | None = None
    delta: MessageWire | None = None
    message: MessageWire | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    error: Any = None
    native_finish_reason: Any = None
    stop_reason: Any = None
    content_filter_results: Any = None


class Completion(Struct):
    """A chunk of a stream, or a whole answer."""

    id: str | int | None = None
    model: str | None = None
    object: str | None = None
    choices: list[Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    service_tier: Any = None
    system_fingerprint: Any = None
    provider: Any = None
    citations: Any = None
    prompt_filter_results: Any = None
    x_groq: dict[str, Any] | None = None


class Embedding(Struct):
    """One vector: numbers, base64 of little-endian 32-bit floats, or one vector a token."""

    embedding: str | list[float | list[float]]
    index: int | float | None = None


class Embeddings(Struct):
    """An answer of vectors."""

    data: list[Embedding]
    model: str | None = None
    usage: dict[str, Any] | None = None


class Models(Struct):
    """A list of models."""

    data: list[dict[str, Any]] | None


COMPLETION = msgspec.json.Decoder(Completion)
EMBEDDINGS = msgspec.json.Decoder(Embeddings)
MODELS = msgspec.json.Decoder(Models | list[dict[str, Any]])
ANY_OBJECT = msgspec.json.Decoder(dict[str, Any])
ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
