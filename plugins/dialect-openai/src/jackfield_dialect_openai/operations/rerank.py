"""Reranking, as vLLM, llama.cpp, Together and OpenRouter have it beside the dialect (after Cohere)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import Cost, ResponseFormatError
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import RankedDocument, RerankRequest, RerankResponse

from ..render import merge
from ..usage import parse_cost, parse_usage
from .reading import read


class Ranked(Struct):
    """A document's place and score."""

    index: int
    relevance_score: float | None = None
    score: float | None = None


class Ranking(Struct):
    """An answer of ranked documents; llama.cpp has called its list ``data`` too."""

    results: list[Ranked] | None = None
    data: list[Ranked] | None = None
    id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None


_RANKING = msgspec.json.Decoder(Ranking)


def build(call: Call[RerankRequest]) -> HTTPRequest:
    """POST /rerank."""
    request = call.request
    documents = list(request.documents)
    body: dict[str, Any] = {"model": request.model, "query": request.query, "documents": documents}
    if request.top_n is not None:
        body["top_n"] = request.top_n
    return json_request("/rerank", merge(body, call.options))


def parse(call: Call[RerankRequest], response: HTTPResponse) -> RerankResponse:
    """The documents, the best first, whatever order the server has them in."""
    answer = read(call, _RANKING, response)
    found = answer.data if answer.results is None else answer.results
    if found is None:
        raise ResponseFormatError("the answer has no results (at $.results)")
    ranked = [_ranked(r, call.request.documents) for r in found]
    ranked.sort(key=lambda r: -r.score)
    return RerankResponse(
        id=answer.id or "",
        model=answer.model or "",
        results=tuple(ranked),
        usage=parse_usage(answer.usage),
        cost=parse_cost(answer.usage) or Cost(),
    )


def _ranked(wire: Ranked, documents: tuple[str, ...]) -> RankedDocument:
    score = wire.score if wire.relevance_score is None else wire.relevance_score
    if score is None or not 0 <= wire.index < len(documents):
        raise ResponseFormatError("a result without a score, or of no document (at $.results)")
    return RankedDocument(index=wire.index, score=score, document=documents[wire.index])


RERANK: Exchanges = {RerankRequest: Exchange(build=build, parse=parse)}
