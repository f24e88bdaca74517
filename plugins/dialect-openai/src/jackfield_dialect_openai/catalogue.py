"""The dialect's embeddings and model lists."""

from __future__ import annotations

from array import array
from base64 import b64decode
from collections.abc import Mapping, Sequence
from sys import byteorder
from typing import Any, TypeVar

import msgspec

from jackfield import Cost, EmbeddingResponse, ModelInfo, ResponseFormatError
from jackfield.exchange import Call, decode
from jackfield.failures import event_error, parse_failure
from jackfield.flow import HTTPResponse

from .usage import count, parse_cost, parse_usage
from .wire import ANY, ANY_OBJECT, EMBEDDINGS, MODELS, Models

S = TypeVar("S")

_WINDOWS = ("context_length", "context_window", "max_context_length", "max_model_len")
_OUTPUTS = ("max_output_tokens", "max_completion_tokens")


def _read(call: Call[Any], decoder: msgspec.json.Decoder[S], response: HTTPResponse) -> S:
    """The decoded body, unless it is an error's although the status was a success."""
    try:
        return decode(decoder, response.body)
    except ResponseFormatError:
        plain = decode(ANY, response.body)
        if isinstance(plain, Mapping) and parse_failure(plain).message:
            raise event_error(plain, call.provider.error_codes) from None
        raise


def parse_embeddings(call: Call[Any], response: HTTPResponse) -> EmbeddingResponse:
    """Vectors in the order of the inputs."""
    answer = _read(call, EMBEDDINGS, response)
    numbered = [(i if e.index is None else e.index, e) for i, e in enumerate(answer.data)]
    if len(numbered) != len(call.request.inputs):
        message = f"{len(call.request.inputs)} inputs, but {len(numbered)} vectors (at $.data)"
        raise ResponseFormatError(message)
    numbered.sort(key=lambda pair: pair[0])
    return EmbeddingResponse(
        model=answer.model or "",
        vectors=tuple(_vector(e.embedding) for _, e in numbered),
        usage=parse_usage(answer.usage),
        cost=parse_cost(answer.usage) or Cost(),
    )


def _vector(wire: str | list[Any]) -> tuple[float, ...]:
    if isinstance(wire, str):
        floats = array("f", b64decode(wire, validate=True))
        if byteorder == "big":
            floats.byteswap()
        return tuple(floats)
    if any(isinstance(x, list) for x in wire):
        if len(wire) != 1:
            raise ResponseFormatError("one vector a token: the server does not pool (at $.data)")
        return tuple(wire[0])
    return tuple(wire)


def parse_models(call: Call[Any], response: HTTPResponse) -> Sequence[ModelInfo]:
    """The models of a list."""
    answer = _read(call, MODELS, response)
    provider: Any = call.provider
    listed = answer.data if isinstance(answer, Models) else answer
    return [provider.parse_model(m) for m in listed or ()]


def parse_model_info(call: Call[Any], response: HTTPResponse) -> ModelInfo:
    """One model."""
    provider: Any = call.provider
    wire = _read(call, ANY_OBJECT, response)
    if "id" not in wire and parse_failure(wire).message:
        raise event_error(wire, provider.error_codes)
    found: ModelInfo = provider.parse_model(wire)
    return found


def parse_model(wire: Mapping[str, Any], name: str) -> ModelInfo:
    """A model as any server of the dialect describes it; *name* is the provider's."""
    windows = (count(wire.get(key)) for key in _WINDOWS)
    best = wire.get("top_provider")  # OpenRouter's
    places = (wire, best) if isinstance(best, Mapping) else (wire,)
    outputs = (count(place.get(key)) for place in places for key in _OUTPUTS)
    return ModelInfo(
        id=wire["name" if wire.get("id") is None and "name" in wire else "id"],
        display_name=str(wire.get("name") or wire.get("display_name") or ""),
        context_window=next((w for w in windows if w), None),
        max_output_tokens=next((o for o in outputs if o), None),
        provider_metadata={name: wire},
    )
