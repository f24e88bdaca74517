"""Fine-tuning jobs. https://platform.openai.com/docs/api-reference/fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jackfield.exchange import Call, Exchange, Procedure, get_request, json_request, segment
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import (
    FineTuneCancelRequest,
    FineTuneCreateRequest,
    FineTuneInfoRequest,
    FineTuneJob,
    FineTuneListRequest,
    JobStatus,
)

from ..render import merge
from ..usage import count
from .files import OBJECT, pages
from .reading import read, when

STATUSES: Mapping[str, JobStatus] = {
    "validating_files": JobStatus.PENDING,
    "queued": JobStatus.PENDING,
    "running": JobStatus.RUNNING,
    "paused": JobStatus.RUNNING,
    "succeeded": JobStatus.SUCCEEDED,
    "failed": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
}


def build_create(call: Call[FineTuneCreateRequest]) -> HTTPRequest:
    """POST /fine_tuning/jobs; methods and hyperparameters are ``provider_options``."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "training_file": request.training_file}
    for name in ("validation_file", "suffix", "seed"):
        if getattr(request, name) is not None:
            body[name] = getattr(request, name)
    return json_request("/fine_tuning/jobs", merge(body, call.options))


def fine_tune_job(wire: Mapping[str, Any], name: str) -> FineTuneJob:
    """A job as the service describes it; *name* is the provider's."""
    error = wire.get("error") or {}
    return FineTuneJob(
        id=wire["id"],
        status=STATUSES.get(wire.get("status") or "", JobStatus.OTHER),
        raw_status=wire.get("status"),
        model=wire.get("model") or "",
        created_at=when(wire.get("created_at")),
        ended_at=when(wire.get("finished_at")),
        error=error.get("message") or None,
        fine_tuned_model=wire.get("fine_tuned_model") or None,
        training_file=wire.get("training_file"),
        trained_tokens=count(wire.get("trained_tokens")),
        provider_metadata={name: wire},
    )


def _parse(call: Call[Any], response: HTTPResponse) -> FineTuneJob:
    return fine_tune_job(read(call, OBJECT, response), call.provider.info.name)


def _path(call: Call[Any]) -> str:
    return f"/fine_tuning/jobs/{segment(call.request.job_id)}"


def _list(call: Call[FineTuneListRequest]) -> Flow[Sequence[FineTuneJob]]:
    name, limit = call.provider.info.name, call.request.limit
    return pages(call, "/fine_tuning/jobs", limit, lambda wire: fine_tune_job(wire, name))


FINE_TUNING: Exchanges = {
    FineTuneCreateRequest: Exchange(build=build_create, parse=_parse),
    FineTuneInfoRequest: Exchange(build=lambda call: get_request(_path(call)), parse=_parse),
    FineTuneListRequest: Procedure(perform=_list),
    FineTuneCancelRequest: Exchange(
        build=lambda call: HTTPRequest(url=f"{_path(call)}/cancel"), parse=_parse
    ),
}
