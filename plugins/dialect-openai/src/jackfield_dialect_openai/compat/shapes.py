"""The objects of chats: attributes and methods as users of the ``openai`` package know them.

A field that an answer does not have is None. Fields of Jackfield's own stand beside
the official ones: ``warnings``, ``usage.cost``, ``reasoning_content``.
"""

from __future__ import annotations

from typing import Any

from .shape import Shape


class Notice(Shape):
    """Something asked for that could not be honoured as asked; see `jackfield.CallWarning`."""

    kind: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}" + (f": {self.detail}" if self.detail else "")


class Function(Shape):
    """A called function; *arguments* is JSON text."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(Shape, shapes={"function": Function}):
    """A tool call."""

    id: str
    type: str
    function: Function


class ChatCompletionMessage(Shape, shapes={"tool_calls": ToolCall}):
    """What the model said; pass it back in ``messages`` as it is."""

    role: str
    content: str | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None
    audio: Any = None
    function_call: Any = None
    tool_calls: list[ToolCall] | None = None


class Choice(Shape, shapes={"message": ChatCompletionMessage}):
    """One answer."""

    index: int
    message: ChatCompletionMessage
    finish_reason: str
    logprobs: Any = None


class TokensDetails(Shape):
    """What a count is made of, as far as the provider tells."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionUsage(
    Shape,
    shapes={"prompt_tokens_details": TokensDetails, "completion_tokens_details": TokensDetails},
):
    """Tokens, in totals that include their details; *cost* in US dollars, where it is known."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: TokensDetails | None = None
    completion_tokens_details: TokensDetails | None = None
    cost: float | None = None


class ChatCompletion(
    Shape, shapes={"choices": Choice, "usage": CompletionUsage, "warnings": Notice}
):
    """A whole answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    warnings: list[Notice] | None = None


class ToolCallDelta(Shape, shapes={"function": Function}):
    """A piece of a tool call; id, type and name come with its first."""

    index: int
    id: str | None = None
    type: str | None = None
    function: Function | None = None


class ChoiceDelta(Shape, shapes={"tool_calls": ToolCallDelta}):
    """What a chunk adds."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    function_call: Any = None
    audio: Any = None
    tool_calls: list[ToolCallDelta] | None = None


class ChunkChoice(Shape, shapes={"delta": ChoiceDelta}):
    """A piece of one answer."""

    index: int
    delta: ChoiceDelta
    finish_reason: str | None = None
    logprobs: Any = None


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
    warnings: list[Notice] | None = None
