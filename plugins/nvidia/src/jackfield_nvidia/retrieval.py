"""Embeddings with an input type, and reranking by logits.

Source: https://docs.nvidia.com/nim/nemo-retriever/
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from attrs import evolve
from msgspec import Struct

from jackfield import EmbeddingRequest, ResponseFormatError
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.operations import RankedDocument, RerankRequest, RerankResponse
from jackfield_dialect_openai import EXCHANGES

INPUT_TYPES = {"query": "query", "document": "passage"}

_PLAIN: Any = EXCHANGES[EmbeddingRequest]


def build_embeddings(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST /embeddings; models that find documents want to know which side a text is on."""
    wanted = call.request.input_type
    if wanted in INPUT_TYPES:
        call.options = {"input_type": INPUT_TYPES[wanted], **call.options}
        call.request = evolve(call.request, input_type=None)
    built: HTTPRequest = _PLAIN.build(call)
    return built


class Ranked(Struct):
    """A passage's place and logit."""

    index: int
    logit: float


class Ranking(Struct):
    """An answer of ranked passages."""

    rankings: list[Ranked]
    usage: dict[str, Any] | None = None


_RANKING = msgspec.json.Decoder(Ranking)


def build_ranking(call: Call[RerankRequest]) -> HTTPRequest:
    """POST to where reranking is; all passages are ranked, and the best kept here."""
    request = call.request
    body = {
        "model": request.model,
        "query": {"text": request.query},
        "passages": [{"text": d} for d in request.documents],
    }
    # In the hosted addresses a model's name has no dots: nvidia/llama-3_2-nv-rerankqa-1b-v2.
    name = quote(request.model.replace(".", "_"), safe="/")
    return json_request(call.config.rerank_url.replace("{model}", name), {**body, **call.options})


def parse_ranking(call: Call[RerankRequest], response: HTTPResponse) -> RerankResponse:
    """The passages, the best first; scores are logits."""
    answer, documents = decode(_RANKING, response.body), call.request.documents
    if any(not 0 <= r.index < len(documents) for r in answer.rankings):
        raise ResponseFormatError("a ranking of no passage (at $.rankings)")
    ranked = sorted(answer.rankings, key=lambda r: -r.logit)[: call.request.top_n]
    return RerankResponse(
        model=call.request.model,
        results=tuple(
            RankedDocument(index=r.index, score=r.logit, document=documents[r.index])
            for r in ranked
        ),
    )


EMBEDDINGS: Exchange[Any, Any] = Exchange(build=build_embeddings, parse=_PLAIN.parse)
RANKING: Exchange[Any, Any] = Exchange(build=build_ranking, parse=parse_ranking)
