"""Embeddings, of one text or of several at once. https://ai.google.dev/api/embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import evolve
from msgspec import Struct

from jackfield import EmbeddingRequest, EmbeddingResponse, ResponseFormatError
from jackfield.exchange import Call, Exchange, Procedure, decode, json_request
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges

from ..config import merge, path, resource
from ..usage import add, parse_usage

MOST = 100
"""Texts in one request: the service refuses more.

Source: https://ai.google.dev/gemini-api/docs/embeddings; it says so itself, too: "at most 100
requests can be in one batch".
"""

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


def each(call: Call[EmbeddingRequest]) -> list[dict[str, Any]]:
    """What is asked for each text."""
    request = call.request
    about: dict[str, Any] = {"model": resource(request.model, "models")}
    if request.input_type is not None:
        about["taskType"] = TASKS.get(request.input_type, request.input_type)
    if request.dimensions is not None:
        about["outputDimensionality"] = request.dimensions
    about = merge(about, call.options)
    return [{**about, "content": {"parts": [{"text": text}]}} for text in request.inputs]


def build(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST :embedContent for one text, :batchEmbedContents for several."""
    asked, model = each(call), call.request.model
    if len(asked) == 1:
        return json_request(path(model, verb=":embedContent"), asked[0])
    return json_request(path(model, verb=":batchEmbedContents"), {"requests": asked})


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


EMBED: Exchange[EmbeddingRequest, EmbeddingResponse] = Exchange(build=build, parse=parse)


def perform(call: Call[EmbeddingRequest]) -> Flow[EmbeddingResponse]:
    """The vectors of more texts than one request takes: asked for in turn, told as one answer."""
    texts, found = call.request.inputs, list[EmbeddingResponse]()
    for at in range(0, len(texts), MOST):
        part = evolve(call, request=evolve(call.request, inputs=texts[at : at + MOST]))
        response = yield from call.provider.fetch(part, build(part))
        found.append(call.provider.read(part, EMBED, response))
    return EmbeddingResponse(
        model=call.request.model,
        vectors=tuple(vector for answer in found for vector in answer.vectors),
        usage=add(answer.usage for answer in found),
    )


EMBED_MANY: Procedure[EmbeddingRequest, EmbeddingResponse] = Procedure(perform)

EMBEDDINGS: Exchanges = {EmbeddingRequest: EMBED}
