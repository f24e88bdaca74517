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
    parsed_arguments: Any = None


class ToolCall(Shape, shapes={"function": Function}):
    """A tool call."""

    id: str
    type: str
    function: Function


class UrlCitation(Shape):
    """A page that a part of the text relies on, from *start_index* to *end_index*."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(Shape, shapes={"url_citation": UrlCitation}):
    """What is said of a part of the text."""

    type: str
    url_citation: UrlCitation | None = None


class Audio(Shape):
    """What the model said aloud; *data* is base64."""

    id: str | None = None
    data: str | None = None
    transcript: str | None = None
    expires_at: int | None = None


class TopLogprob(Shape):
    """A token that could have stood there."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(Shape, shapes={"top_logprobs": TopLogprob}):
    """A token, and how likely it was."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] | None = None


class ChoiceLogprobs(Shape, shapes={"content": TokenLogprob, "refusal": TokenLogprob}):
    """How likely the tokens of an answer were."""

    content: list[TokenLogprob] | None = None
    refusal: list[TokenLogprob] | None = None


class ChatCompletionMessage(
    Shape, shapes={"tool_calls": ToolCall, "annotations": Annotation, "audio": Audio}
):
    """What the model said; pass it back in ``messages`` as it is."""

    role: str
    content: str | None = None
    refusal: str | None = None
    annotations: list[Annotation] | None = None
    audio: Audio | None = None
    function_call: Any = None
    tool_calls: list[ToolCall] | None = None
    reasoning_content: str | None = None
    images: list[Any] | None = None
    jackfield_parts: list[Any] | None = None


class Choice(Shape, shapes={"message": ChatCompletionMessage, "logprobs": ChoiceLogprobs}):
    """One answer."""

    index: int
    message: ChatCompletionMessage
    finish_reason: str
    logprobs: ChoiceLogprobs | None = None
    native_finish_reason: str | None = None


class TokensDetails(Shape):
    """What a count is made of, as far as the provider tells."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    text_tokens: int | None = None
    image_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


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
    metadata: Any = None
    moderation: Any = None
    warnings: list[Notice] | None = None
