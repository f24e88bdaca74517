"""Infinity for Jackfield: embeddings, reranking and classification on a server of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import msgspec
from attrs import field, frozen
from jackfield import (
    CallWarning,
    Capabilities,
    EmbeddingRequest,
    EmbeddingResponse,
    HTTPConfig,
    HTTPProvider,
    ModelInfo,
    ModelListRequest,
    ProviderInfo,
    Request,
    ResponseFormatError,
    Usage,
)
from jackfield.exchange import Call, Exchange, decode, get_request, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import RankedDocument, RerankRequest, RerankResponse
from msgspec import Struct

# Classification is no operation of the core: the request and what comes of it are ours.


@frozen(kw_only=True)
class ClassifyResponse:
    """For each text its labels and their scores, the best first."""

    model: str = ""
    labels: tuple[tuple[tuple[str, float], ...], ...]
    usage: Usage = field(factory=Usage)
    warnings: tuple[CallWarning, ...] = ()


def _texts(texts: str | Iterable[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)


@frozen(kw_only=True)
class ClassifyRequest(Request[ClassifyResponse]):
    """Ask which labels fit each of *inputs*; *raw_scores* are not squeezed between 0 and 1."""

    inputs: tuple[str, ...] = field(converter=_texts)
    raw_scores: bool = False


# What is read of answers.


class Counts(Struct):
    """How many tokens a call took."""

    prompt_tokens: int


class Vector(Struct):
    """The vector of one input; a server that does not pool sends one for each token."""

    index: int
    embedding: list[float | list[float]]


class Vectors(Struct):
    """An answer of vectors."""

    data: list[Vector]
    model: str
    usage: Counts


class Ranked(Struct):
    """A document's score."""

    index: int
    relevance_score: float


class Ranking(Struct):
    """An answer of scores."""

    results: list[Ranked]
    model: str
    usage: Counts
    id: str = ""


class Label(Struct):
    """A label and its score."""

    label: str
    score: float


class Labels(Struct):
    """An answer of labels, a list for each input."""

    data: list[list[Label]]
    model: str
    usage: Counts


class Served(Struct):
    """A model of the list."""

    id: str
    capabilities: list[str] = []
    backend: str = ""


class Models(Struct):
    """The list of models."""

    data: list[Served]


VECTORS = msgspec.json.Decoder(Vectors)
RANKING = msgspec.json.Decoder(Ranking)
LABELS = msgspec.json.Decoder(Labels)
MODELS = msgspec.json.Decoder(Models)


# Embeddings.


def build_embeddings(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST /embeddings."""
    request = call.request
    if request.input_type is not None:
        call.warn("unsupported", "input_type", "the server makes no difference")
    body: dict[str, Any] = {"model": request.model, "input": list(request.inputs)}
    body["modality"] = "text"
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return json_request("/embeddings", {**body, **call.options, "encoding_format": "float"})


def parse_embeddings(call: Call[EmbeddingRequest], response: HTTPResponse) -> EmbeddingResponse:
    """Vectors in the order of the inputs."""
    answer = decode(VECTORS, response.body)
    found = {one.index: one.embedding for one in answer.data}
    asked = len(call.request.inputs)
    if len(answer.data) != asked or sorted(found) != list(range(asked)):
        raise ResponseFormatError(f"{asked} inputs, but other vectors (at $.data)")
    return EmbeddingResponse(
        model=answer.model,
        vectors=tuple(_pooled(found[at]) for at in range(asked)),
        usage=Usage(input_tokens=answer.usage.prompt_tokens),
    )


def _pooled(vector: list[float | list[float]]) -> tuple[float, ...]:
    numbers = [x for x in vector if not isinstance(x, list)]
    if len(numbers) != len(vector):
        raise ResponseFormatError("one vector a token: the model does not pool (at $.data)")
    return tuple(numbers)


# Reranking.


def build_rerank(call: Call[RerankRequest]) -> HTTPRequest:
    """POST /rerank."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "query": request.query}
    body["documents"] = list(request.documents)
    if request.top_n is not None:
        body["top_n"] = request.top_n
    return json_request("/rerank", {**body, **call.options})


def parse_rerank(call: Call[RerankRequest], response: HTTPResponse) -> RerankResponse:
    """The documents, the best first."""
    answer, documents = decode(RANKING, response.body), call.request.documents
    if any(not 0 <= one.index < len(documents) for one in answer.results):
        raise ResponseFormatError("a document that was not asked about (at $.results)")
    best = sorted(answer.results, key=lambda one: -one.relevance_score)
    return RerankResponse(
        id=answer.id,
        model=answer.model,
        results=tuple(
            RankedDocument(
                index=one.index, score=one.relevance_score, document=documents[one.index]
            )
            for one in best
        ),
        usage=Usage(input_tokens=answer.usage.prompt_tokens),
    )


# Classification.


def build_classify(call: Call[ClassifyRequest]) -> HTTPRequest:
    """POST /classify."""
    request = call.request
    body = {"model": request.model, "input": list(request.inputs), "raw_scores": request.raw_scores}
    return json_request("/classify", {**body, **call.options})


def parse_classify(call: Call[ClassifyRequest], response: HTTPResponse) -> ClassifyResponse:
    """Labels in the order of the inputs."""
    answer = decode(LABELS, response.body)
    if len(answer.data) != len(call.request.inputs):
        raise ResponseFormatError(
            f"{len(call.request.inputs)} inputs, but other labels (at $.data)"
        )
    return ClassifyResponse(
        model=answer.model,
        labels=tuple(
            tuple((one.label, one.score) for one in sorted(labels, key=lambda one: -one.score))
            for labels in answer.data
        ),
        usage=Usage(input_tokens=answer.usage.prompt_tokens),
    )


# The models that the server was started with.


def build_models(call: Call[ModelListRequest]) -> HTTPRequest:
    """GET /models."""
    return get_request("/models")


def parse_models(call: Call[ModelListRequest], response: HTTPResponse) -> Sequence[ModelInfo]:
    """The models, and what each is for."""
    return [
        ModelInfo(
            id=served.id,
            capabilities=Capabilities(
                embeddings="embed" in served.capabilities, rerank="rerank" in served.capabilities
            ),
            provider_metadata={"infinity": msgspec.to_builtins(served)},
        )
        for served in decode(MODELS, response.body).data
    ]


@frozen(kw_only=True)
class InfinityConfig(HTTPConfig):
    """Where the server is; *api_key* is what it was started with, if it was."""

    base_url: str = "http://localhost:7997"


class InfinityProvider(HTTPProvider):
    """Infinity. https://michaelfeil.github.io/infinity."""

    info = ProviderInfo(
        name="infinity",
        display_name="Infinity",
        docs_url="https://michaelfeil.github.io/infinity",
        api_key_env="INFINITY_API_KEY",
        api_key_required=False,
    )
    Config = InfinityConfig
    exchanges: ClassVar[Exchanges] = {
        EmbeddingRequest: Exchange(build=build_embeddings, parse=parse_embeddings),
        RerankRequest: Exchange(build=build_rerank, parse=parse_rerank),
        ClassifyRequest: Exchange(build=build_classify, parse=parse_classify),
        ModelListRequest: Exchange(build=build_models, parse=parse_models),
    }
