"""Batches: requests worked off within a day. https://ai.google.dev/gemini-api/docs/batch-api."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from jackfield import ChatRequest, InvalidRequestError, LLMError
from jackfield.exchange import (
    READ_ERRORS,
    Call,
    Exchange,
    Procedure,
    decode,
    get_request,
    json_request,
    unreadable,
)
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import (
    BatchCancelRequest,
    BatchCreateRequest,
    BatchDeleteRequest,
    BatchInfoRequest,
    BatchItem,
    BatchJob,
    BatchListRequest,
    BatchResult,
    BatchResultsRequest,
    JobStatus,
)

from ..chat import render_body
from ..config import merge, path
from ..usage import count
from ..wire import OBJECT
from .files import content
from .pages import pages, when

STATUSES: Mapping[str, JobStatus] = {
    "PENDING": JobStatus.PENDING,
    "RUNNING": JobStatus.RUNNING,
    "SUCCEEDED": JobStatus.SUCCEEDED,
    "FAILED": JobStatus.FAILED,
    "CANCELLED": JobStatus.CANCELLED,
    "EXPIRED": JobStatus.EXPIRED,
}
"""Each after ``BATCH_STATE_``, or ``JOB_STATE_`` as another release of the API says."""


def batch_job(wire: Mapping[str, Any], name: str) -> BatchJob:
    """A batch as the service describes it: an operation with the batch in its metadata."""
    about = wire.get("metadata") or wire
    stats, state = about.get("batchStats") or {}, about.get("state")
    failure = wire.get("error") or {}
    return BatchJob(
        id=wire["name"],
        status=STATUSES.get((state or "").rpartition("STATE_")[2], JobStatus.OTHER),
        raw_status=state,
        model=(about.get("model") or "").removeprefix("models/"),
        created_at=when(about.get("createTime")),
        ended_at=when(about.get("endTime")),
        error=failure.get("message"),
        total=count(stats.get("requestCount")),
        succeeded=count(stats.get("successfulRequestCount")),
        failed=count(stats.get("failedRequestCount")),
        provider_metadata={name: wire},
    )


def _parse(call: Call[Any], response: HTTPResponse) -> BatchJob:
    return batch_job(decode(OBJECT, response.body), call.provider.info.name)


def create(call: Call[BatchCreateRequest]) -> Flow[BatchJob]:
    """POST /models/NAME:batchGenerateContent."""
    models = {item.request.model for item in call.request.items}
    if len(models) != 1:
        message = "a batch holds requests to one model, and at least one"
        raise InvalidRequestError(message, param="items", phase="build")
    inner = [_inlined(call, item) for item in call.request.items]
    batch = {"displayName": "jackfield", "inputConfig": {"requests": {"requests": inner}}}
    verb = ":batchGenerateContent"
    asked = json_request(path(models.pop(), verb=verb), {"batch": merge(batch, call.options)})
    return _checked(call, (yield from call.provider.fetch(call, asked)))


def _inlined(call: Call[Any], item: BatchItem) -> dict[str, Any]:
    if not isinstance(item.request, ChatRequest):
        message = f"a batch cannot hold a {type(item.request).__name__}"
        raise InvalidRequestError(message, param="items", phase="build")
    of = call.provider.prepare(item.request)
    body = render_body(of)
    for warning in of.warnings:
        call.warn(warning.kind, f"{item.custom_id}: {warning.subject}", warning.detail)
    return {"request": body, "metadata": {"key": item.custom_id}}


def results(call: Call[BatchResultsRequest]) -> Flow[Sequence[BatchResult]]:
    """The answers, which stand in the batch or in a file of JSON lines.

    Raises:
        InvalidRequestError: the batch has not ended.
    """
    provider = call.provider
    response = yield from provider.fetch(call, get_request(path(call.request.job_id, "batches")))
    job = _checked(call, response)
    if not job.status.ended:
        message = f"batch {job.id} is {job.raw_status}: its results come when it has ended"
        raise InvalidRequestError(message, param="job_id", phase="build")
    wire = decode(OBJECT, response.body)
    output = wire.get("response") or (wire.get("metadata") or wire).get("output") or {}
    try:
        if output.get("responsesFile"):
            lines = yield from provider.fetch(call, content(call, output["responsesFile"]))
            told = [msgspec.json.decode(line) for line in lines.body.splitlines() if line.strip()]
        else:
            told = (output.get("inlinedResponses") or {}).get("inlinedResponses") or []
        return list(_results(call, told))
    except READ_ERRORS as error:
        raise unreadable(error, response.body) from None


def _checked(call: Call[Any], response: HTTPResponse) -> BatchJob:
    try:
        return _parse(call, response)
    except READ_ERRORS as error:
        raise unreadable(error, response.body) from None


def _results(call: Call[Any], told: Sequence[Mapping[str, Any]]) -> Iterator[BatchResult]:
    """They come in the order of the requests, some without a name."""
    for at, wire in enumerate(told):
        items = call.request.items
        usual = items[at].custom_id if at < len(items) else f"request-{at}"
        name = wire.get("key") or (wire.get("metadata") or {}).get("key") or usual
        yield _result(call, str(name), wire)


def _result(call: Call[Any], name: str, wire: Mapping[str, Any]) -> BatchResult:
    provider: Any = call.provider
    try:
        if wire.get("error") or not wire.get("response"):
            raise provider.stream_failure({"error": wire.get("error") or {}})
        request = ChatRequest(model=call.request.model, messages=())
        exchange: Any = provider.exchange_for(request)
        response = HTTPResponse(200, {}, msgspec.json.encode(wire["response"]))
        return BatchResult(
            custom_id=name, response=provider.read(provider.prepare(request), exchange, response)
        )
    except LLMError as error:
        return BatchResult(custom_id=name, error=error.add(provider=provider.name))


def _list(call: Call[BatchListRequest]) -> Flow[Sequence[BatchJob]]:
    name, limit = call.provider.info.name, call.request.limit
    return pages(call, "/batches", "operations", limit, lambda wire: batch_job(wire, name))


def cancel(call: Call[BatchCancelRequest]) -> Flow[BatchJob]:
    """POST :cancel, which answers nothing; then ask where the batch stands."""
    stop = HTTPRequest(url=path(call.request.job_id, "batches", ":cancel"))
    yield from call.provider.fetch(call, stop)
    asked = get_request(path(call.request.job_id, "batches"))
    return _checked(call, (yield from call.provider.fetch(call, asked)))


def _nothing(_: Call[Any], response: HTTPResponse) -> None:
    decode(OBJECT, response.body or b"{}")


BATCHES: Exchanges = {
    BatchCreateRequest: Procedure(perform=create),
    BatchInfoRequest: Exchange(
        build=lambda call: get_request(path(call.request.job_id, "batches")), parse=_parse
    ),
    BatchListRequest: Procedure(perform=_list),
    BatchCancelRequest: Procedure(perform=cancel),
    BatchResultsRequest: Procedure(perform=results),
    BatchDeleteRequest: Exchange(
        build=lambda call: HTTPRequest(method="DELETE", url=path(call.request.job_id, "batches")),
        parse=_nothing,
    ),
}
