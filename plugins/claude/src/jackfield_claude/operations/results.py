"""The results of a batch: for each request what a single call gives, or its typed error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from attrs import evolve
from msgspec import Struct

from jackfield import ChatRequest, InvalidRequestError, LLMError, ProviderError
from jackfield.exchange import READ_ERRORS, Call, Exchange, get_request, segment, unreadable
from jackfield.failures import event_error
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.operations import BatchResult, BatchResultsRequest

from ..config import with_headers
from .reading import read


class Line(Struct):
    """One line of the results; the answer's bytes stay as they came."""

    custom_id: str
    result: dict[str, msgspec.Raw]


LINE = msgspec.json.Decoder(Line)
PATH = "/v1/messages/batches"

MAX_RESULTS = 1024 * 1024 * 1024
"""Bytes of the results that are fetched; what is handed in is 256 MB at most."""

USUAL = ChatRequest(model="", messages="?")
"""What is taken to have been asked where the call does not say: in words that nobody reads."""

HTTP_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that a single call's error has. https://docs.claude.com/en/api/errors."""

UNDONE = {
    "canceled": "the batch was cancelled before this request was sent to the model",
    "expired": "the batch expired before this request was sent to the model",
}


def about(call: Call[Any], method: str = "GET", more: str = "") -> HTTPRequest:
    """A request about one batch."""
    path = f"{PATH}/{segment(call.request.job_id)}{more}"
    return with_headers(call, evolve(get_request(path), method=method))


def prepared(call: Call[Any], request: Any) -> tuple[Call[Any], Exchange[Any, Any]]:
    """The call of one *request* of a batch, and its exchange; refused if it is no chat."""
    exchange = None
    if isinstance(request, ChatRequest):
        exchange = call.provider.exchange_for(request)
    if not isinstance(exchange, Exchange):
        message = f"a batch of messages cannot hold a {type(request).__name__}"
        raise InvalidRequestError(message, param="items", phase="build")
    return call.provider.prepare(request), exchange


def results(call: Call[BatchResultsRequest]) -> Flow[Sequence[BatchResult]]:
    """The lines at the ended batch's ``results_url``, which is of the provider's own origin."""
    wire = read(call, (yield from call.provider.fetch(call, about(call))))
    url = wire.get("results_url")
    if not url:
        told = wire.get("processing_status")
        message = f"batch {call.request.job_id} is {told}: its results come when it has ended"
        if told == "ended":
            message = f"batch {call.request.job_id} has ended, and its results are kept no longer"
        raise InvalidRequestError(message, param="job_id", phase="build")
    request = evolve(with_headers(call, get_request(url)), max_body=MAX_RESULTS)
    response = yield from call.provider.fetch(call, request)
    try:
        return list(_results(call, response.body))
    except READ_ERRORS as error:
        raise unreadable(error, response.body) from None


def _results(call: Call[Any], body: bytes) -> Iterator[BatchResult]:
    asked = {item.custom_id: item.request for item in call.request.items}
    for line in body.split(b"\n"):
        if line.strip():
            wire = LINE.decode(line)
            try:
                answer = _answer(call, wire.result, asked.get(wire.custom_id))
            except LLMError as error:
                told = error.add(provider=call.provider.name)
                yield BatchResult(custom_id=wire.custom_id, error=told)
            else:
                yield BatchResult.answered(wire.custom_id, answer, call.provider.batch_share)


def _answer(call: Call[Any], result: Mapping[str, msgspec.Raw], asked: Any) -> Any:
    """The value that a single call gives; its error is raised."""
    if "message" in result:
        of, exchange = prepared(call, USUAL if asked is None else asked)
        if asked is not None:
            exchange.build(of)  # It notes how the answer is to be read.
        return call.provider.read(of, exchange, HTTPResponse(200, {}, bytes(result["message"])))
    kind = msgspec.json.decode(result["type"])
    if "error" in result:
        body = bytes(result["error"])
        failure = msgspec.json.decode(body, type=dict[str, Any])
        status = HTTP_STATUS.get(str((failure.get("error") or failure).get("type")))
        if status is None:
            raise event_error(failure, call.provider.error_codes)
        raise call.provider.make_error(HTTPResponse(status, {}, body))
    message = UNDONE.get(str(kind), f"this request ended as {kind}, without an answer")
    raise ProviderError(message, code=kind, phase="body", maybe_executed=kind not in UNDONE)
