"""Embeddings: feature extraction, pooled or not, and the routes of Text Embeddings Inference.

Source: https://huggingface.co/docs/inference-providers/tasks/feature-extraction
"""

from __future__ import annotations

from typing import Any

import msgspec

from jackfield import EmbeddingRequest, EmbeddingResponse, ResponseFormatError
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield_dialect_openai.render import merge

from .reading import read, usage

Nested = list[float | list[float | list[float | list[float]]]]
_NUMBERS = msgspec.json.Decoder(Nested)


def build(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST the texts to feature extraction, or to ``/embed`` of an endpoint of one's own."""
    request, provider = call.request, call.provider
    embed: Any = provider
    body: dict[str, Any] = {"inputs": list(request.inputs)}
    if request.input_type is not None:
        fix = "prompt_name among provider_options names one of the model's own prompts"
        call.warn("unsupported", "input_type", fix)
    if request.dimensions is not None:
        if embed.has_tei:
            body["dimensions"] = request.dimensions
        else:
            call.warn("unsupported", "dimensions", "feature extraction has the model's own")
    url = embed.task_url(request.model, "feature-extraction", "/embed")
    return json_request(url, merge(body, call.options))


def parse(call: Call[EmbeddingRequest], response: HTTPResponse) -> EmbeddingResponse:
    """One vector a text; where a model gives one a token, their mean, with a warning.

    Raises:
        ResponseFormatError: not as many as texts, or of no one shape; one a token, although
            the call is strict.
    """
    rows: list[Any] = read(call, _NUMBERS, response)
    count = len(call.request.inputs)
    if count == 1 and (len(rows) != 1 or not isinstance(rows[0], list)):
        rows = [rows]  # one text may be answered without a list around its vector
    if len(rows) != count:
        raise ResponseFormatError(f"{count} inputs, but {len(rows)} vectors (at $)")
    return EmbeddingResponse(
        model=call.request.model,
        vectors=tuple(_vector(call, row) for row in rows),
        usage=usage(response.headers),
    )


def _vector(call: Call[Any], row: Any) -> tuple[float, ...]:
    if isinstance(row, list) and row and not any(isinstance(x, list) for x in row):
        return tuple(row)
    if not isinstance(row, list) or not row or not all(isinstance(x, list) for x in row):
        raise ResponseFormatError("a vector that is none (at $)")
    if len(row) == 1:
        return _vector(call, row[0])
    tokens = [_vector(call, token) for token in row]
    if len({len(token) for token in tokens}) > 1:
        raise ResponseFormatError("the tokens of a text have vectors of different lengths (at $)")
    detail = "the model does not pool: a vector is the mean of its tokens'"
    strict = call.config.strict if call.request.strict is None else call.request.strict
    if strict:
        raise ResponseFormatError(f"one vector a token: {detail} unless strict")
    call.warn("emulated", "embeddings", detail)
    return tuple(sum(column) / len(tokens) for column in zip(*tokens, strict=True))


EMBEDDINGS: Exchange[Any, Any] = Exchange(build=build, parse=parse)
