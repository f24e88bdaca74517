"""Batches: requests worked off within a day. https://platform.openai.com/docs/api-reference/batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from jackfield import ChatRequest, InvalidRequestError, LLMError, Request, ResponseFormatError
from jackfield.exchange import Call, Exchange, Procedure, get_request, json_request, segment
from jackfield.failures import event_error
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import (
    BatchCancelRequest,
    BatchCreateRequest,
    BatchInfoRequest,
    BatchItem,
    BatchJob,
    BatchListRequest,
    BatchResult,
    BatchResultsRequest,
    FileUploadRequest,
    JobStatus,
)

from ..render import merge
from ..usage import count
from .files import OBJECT, content, pages, upload
from .reading import read, when

STATUSES: Mapping[str, JobStatus] = {
    "validating": JobStatus.PENDING,
    "in_progress": JobStatus.RUNNING,
    "finalizing": JobStatus.RUNNING,
    "completed": JobStatus.SUCCEEDED,
    "failed": JobStatus.FAILED,
    "expired": JobStatus.EXPIRED,
    "cancelling": JobStatus.CANCELLING,
    "cancelled": JobStatus.CANCELLED,
}
_ENDS = ("completed_at", "failed_at", "expired_at", "cancelled_at")


def batch_job(wire: Mapping[str, Any], name: str) -> BatchJob:
    """A batch as the service describes it; *name* is the provider's."""
    counts = wire.get("request_counts") or {}
    errors = (wire.get("errors") or {}).get("data") or ()
    return BatchJob(
        id=wire["id"],
        status=STATUSES.get(wire.get("status") or "", JobStatus.OTHER),
        raw_status=wire.get("status"),
        model=wire.get("model") or "",
        created_at=when(wire.get("created_at")),
        ended_at=next((t for e in _ENDS if (t := when(wire.get(e)))), None),
        error="; ".join(str(e.get("message") or e) for e in errors) or None,
        total=count(counts.get("total")),
        succeeded=count(counts.get("completed")),
        failed=count(counts.get("failed")),
        provider_metadata={name: wire},
    )


def _parse(call: Call[Any], response: HTTPResponse) -> BatchJob:
    return batch_job(read(call, OBJECT, response), call.provider.info.name)


def create(call: Call[BatchCreateRequest]) -> Flow[BatchJob]:
    """Upload the requests as a file of JSON lines; then POST /batches."""
    lines, endpoints = [], set()
    for item in call.request.items:
        line = _line(call, item)
        endpoints.add(line["url"])
        lines.append(msgspec.json.encode(line))
    if len(endpoints) != 1:
        message = "a batch holds requests of one operation, and at least one"
        raise InvalidRequestError(message, param="items", phase="build")
    named = FileUploadRequest(
        data=b"\n".join(lines) + b"\n",
        name="batch.jsonl",
        media_type="application/jsonl",
        purpose="batch",
    )
    response = yield from call.provider.fetch(call, upload(named, {}))
    file_id = read(call, OBJECT, response)["id"]
    body = {"input_file_id": file_id, "endpoint": endpoints.pop(), "completion_window": "24h"}
    request = json_request("/batches", merge(body, call.options))
    return _parse(call, (yield from call.provider.fetch(call, request)))


def _line(call: Call[Any], item: BatchItem) -> dict[str, Any]:
    provider = call.provider
    exchange = provider.exchanges.get(type(item.request))
    inner = provider.exchange_for(item.request) if exchange is not None else None
    if not isinstance(inner, Exchange):
        message = f"a batch cannot hold a {type(item.request).__name__}"
        raise InvalidRequestError(message, param="items", phase="build")
    of = provider.prepare(item.request)
    built = inner.build(of)
    for warning in of.warnings:
        call.warn(warning.kind, f"{item.custom_id}: {warning.subject}", warning.detail)
    return {
        "custom_id": item.custom_id,
        "method": built.method,
        "url": urlsplit(str(provider.config.base_url).rstrip("/")).path + built.url,
        "body": msgspec.json.decode(built.body or b"{}"),
    }


def results(call: Call[BatchResultsRequest]) -> Flow[Sequence[BatchResult]]:
    """The lines of the batch's files of output and errors."""
    path = f"/batches/{segment(call.request.job_id)}"
    wire = read(call, OBJECT, (yield from call.provider.fetch(call, get_request(path))))
    job = batch_job(wire, call.provider.info.name)
    if not job.status.ended:
        message = f"batch {job.id} is {job.raw_status}: its results come when it has ended"
        raise InvalidRequestError(message, param="job_id", phase="build")
    asked = {item.custom_id: item.request for item in call.request.items}
    found: list[BatchResult] = []
    for name in ("output_file_id", "error_file_id"):
        if wire.get(name):
            response = yield from call.provider.fetch(call, content(wire[name]))
            found += _results(call, response.body, asked)
    return found


def _results(
    call: Call[Any], body: bytes, asked: Mapping[str, Request[Any]]
) -> Iterator[BatchResult]:
    for line in body.splitlines():
        if line.strip():
            wire = msgspec.json.decode(line)
            name = wire["custom_id"]
            usual = ChatRequest(model="", messages="?")
            yield _result(call, name, wire, asked.get(name, usual))


def _result(
    call: Call[Any], name: str, wire: Mapping[str, Any], request: Request[Any]
) -> BatchResult:
    provider = call.provider
    try:
        answer = wire.get("response")
        if not answer:
            raise event_error({"error": wire.get("error") or {}}, provider.error_codes)
        body = msgspec.json.encode(answer.get("body"))
        headers = {"x-request-id": answer["request_id"]} if answer.get("request_id") else {}
        response = HTTPResponse(int(answer.get("status_code") or 200), headers, body)
        if not 200 <= response.status < 300:
            raise provider.make_error(response)
        exchange = provider.exchange_for(request)
        if not isinstance(exchange, Exchange):
            raise ResponseFormatError(f"{type(request).__name__}: no operation of a batch")
        answer = provider.read(provider.prepare(request), exchange, response)
        return BatchResult.answered(name, answer, provider.batch_share)
    except LLMError as error:
        return BatchResult(custom_id=name, error=error.add(provider=provider.name))


def _list(call: Call[BatchListRequest]) -> Flow[Sequence[BatchJob]]:
    name = call.provider.info.name
    return pages(call, "/batches", call.request.limit, lambda wire: batch_job(wire, name))


BATCHES: Exchanges = {
    BatchCreateRequest: Procedure(perform=create),
    BatchInfoRequest: Exchange(
        build=lambda call: get_request(f"/batches/{segment(call.request.job_id)}"), parse=_parse
    ),
    BatchListRequest: Procedure(perform=_list),
    BatchCancelRequest: Exchange(
        build=lambda call: HTTPRequest(url=f"/batches/{segment(call.request.job_id)}/cancel"),
        parse=_parse,
    ),
    BatchResultsRequest: Procedure(perform=results),
}
