"""Message batches: chats worked off within a day. https://docs.claude.com/en/docs/build-with-claude/batch-processing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from jackfield import InvalidRequestError
from jackfield.exchange import Call, Exchange, Procedure, json_request
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
    BatchResultsRequest,
    JobStatus,
)

from ..chat import merge
from ..config import fields, with_headers
from ..usage import count
from .reading import Wire, pages, read, when
from .results import PATH, about, prepared, results


def batch_job(wire: Wire, name: str) -> BatchJob:
    """A batch as the API describes it; *name* is the provider's.

    Its *failed* requests are those that have no answer in the end: they met an
    error, were cancelled, or expired.
    """
    counts = {k: count(v) for k, v in (wire.get("request_counts") or {}).items()}
    known = [number for number in counts.values() if number is not None]
    failures = [counts[k] or 0 for k in ("errored", "canceled", "expired") if k in counts]
    return BatchJob(
        id=wire["id"],
        status=_status(wire, counts),
        raw_status=wire.get("processing_status"),
        created_at=when(wire.get("created_at")),
        ended_at=when(wire.get("ended_at")),
        total=sum(known) if known else None,
        succeeded=counts.get("succeeded"),
        failed=sum(failures) if failures else None,
        provider_metadata={name: wire},
    )


def _status(wire: Wire, counts: Mapping[str, int | None]) -> JobStatus:
    match wire.get("processing_status"):
        case "in_progress":
            return JobStatus.RUNNING
        case "canceling":
            return JobStatus.CANCELLING
        case "ended" if counts.get("canceled"):
            return JobStatus.CANCELLED
        case "ended" if counts.get("expired"):
            return JobStatus.EXPIRED
        case "ended":
            return JobStatus.SUCCEEDED
    return JobStatus.OTHER


def parse_job(call: Call[Any], response: HTTPResponse) -> BatchJob:
    """One batch."""
    return batch_job(read(call, response), call.provider.info.name)


def build_create(call: Call[BatchCreateRequest]) -> HTTPRequest:
    """POST /v1/messages/batches, with the body that each chat has alone, and all their betas."""
    if not call.request.items:
        raise InvalidRequestError("a batch holds a request at least", param="items", phase="build")
    betas: list[str] = []
    asked = [_item(call, item, betas) for item in call.request.items]
    body = merge({"requests": asked}, fields(call))
    return with_headers(call, json_request(PATH, body), *betas)


def _item(call: Call[Any], item: BatchItem, betas: list[str]) -> dict[str, Any]:
    of, exchange = prepared(call, item.request)
    built = exchange.build(of)
    betas += filter(None, built.headers.get("anthropic-beta", "").split(","))
    for warning in of.warnings:
        call.warn(warning.kind, f"{item.custom_id}: {warning.subject}", warning.detail)
    return {"custom_id": item.custom_id, "params": msgspec.json.decode(built.body or b"{}")}


def list_batches(call: Call[BatchListRequest]) -> Flow[Sequence[BatchJob]]:
    """GET /v1/messages/batches, page by page."""
    name = call.provider.info.name
    return pages(call, PATH, lambda wire: batch_job(wire, name))


def _nothing(call: Call[Any], response: HTTPResponse) -> None:
    read(call, response)


BATCHES: Exchanges = {
    BatchCreateRequest: Exchange(build=build_create, parse=parse_job),
    BatchInfoRequest: Exchange(build=about, parse=parse_job),
    BatchListRequest: Procedure(perform=list_batches),
    BatchCancelRequest: Exchange(
        build=lambda call: about(call, "POST", "/cancel"), parse=parse_job
    ),
    BatchResultsRequest: Procedure(perform=results),
    BatchDeleteRequest: Exchange(build=lambda call: about(call, "DELETE"), parse=_nothing),
}
