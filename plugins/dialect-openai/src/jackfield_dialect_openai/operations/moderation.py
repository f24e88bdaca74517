"""Moderation. https://platform.openai.com/docs/api-reference/moderations."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import MediaPart
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import ModerationRequest, ModerationResponse, ModerationResult

from ..render import data_url, merge
from ..usage import parse_usage
from .reading import read


class Verdict(Struct):
    """The verdict on one input."""

    flagged: bool | None = None
    categories: dict[str, Any] | None = None
    category_scores: dict[str, Any] | None = None
    category_applied_input_types: Any = None


class Verdicts(Struct):
    """An answer of verdicts."""

    results: list[Verdict]
    id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None


_VERDICTS = msgspec.json.Decoder(Verdicts)


def build(call: Call[ModerationRequest]) -> HTTPRequest:
    """POST /moderations; with images, text and images are one input."""
    request = call.request
    given: Any = list(request.inputs)
    if any(isinstance(i, MediaPart) for i in given):
        given = [
            {"type": "image_url", "image_url": {"url": data_url(i)}}
            if isinstance(i, MediaPart)
            else {"type": "text", "text": i}
            for i in given
        ]
    elif len(given) == 1:
        given = given[0]
    body: dict[str, Any] = {"input": given}
    if request.model:
        body["model"] = request.model
    return json_request("/moderations", merge(body, call.options))


def parse(call: Call[ModerationRequest], response: HTTPResponse) -> ModerationResponse:
    """One verdict for each input."""
    answer = read(call, _VERDICTS, response)
    return ModerationResponse(
        id=answer.id or "",
        model=answer.model or "",
        results=tuple(_verdict(v) for v in answer.results),
        usage=parse_usage(answer.usage),
    )


def _verdict(wire: Verdict) -> ModerationResult:
    told, scored = wire.categories or {}, wire.category_scores or {}
    categories = {name: v for name, v in told.items() if isinstance(v, bool)}
    scores = {name: float(v) for name, v in scored.items() if isinstance(v, int | float)}
    flagged = any(categories.values()) if wire.flagged is None else wire.flagged
    return ModerationResult(flagged=flagged, categories=categories, scores=scores)


MODERATION: Exchanges = {ModerationRequest: Exchange(build=build, parse=parse)}
