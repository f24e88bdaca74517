"""Ranking: whether a model can, and from an engine's scores to the documents, the best first."""

from __future__ import annotations

from attrs import evolve

from jackfield import Usage
from jackfield.operations import RankedDocument, RerankRequest, RerankResponse

from .engine import Scores
from .errors import EngineError
from .fields import check_texts
from .gguf import Header
from .options import RANK, LoadOptions


def ranking_options(request: RerankRequest, header: Header, options: LoadOptions) -> LoadOptions:
    """*options* for a model that shall answer *request*.

    Raises:
        EngineError: the model has no head for it, or there is nothing to rank.
    """
    if not header.ranks:
        problem = f"{request.model} cannot rank: its file has no head that scores (rerank)"
        raise EngineError("unsupported_operation", f"{problem}; take a model made for reranking")
    if request.top_n is not None and request.top_n < 1:
        raise EngineError("invalid_request", f"top_n is {request.top_n}; ask for one at least")
    if not request.documents:
        raise EngineError("invalid_request", "there are no documents to rank")
    check_texts((request.query, *request.documents))
    return evolve(options, pooling=RANK)


def ranked(request: RerankRequest, model: str, made: Scores) -> RerankResponse:
    """The documents of *request*, the best first."""
    documents = [
        RankedDocument(index=at, score=score, document=request.documents[at])
        for at, score in enumerate(made.scores)
    ]
    documents.sort(key=lambda document: -document.score)
    return RerankResponse(
        model=model,
        results=tuple(documents[: request.top_n]),
        usage=Usage(input_tokens=made.tokens, output_tokens=0),
    )
