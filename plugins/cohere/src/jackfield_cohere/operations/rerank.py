"""Reranking. https://docs.cohere.com/reference/rerank."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import ResponseFormatError
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import RankedDocument, RerankRequest, RerankResponse

from ..chat import merge
from ..config import version
from ..usage import parse_usage


class Ranked(Struct):
    """A document's place and score."""

    index: int
    relevance_score: float


class Ranking(Struct):
    """An answer of ranked documents."""

    results: list[Ranked]
    id: str | None = None
    meta: dict[str, Any] | None = None


_RANKING = msgspec.json.Decoder(Ranking)


def build(call: Call[RerankRequest]) -> HTTPRequest:
    """POST /v2/rerank."""
    request = call.request
    documents = list(request.documents)
    body: dict[str, Any] = {"model": request.model, "query": request.query, "documents": documents}
    if request.top_n is not None:
        body["top_n"] = request.top_n
    # The caller's documents replace ours: version 1 takes objects, too.
    own = {key: value for key, value in call.options.items() if key != "documents"}
    body["documents"] = call.options.get("documents", documents)
    return json_request(f"/{version(call)}/rerank", merge(body, own))


def parse(call: Call[RerankRequest], response: HTTPResponse) -> RerankResponse:
    """The documents, the best first; what is billed (``search_units``) is in the usage's ``raw``."""
    answer = decode(_RANKING, response.body)
    ranked = [_ranked(found, call.request.documents) for found in answer.results]
    ranked.sort(key=lambda found: -found.score)
    about = {} if answer.meta is None else {call.provider.info.name: {"meta": answer.meta}}
    return RerankResponse(
        id=answer.id or "",
        results=tuple(ranked),
        usage=parse_usage(answer.meta),
        provider_metadata=about,
    )


def _ranked(wire: Ranked, documents: tuple[str, ...]) -> RankedDocument:
    if not 0 <= wire.index < len(documents):
        raise ResponseFormatError("a result of no document (at $.results)")
    return RankedDocument(
        index=wire.index, score=wire.relevance_score, document=documents[wire.index]
    )


RERANK: Exchanges = {RerankRequest: Exchange(build=build, parse=parse)}
