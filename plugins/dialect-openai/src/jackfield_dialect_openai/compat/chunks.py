"""The objects of streams: what a chunk of an answer has."""

from __future__ import annotations

from typing import Any

from .shape import Shape
from .shapes import Audio, ChoiceLogprobs, CompletionUsage, Function, Notice


class ToolCallDelta(Shape, shapes={"function": Function}):
    """A piece of a tool call; id, type and name come with its first."""

    index: int
    id: str | None = None
    type: str | None = None
    function: Function | None = None


class ChoiceDelta(Shape, shapes={"tool_calls": ToolCallDelta, "audio": Audio}):
    """What a chunk adds."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    function_call: Any = None
    audio: Audio | None = None
    tool_calls: list[ToolCallDelta] | None = None
    reasoning_content: str | None = None
    images: list[Any] | None = None


class ChunkChoice(Shape, shapes={"delta": ChoiceDelta, "logprobs": ChoiceLogprobs}):
    """A piece of one answer."""

    index: int
    delta: ChoiceDelta
    finish_reason: str | None = None
    logprobs: ChoiceLogprobs | None = None
    native_finish_reason: str | None = None


class ChatCompletionChunk(
    Shape, shapes={"choices": ChunkChoice, "usage": CompletionUsage, "warnings": Notice}
):
    """A piece of a stream."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    moderation: Any = None
    obfuscation: str | None = None
    warnings: list[Notice] | None = None
