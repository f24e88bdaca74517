"""Scores of pairs of texts: how well each fits the other, in the order in which they were asked.

Source: vLLM's OpenAPI description, ``/v1/score``
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from attrs import field, frozen
from msgspec import Struct

from jackfield import Cost, Request, ResponseFormatError, Usage
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.types import CallWarning
from jackfield_dialect_openai.operations.reading import read
from jackfield_dialect_openai.render import merge
from jackfield_dialect_openai.usage import parse_usage


@frozen(kw_only=True)
class ScoreResponse:
    """One score for each pair; their scale is the model's own."""

    id: str = ""
    model: str = ""
    scores: tuple[float, ...]
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()


def _texts(texts: str | Iterable[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)


@frozen(kw_only=True)
class ScoreRequest(Request[ScoreResponse]):
    """Ask how well each of *first* fits its counterpart in *second*.

    A single *first* goes with each of *second*; else there are as many of one as of the other.
    """

    first: tuple[str, ...] = field(converter=_texts)
    second: tuple[str, ...] = field(converter=_texts)


class Score(Struct):
    """A pair's place and score."""

    score: float
    index: int


class Scores(Struct):
    """An answer of scores."""

    data: list[Score]
    id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None


_SCORES = msgspec.json.Decoder(Scores)


def build(call: Call[ScoreRequest]) -> HTTPRequest:
    """POST /score."""
    first, second = list(call.request.first), list(call.request.second)
    one = first[0] if len(first) == 1 else first
    body = {"model": call.request.model, "text_1": one, "text_2": second}
    return json_request("/score", merge(body, call.options))


def parse(call: Call[ScoreRequest], response: HTTPResponse) -> ScoreResponse:
    """The scores, in the order of the pairs."""
    answer = read(call, _SCORES, response)
    found = {s.index: s.score for s in answer.data}
    pairs = len(call.request.second)
    if len(answer.data) != pairs or sorted(found) != list(range(pairs)):
        raise ResponseFormatError(f"{pairs} pairs, but other scores (at $.data)")
    return ScoreResponse(
        id=answer.id or "",
        model=answer.model or "",
        scores=tuple(found[at] for at in range(pairs)),
        usage=parse_usage(answer.usage),
    )


SCORING: Exchanges = {ScoreRequest: Exchange(build=build, parse=parse)}
