"""Typed requests: each type names an operation, and says what it returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from .params import GenerationParams
from .prompts import Prompt, check_messages, parse_prompt, parse_tools
from .types import (
    ChatResponse,
    EmbeddingResponse,
    Json,
    Message,
    ModelInfo,
    ResponseFormat,
    TokenCount,
    Tool,
    ToolChoice,
)

R = TypeVar("R")


@frozen(kw_only=True)
class Timeout:
    """Seconds to wait: to connect, for the first content, between contents, in total.

    Keep-alives and comments do not count as content. *first_chunk* and *idle*
    apply to streams; a plain call has *connect*, *idle* between reads and *total*.
    """

    connect: float = 5.0
    first_chunk: float = 60.0
    idle: float = 60.0
    total: float = 600.0


@frozen(kw_only=True)
class Request(Generic[R]):
    """Base of every request; *R* is what running it returns.

    ``provider_options`` maps a provider's name to fields for its wire body;
    ``timeout`` replaces the provider's configured one; ``strict`` makes every
    compromise (see `CallWarning`) an error; ``metadata`` is for your own
    middleware and is never sent.
    """

    model: str = ""
    provider_options: Mapping[str, Json] = field(factory=dict)
    timeout: Timeout | None = None
    strict: bool | None = None
    metadata: Mapping[str, Any] = field(factory=dict)


def _messages(given: Prompt) -> tuple[Message, ...]:
    """Messages as they are, once checked; what else is a prompt becomes some, or is refused."""
    if type(given) is tuple and all(type(m) is Message for m in given):
        check_messages(given)
        return given
    return parse_prompt(given)


@frozen(kw_only=True)
class AnswerRequest(Request[ChatResponse]):
    """Base of the requests that a model answers in its own words, as a whole or as a stream."""

    params: GenerationParams = field(factory=GenerationParams)


@frozen(kw_only=True)
class ChatRequest(AnswerRequest):
    """Ask a model to continue a conversation."""

    messages: tuple[Message, ...] = field(converter=_messages)
    tools: tuple[Tool, ...] = field(default=(), converter=parse_tools)
    tool_choice: ToolChoice = "auto"
    response_format: ResponseFormat | None = None


def _texts(inputs: str | Iterable[str]) -> tuple[str, ...]:
    return (inputs,) if isinstance(inputs, str) else tuple(inputs)


@frozen(kw_only=True)
class EmbeddingRequest(Request[EmbeddingResponse]):
    """Ask for one vector for each text in *inputs*.

    *input_type* is what the vectors are for, where the model makes a difference:
    ``query`` or ``document`` (to find one with the other), ``classification`` or
    ``clustering``.
    """

    inputs: tuple[str, ...] = field(converter=_texts)
    dimensions: int | None = None
    input_type: str | None = None


@frozen(kw_only=True)
class TokenCountRequest(Request[TokenCount]):
    """Ask how many tokens a chat request would hold."""

    messages: tuple[Message, ...] = field(converter=_messages)
    tools: tuple[Tool, ...] = field(default=(), converter=parse_tools)


def guess_tokens(request: ChatRequest | TokenCountRequest | EmbeddingRequest) -> int:
    """About how many tokens *request* holds, at four bytes a token; media are not counted."""
    if isinstance(request, EmbeddingRequest):
        return -(-sum(len(text.encode(errors="replace")) for text in request.inputs) // 4)
    size = sum(len(m.text.encode(errors="replace")) + 16 for m in request.messages)
    size += sum(len(t.name) + len(t.description) + len(str(t.parameters)) for t in request.tools)
    return -(-size // 4)


@frozen(kw_only=True)
class ModelListRequest(Request[Sequence[ModelInfo]]):
    """Ask which models there are."""


@frozen(kw_only=True)
class Progress:
    """How far a long operation is: bytes where the backend says so."""

    status: str
    completed: int | None = None
    total: int | None = None


@frozen(kw_only=True)
class PullRequest(Request[None]):
    """Fetch *model* to where the backend keeps its models; its stream is of `Progress`."""


@frozen(kw_only=True)
class DeleteRequest(Request[None]):
    """Delete *model* from where the backend keeps its models."""


@frozen(kw_only=True)
class ModelInfoRequest(Request[ModelInfo]):
    """Ask what there is to know about *model*."""
