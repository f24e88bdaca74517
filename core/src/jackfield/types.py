"""Canonical values: what every provider receives and returns.

Pure data. Two messages with the same content are equal; identity, storage and
transport live elsewhere. ``None`` means unknown or unset, ``0`` was measured.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from attrs import Factory, field, frozen

Json = Mapping[str, Any]


class Role(StrEnum):
    """Who speaks a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@frozen
class TextPart:
    """Plain text."""

    text: str
    provider_metadata: Json = field(factory=dict, kw_only=True)


@frozen
class MediaPart:
    """An image, audio clip, video or document: inline bytes in *data*, or a *url*."""

    media_type: str
    data: bytes | None = field(default=None, repr=lambda d: f"<{len(d)} bytes>" if d else "None")
    url: str | None = None
    name: str | None = field(default=None, kw_only=True)
    provider_metadata: Json = field(factory=dict, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if (self.data is None) == (self.url is None):
            raise ValueError("a MediaPart needs either data or url")


@frozen
class ReasoningPart:
    """Visible thinking; *signature* and *redacted* are opaque and return verbatim."""

    text: str
    signature: str | None = field(default=None, repr=False)
    redacted: str | None = field(default=None, repr=False)
    provider_metadata: Json = field(factory=dict, kw_only=True)


@frozen
class RefusalPart:
    """The model's own words for declining, where a provider keeps them apart from text."""

    text: str


@frozen
class ToolCall:
    """The model asks for a tool; *arguments* is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str = "{}"
    provider_metadata: Json = field(factory=dict, kw_only=True)


def _parts(content: Any) -> tuple[Any, ...]:
    if isinstance(content, str):
        return (TextPart(content),)
    if content is None:
        return ()
    return tuple(content) if isinstance(content, Iterable) else (content,)


@frozen
class ToolResult:
    """What a tool answered to the call with the id *tool_call_id*."""

    tool_call_id: str
    content: tuple[TextPart | MediaPart, ...] = field(converter=_parts)
    is_error: bool = False
    name: str | None = field(default=None, kw_only=True)
    provider_metadata: Json = field(factory=dict, kw_only=True)

    @property
    def text(self) -> str:
        """The text of the result, without its media."""
        return "".join(p.text for p in self.content if isinstance(p, TextPart))


@frozen
class ProviderPart:
    """A block only *provider* understands (a server tool's call, say): returned to it unharmed."""

    provider: str
    data: Json


ContentPart = (
    TextPart | MediaPart | ReasoningPart | RefusalPart | ToolCall | ToolResult | ProviderPart
)


@frozen
class Message:
    """One turn: a role and its parts. A ``str`` is accepted as content."""

    role: Role = field(converter=Role)
    content: tuple[ContentPart, ...] = field(converter=_parts)
    provider_metadata: Json = field(factory=dict, kw_only=True)

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(p.text for p in self.content if isinstance(p, TextPart))

    @property
    def reasoning(self) -> str:
        """All visible thinking, joined."""
        return "".join(p.text for p in self.content if isinstance(p, ReasoningPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools this message asks for, in order."""
        return tuple(p for p in self.content if isinstance(p, ToolCall))


@frozen
class Tool:
    """A function the model may ask for; *parameters* is a JSON Schema."""

    name: str
    description: str = ""
    parameters: Json = field(factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = field(default=None, kw_only=True)
    provider_metadata: Json = field(factory=dict, kw_only=True)


ToolChoice = Literal["auto", "none", "required"] | str
"""``auto``, ``none``, ``required``, or the name of the one tool to call."""


@frozen(kw_only=True)
class ResponseFormat:
    """The shape of the answer: free text, any JSON, or JSON that fits *schema*, where there is one."""

    schema: Json | None = None
    type: Literal["text", "json", "json_schema"] = field(
        default=Factory(lambda it: "json_schema" if it.schema else "text", takes_self=True)
    )
    name: str = "answer"
    strict: bool | None = None
    description: str = ""


class FinishReason(StrEnum):
    """Why generation ended; the provider's own word is kept beside it."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"
    OTHER = "other"


@frozen(kw_only=True)
class Usage:
    """Token counts. Totals include their parts (OpenTelemetry's rule); ``None`` was not reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    raw: Json = field(factory=dict, repr=False)

    @property
    def total_tokens(self) -> int | None:
        """Input and output together, if both are known."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


@frozen(kw_only=True)
class Cost:
    """What a call cost; *source* says who says so. Unknown is not zero."""

    amount: Decimal | None = None
    currency: str = "USD"
    source: Literal["provider", "computed", "unknown"] = "unknown"

    def __str__(self) -> str:
        return "unknown" if self.amount is None else f"{self.amount} {self.currency}"


@frozen(kw_only=True)
class Pricing:
    """Prices in USD per million tokens, with where and when they were read."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    source: str = ""
    as_of: date | None = None

    def cost(self, usage: Usage) -> Cost:
        """The price of *usage*; unknown when its totals were not reported."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return Cost()
        read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        total = max(usage.input_tokens - read - write, 0) * self.input  # some report odd parts
        total += usage.output_tokens * self.output
        total += read * (self.input if self.cache_read is None else self.cache_read)
        total += write * (self.input if self.cache_write is None else self.cache_write)
        return Cost(amount=total / 1_000_000, source="computed")


WarningKind = Literal["unsupported", "clamped", "emulated", "dropped", "budget"]


@frozen
class CallWarning:
    """Something asked for that could not be honoured as asked."""

    kind: WarningKind
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}" + (f": {self.detail}" if self.detail else "")


@frozen(kw_only=True)
class Alternative:
    """A further answer to the same request, where more than one was asked for."""

    message: Message
    finish_reason: FinishReason = FinishReason.OTHER
    raw_finish_reason: str | None = None


@frozen(kw_only=True)
class ChatResponse:
    """One whole answer."""

    id: str = ""
    model: str = ""
    message: Message
    finish_reason: FinishReason = FinishReason.OTHER
    raw_finish_reason: str | None = None
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)

    @property
    def text(self) -> str:
        """The visible text of the answer."""
        return self.message.text

    @property
    def reasoning(self) -> str:
        """The visible thinking before the answer."""
        return self.message.reasoning

    @property
    def refusal(self) -> str | None:
        """The model's words for declining, if the provider keeps them apart."""
        said = [p.text for p in self.message.content if isinstance(p, RefusalPart)]
        return "".join(said) if said else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools the answer asks for."""
        return self.message.tool_calls

    def __str__(self) -> str:
        return self.text


@frozen(kw_only=True)
class EmbeddingResponse:
    """One vector for each input, in the order of the inputs."""

    model: str = ""
    vectors: tuple[tuple[float, ...], ...] = field(repr=lambda v: f"<{len(v)} vectors>")
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class TokenCount:
    """How many tokens a request holds; *estimated* when no tokenizer of the model counted."""

    input_tokens: int
    estimated: bool = False
    warnings: tuple[CallWarning, ...] = ()


@frozen(kw_only=True)
class Capabilities:
    """What a provider or model can do; ``None`` is unknown.

    A provider's were proved by its conformance suite (`jackfield.capabilities`),
    a model's are what its provider says.
    """

    streaming: bool | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    structured_output: bool | None = None
    reasoning: bool | None = None
    prompt_caching: bool | None = None
    vision: bool | None = None
    documents: bool | None = None
    audio_input: bool | None = None
    video_input: bool | None = None
    audio_output: bool | None = None
    image_output: bool | None = None
    embeddings: bool | None = None
    rerank: bool | None = None
    image_generation: bool | None = None
    speech: bool | None = None
    transcription: bool | None = None
    moderation: bool | None = None
    token_counting: bool | None = None
    files: bool | None = None
    batches: bool | None = None
    fine_tuning: bool | None = None


@frozen(kw_only=True)
class ModelInfo:
    """A model as its provider describes it; token limits are counts of tokens."""

    id: str
    display_name: str = ""
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: Capabilities = field(factory=Capabilities)
    pricing: Pricing | None = None
    size_bytes: int | None = None
    provider_metadata: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class ProviderInfo:
    """Who a provider is and what it needs."""

    name: str
    display_name: str
    docs_url: str = ""
    api_key_env: str | None = None
    other_key_envs: tuple[str, ...] = ()
    api_key_required: bool = True
    capabilities: Capabilities = field(factory=Capabilities)
    operations: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Patterns of the names of models that it is known for, ``claude-*``."""
    contract: int = 1

    @property
    def key_variable(self) -> str | None:
        """Where the environment has the key: ``api_key_env``, or one of ``other_key_envs`` in its place."""
        names = (self.api_key_env or "", *self.other_key_envs)
        return next((n for n in names if os.environ.get(n, "").strip()), self.api_key_env)


@frozen
class ConfigIssue:
    """One thing wrong with a configuration: where, what, and how to mend it."""

    path: str
    problem: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" + (f" ({self.fix})" if self.fix else "")
