"""Batches: chats or texts to embed, worked off within a day.

Source: https://ai.google.dev/gemini-api/docs/batch-api and https://ai.google.dev/api/batch-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jackfield import ChatRequest, EmbeddingRequest, InvalidRequestError
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
    JobStatus,
)

from ..chat import render_body
from ..config import merge, path
from ..usage import count
from ..wire import OBJECT
from .embeddings import each
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
    """POST :batchGenerateContent for chats, :asyncBatchEmbedContent for texts to embed.

    Raises:
        InvalidRequestError: the requests are not of one kind and to one model.
    """
    items = call.request.items
    if len({(type(item.request), item.request.model) for item in items}) != 1:
        message = "a batch holds requests of one kind to one model, and at least one"
        raise InvalidRequestError(message, param="items", phase="build")
    inner = [_inlined(call, item) for item in items]
    batch = {"displayName": "jackfield", "inputConfig": {"requests": {"requests": inner}}}
    first = items[0].request
    verb = VERBS[type(first)]
    asked = json_request(path(first.model, verb=verb), {"batch": merge(batch, call.options)})
    return checked(call, (yield from call.provider.fetch(call, asked)))


VERBS: Mapping[type[Any], str] = {
    ChatRequest: ":batchGenerateContent",
    EmbeddingRequest: ":asyncBatchEmbedContent",
}


def _inlined(call: Call[Any], item: BatchItem) -> dict[str, Any]:
    """A request as a batch has it: the body of the single call, and the name that it goes by."""
    if type(item.request) not in VERBS:
        message = f"a batch cannot hold a {type(item.request).__name__}"
        raise InvalidRequestError(message, param="items", phase="build")
    of = call.provider.prepare(item.request)
    bodies = each(of) if isinstance(item.request, EmbeddingRequest) else [render_body(of)]
    if len(bodies) != 1:
        message = f"{item.custom_id}: a request of a batch has one text"
        raise InvalidRequestError(message, param="items", phase="build")
    for warning in of.warnings:
        call.warn(warning.kind, f"{item.custom_id}: {warning.subject}", warning.detail)
    return {"request": bodies[0], "metadata": {"key": item.custom_id}}


def checked(call: Call[Any], response: HTTPResponse) -> BatchJob:
    """The batch that *response* describes.

    Raises:
        ResponseFormatError: it describes none.
    """
    try:
        return _parse(call, response)
    except READ_ERRORS as error:
        raise unreadable(error, response.body) from None


def _list(call: Call[BatchListRequest]) -> Flow[Sequence[BatchJob]]:
    name, limit = call.provider.info.name, call.request.limit
    return pages(call, "/batches", "operations", limit, lambda wire: batch_job(wire, name))


def cancel(call: Call[BatchCancelRequest]) -> Flow[BatchJob]:
    """POST :cancel, which answers nothing; then ask where the batch stands."""
    stop = HTTPRequest(url=path(call.request.job_id, "batches", ":cancel"))
    yield from call.provider.fetch(call, stop)
    asked = get_request(path(call.request.job_id, "batches"))
    return checked(call, (yield from call.provider.fetch(call, asked)))


def _nothing(_: Call[Any], response: HTTPResponse) -> None:
    decode(OBJECT, response.body or b"{}")


BATCHES: Exchanges = {
    BatchCreateRequest: Procedure(perform=create),
    BatchInfoRequest: Exchange(
        build=lambda call: get_request(path(call.request.job_id, "batches")), parse=_parse
    ),
    BatchListRequest: Procedure(perform=_list),
    BatchCancelRequest: Procedure(perform=cancel),
    BatchDeleteRequest: Exchange(
        build=lambda call: HTTPRequest(method="DELETE", url=path(call.request.job_id, "batches")),
        parse=_nothing,
    ),
}
