"""The attributes of a call, by the names of the GenAI conventions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from jackfield import (
    ChatRequest,
    ChatResponse,
    EmbeddingRequest,
    FinishReason,
    LLMError,
    LLMProvider,
    Request,
    StreamInterruptedError,
    Usage,
)

Attributes = dict[str, Any]

PROVIDERS: Mapping[str, str] = {
    "azure": "azure.ai.openai",
    "claude": "anthropic",
    "gemini": "gcp.gemini",
}
"""Our providers that have another name in the conventions; the others go by their own."""

OPERATIONS: Mapping[str, str] = {
    "ChatRequest": "chat",
    "CompletionRequest": "text_completion",
    "EmbeddingRequest": "embeddings",
}
"""The conventions' names of operations; others are named after their request."""

_OUTPUTS: Mapping[str, str] = {"ImageRequest": "image", "SpeechRequest": "speech"}
_PARAMS: Mapping[str, tuple[str, type[Any]]] = {
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "seed": ("gen_ai.request.seed", int),
    "stop": ("gen_ai.request.stop_sequences", list),
    "temperature": ("gen_ai.request.temperature", float),
    "top_k": ("gen_ai.request.top_k", float),
    "top_p": ("gen_ai.request.top_p", float),
}
_USAGE: Mapping[str, str] = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "audio_input_tokens": "gen_ai.usage.audio.input_tokens",
    "audio_output_tokens": "gen_ai.usage.audio.output_tokens",
}


def operation(request: Request[Any]) -> str:
    """The name of what *request* asks for."""
    kind = type(request).__name__
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.removesuffix("Request")).lower()
    return OPERATIONS.get(kind, plain)


def identity(provider: LLMProvider, request: Request[Any]) -> Attributes:
    """What spans and metrics of *request* have in common."""
    kind = provider.info.name
    found: Attributes = {
        "gen_ai.operation.name": operation(request),
        "gen_ai.provider.name": PROVIDERS.get(kind, kind),
    }
    if request.model:
        found["gen_ai.request.model"] = request.model
    if origin := getattr(provider, "origin", None):
        parts = urlsplit(origin)
        if parts.hostname:
            found["server.address"] = parts.hostname
            found["server.port"] = parts.port or (443 if parts.scheme == "https" else 80)
    return found


def asked(provider: LLMProvider, request: Request[Any]) -> Attributes:
    """What the span of a call says of *request*; never its texts."""
    found: Attributes = {"jackfield.instance": provider.name}
    params = getattr(request, "params", None)
    for name, (attribute, kind) in _PARAMS.items():
        value = getattr(params, name, None)
        if value is not None:
            found[attribute] = kind(value)
    if output := _OUTPUTS.get(type(request).__name__):
        found["gen_ai.output.type"] = output
    if isinstance(request, ChatRequest) and (shape := request.response_format):
        found["gen_ai.output.type"] = "text" if shape.type == "text" else "json"
    if isinstance(request, EmbeddingRequest) and request.dimensions is not None:
        found["gen_ai.embeddings.dimension.count"] = request.dimensions
    return found


def answered(result: Any, *, asked_backend: bool) -> Attributes:
    """What the span of a call says of its *result*: tokens and costs only where a backend was asked."""
    found: Attributes = {}
    if model := getattr(result, "model", ""):
        found["gen_ai.response.model"] = model
    if isinstance(result, ChatResponse):
        if result.id:
            found["gen_ai.response.id"] = result.id
        ends = [result, *result.alternatives]
        found["gen_ai.response.finish_reasons"] = [_reason(end) for end in ends]
    usage = getattr(result, "usage", None)
    if asked_backend and isinstance(usage, Usage):
        counts = {attribute: getattr(usage, name) for name, attribute in _USAGE.items()}
        found |= {attribute: count for attribute, count in counts.items() if count is not None}
        cost = getattr(result, "cost", None)
        if cost is not None and cost.amount is not None:
            found["jackfield.cost.amount"] = float(cost.amount)
            found["jackfield.cost.currency"] = cost.currency
    return found


def _reason(end: Any) -> str:
    ours: FinishReason = end.finish_reason
    return end.raw_finish_reason or "other" if ours is FinishReason.OTHER else ours.value


def failed(error: BaseException) -> Attributes:
    """What a span says of *error*: the class, which is one of few."""
    return {"error.type": type(error).__name__}


def partial_result(error: BaseException) -> Any:
    """What had arrived before *error*, if it tells."""
    return error.partial if isinstance(error, StreamInterruptedError) else None


def message(error: BaseException) -> str:
    """*error* in a sentence, masked; of strangers' errors, which are not, the class alone."""
    return error.message if isinstance(error, LLMError) else type(error).__name__
