"""The results of a batch: for each request what a single call gives, or its typed error.

Source: https://ai.google.dev/gemini-api/docs/batch-api#retrieve-results
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    InvalidRequestError,
    LLMError,
    Request,
    ResponseFormatError,
)
from jackfield.exchange import READ_ERRORS, Call, Procedure, decode, get_request, unreadable
from jackfield.flow import Flow, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import BatchJob, BatchResult, BatchResultsRequest, JobStatus

from ..config import path
from ..wire import OBJECT
from .batches import checked
from .files import content

RPC = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
"""What the numbers mean that an error inside of a batch has for a code.

Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""


def results(call: Call[BatchResultsRequest]) -> Flow[Sequence[BatchResult]]:
    """The answers, which stand in the batch or in a file of JSON lines.

    Raises:
        InvalidRequestError: the batch has not ended.
        LLMError: it failed as a whole, and nothing came of it; the typed error says why.
        ResponseFormatError: it succeeded, and does not say with what.
    """
    provider: Any = call.provider
    response = yield from provider.fetch(call, get_request(path(call.request.job_id, "batches")))
    job, wire = checked(call, response), decode(OBJECT, response.body)
    if not job.status.ended:
        message = f"batch {job.id} is {job.raw_status}: its results come when it has ended"
        raise InvalidRequestError(message, param="job_id", phase="build")
    try:
        output = _output(wire)
        if output.get("responsesFile"):
            response = yield from provider.fetch(call, content(output["responsesFile"]))
            lines = (line for line in response.body.splitlines() if line.strip())
            told = [msgspec.json.decode(line) for line in lines]
        else:
            told = output.get("inlinedResponses", {}).get("inlinedResponses", ())
        found = list(_results(call, job, told))
    except READ_ERRORS as error:
        raise unreadable(error, response.body) from None
    if not found and wire.get("error"):
        raise _failure(provider, wire["error"])
    if not found and job.status is JobStatus.SUCCEEDED:
        raise ResponseFormatError(f"batch {job.id} succeeded, and has no results (at $.response)")
    return found


def _output(wire: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where results stand: in the operation's answer, or in the batch itself."""
    for place in (wire.get("response") or {}, wire.get("metadata") or wire):
        output: Mapping[str, Any] = place.get("output") or place
        if output.get("responsesFile") or output.get("inlinedResponses"):
            return output
    return {}


def _results(
    call: Call[BatchResultsRequest], job: BatchJob, told: Sequence[Mapping[str, Any]]
) -> Iterator[BatchResult]:
    """They come in the order of the requests, some without a name."""
    items = call.request.items
    asked = {item.custom_id: item.request for item in items}
    for at, wire in enumerate(told):
        usual = items[at].custom_id if at < len(items) else f"request-{at}"
        name = str(wire.get("key") or (wire.get("metadata") or {}).get("key") or usual)
        yield _result(call, name, wire, asked.get(name) or _asked(job.model, wire))


def _asked(model: str, wire: Mapping[str, Any]) -> Request[Any]:
    """What is taken to have been asked where the call does not say: the answer tells its kind."""
    if "embedding" in (wire.get("response") or {}):
        return EmbeddingRequest(model=model, inputs="")
    return ChatRequest(model=model, messages="?")


def _result(
    call: Call[Any], name: str, wire: Mapping[str, Any], request: Request[Any]
) -> BatchResult:
    provider: Any = call.provider
    try:
        if wire.get("error") or not wire.get("response"):
            raise _failure(provider, wire.get("error") or {})
        exchange: Any = provider.exchange_for(request)
        response = HTTPResponse(200, {}, msgspec.json.encode(wire["response"]))
        answer = provider.read(provider.prepare(request), exchange, response)
        return BatchResult.answered(name, answer, provider.batch_share)
    except LLMError as error:
        return BatchResult(custom_id=name, error=error.add(provider=provider.name))


def _failure(provider: Any, error: Mapping[str, Any]) -> LLMError:
    """The typed error; a number that is no HTTP status is told by its word."""
    code = error.get("code")
    told = isinstance(code, int) and 0 <= code < len(RPC) and "status" not in error
    failure: LLMError = provider.stream_failure(
        {"error": {**error, "status": RPC[code]} if told else error}  # type: ignore[index]  # an int, just checked
    )
    return failure


RESULTS: Exchanges = {BatchResultsRequest: Procedure(perform=results)}
