"""Rankings: sentence similarity, and rerank of Text Embeddings Inference.

Source: https://huggingface.co/docs/text-embeddings-inference
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import ResponseFormatError
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.operations import RankedDocument, RerankRequest, RerankResponse
from jackfield_dialect_openai.render import merge

from .reading import read, usage


class Rank(Struct):
    """A text's place and score."""

    index: int
    score: float


_RANKS = msgspec.json.Decoder(list[float | Rank])


def build(call: Call[RerankRequest]) -> HTTPRequest:
    """POST to ``/rerank`` of an endpoint of one's own, else to sentence similarity."""
    request = call.request
    provider: Any = call.provider
    texts = list(request.documents)
    if provider.has_tei:
        body: dict[str, Any] = {"query": request.query, "texts": texts}
    else:
        body = {"inputs": {"source_sentence": request.query, "sentences": texts}}
    url = provider.task_url(request.model, "sentence-similarity", "/rerank")
    return json_request(url, merge(body, call.options))


def parse(call: Call[RerankRequest], response: HTTPResponse) -> RerankResponse:
    """The texts, the best first; all are scored, and the best kept here."""
    found, documents = read(call, _RANKS, response), call.request.documents
    ranks = [Rank(i, r) if isinstance(r, int | float) else r for i, r in enumerate(found)]
    places = {r.index for r in ranks}
    if len(places) != len(ranks) or not places <= set(range(len(documents))):
        raise ResponseFormatError("a score of no document, or two of one (at $)")
    if len(ranks) != len(documents):
        raise ResponseFormatError(f"{len(documents)} documents, but {len(ranks)} scores (at $)")
    ranks.sort(key=lambda r: -r.score)
    return RerankResponse(
        model=call.request.model,
        results=tuple(
            RankedDocument(index=r.index, score=r.score, document=documents[r.index])
            for r in ranks[: call.request.top_n]
        ),
        usage=usage(response.headers),
    )


RANKING: Exchange[Any, Any] = Exchange(build=build, parse=parse)
