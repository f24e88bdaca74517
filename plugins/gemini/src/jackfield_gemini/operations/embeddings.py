"""Embeddings, of one text or of several at once. https://ai.google.dev/api/embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from jackfield import EmbeddingRequest, EmbeddingResponse, ResponseFormatError
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges

from ..config import merge, path, resource
from ..usage import parse_usage

TASKS: Mapping[str, str] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


class Vector(Struct):
    """One embedding."""

    values: list[float]


class Embedded(Struct, rename="camel"):
    """The answer to one text or to several."""

    embedding: Vector | None = None
    embeddings: list[Vector] | None = None
    usage_metadata: dict[str, Any] | None = None


EMBEDDED = msgspec.json.Decoder(Embedded)


def build(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST :embedContent for one text, :batchEmbedContents for several."""
    request = call.request
    about: dict[str, Any] = {"model": resource(request.model, "models")}
    if request.input_type is not None:
        about["taskType"] = TASKS.get(request.input_type, request.input_type)
    if request.dimensions is not None:
        about["outputDimensionality"] = request.dimensions
    about = merge(about, call.options)
    asked = [{**about, "content": {"parts": [{"text": text}]}} for text in request.inputs]
    if len(asked) == 1:
        return json_request(path(request.model, verb=":embedContent"), asked[0])
    return json_request(path(request.model, verb=":batchEmbedContents"), {"requests": asked})


def parse(call: Call[EmbeddingRequest], response: HTTPResponse) -> EmbeddingResponse:
    """The vectors, in the order of the texts.

    Raises:
        ResponseFormatError: there are more or fewer of them than of texts.
    """
    wire = decode(EMBEDDED, response.body)
    found = wire.embeddings if wire.embedding is None else [wire.embedding]
    wanted = len(call.request.inputs)
    if found is None or len(found) != wanted:
        message = f"{len(found or ())} vectors came for {wanted} texts (at $.embeddings)"
        raise ResponseFormatError(message)
    return EmbeddingResponse(
        model=call.request.model,
        vectors=tuple(tuple(v.values) for v in found),
        usage=parse_usage(wire.usage_metadata),
    )


EMBEDDINGS: Exchanges = {EmbeddingRequest: Exchange(build=build, parse=parse)}
