"""The dialect's embeddings and model lists."""

from __future__ import annotations

from array import array
from base64 import b64decode
from collections.abc import Mapping, Sequence
from sys import byteorder
from typing import Any

from jackfield import EmbeddingResponse, ModelInfo, ResponseFormatError
from jackfield.exchange import Call, decode
from jackfield.flow import HTTPResponse

from .parse import count, parse_cost, parse_usage
from .wire import ANY_OBJECT, EMBEDDINGS, MODELS, Models

_WINDOWS = ("context_length", "context_window", "max_context_length", "max_model_len")
_OUTPUTS = ("max_output_tokens", "max_completion_tokens")


def parse_embeddings(call: Call[Any], response: HTTPResponse) -> EmbeddingResponse:
    """Vectors in the order of the inputs."""
    answer = decode(EMBEDDINGS, response.body)
    numbered = [(i if e.index is None else e.index, e) for i, e in enumerate(answer.data)]
    if len(numbered) != len(call.request.inputs):
        message = f"{len(call.request.inputs)} inputs, but {len(numbered)} vectors (at $.data)"
        raise ResponseFormatError(message)
    numbered.sort(key=lambda pair: pair[0])
    cost = parse_cost(answer.usage)
    return EmbeddingResponse(
        model=answer.model or "",
        vectors=tuple(_vector(e.embedding) for _, e in numbered),
        usage=parse_usage(answer.usage),
        **({} if cost is None else {"cost": cost}),
    )


def _vector(wire: str | list[Any]) -> tuple[float, ...]:
    if isinstance(wire, str):
        floats = array("f", b64decode(wire, validate=True))
        if byteorder == "big":
            floats.byteswap()
        return tuple(floats)
    if wire and isinstance(wire[0], list):
        if len(wire) != 1:
            raise ResponseFormatError("one vector a token: the server does not pool (at $.data)")
        return tuple(wire[0])
    return tuple(wire)


def parse_models(call: Call[Any], response: HTTPResponse) -> Sequence[ModelInfo]:
    """The models of a list."""
    answer = decode(MODELS, response.body)
    provider: Any = call.provider
    return [provider.parse_model(m) for m in (answer.data if isinstance(answer, Models) else answer)]


def parse_model_info(call: Call[Any], response: HTTPResponse) -> ModelInfo:
    """One model."""
    provider: Any = call.provider
    found: ModelInfo = provider.parse_model(decode(ANY_OBJECT, response.body))
    return found


def parse_model(wire: Mapping[str, Any], name: str) -> ModelInfo:
    """A model as any server of the dialect describes it; *name* is the provider's."""
    windows = (count(wire.get(key)) for key in _WINDOWS)
    outputs = (count(wire.get(key)) for key in _OUTPUTS)
    return ModelInfo(
        id=wire["id"],
        display_name=str(wire.get("name") or wire.get("display_name") or ""),
        context_window=next((w for w in windows if w), None),
        max_output_tokens=next((o for o in outputs if o), None),
        provider_metadata={name: wire},
    )
