"""Reranking: documents in the order in which they answer a query."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from ..requests import Request
from ..types import CallWarning, Cost, Json, Usage


@frozen(kw_only=True)
class RankedDocument:
    """A document's place in the request's *documents*, and how well it answers the query.

    Scores compare documents of one answer; their scale is the model's own.
    *document* is its text, as it was sent.
    """

    index: int
    score: float
    document: str = field(default="", repr=lambda d: f"<{len(d)} characters>")


@frozen(kw_only=True)
class RerankResponse:
    """The ranked documents, the best first."""

    id: str = ""
    model: str = ""
    results: tuple[RankedDocument, ...]
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)


def _texts(documents: Iterable[str]) -> tuple[str, ...]:
    return tuple(documents)


@frozen(kw_only=True)
class RerankRequest(Request[RerankResponse]):
    """Ask how well each of *documents* answers *query*; *top_n* keeps the best ones only."""

    query: str
    documents: tuple[str, ...] = field(converter=_texts)
    top_n: int | None = None
