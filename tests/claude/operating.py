"""What the recorded turns of files and batches asked for, as typed requests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from claude import traffic
from claude.replays import replaying
from claude.typed import chat_request
from jackfield import Request
from jackfield.drivers.replay import Recorded
from jackfield.operations import (
    BatchCancelRequest,
    BatchCreateRequest,
    BatchDeleteRequest,
    BatchInfoRequest,
    BatchItem,
    BatchListRequest,
    BatchResultsRequest,
    FileContentRequest,
    FileDeleteRequest,
    FileInfoRequest,
    FileListRequest,
    FileUploadRequest,
)
from openai_operations.forms import form_files
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

OPERATIONS = (
    *(traffic.BATCH_CREATE, traffic.BATCHES, traffic.BATCH, traffic.BATCH_CANCEL),
    *(traffic.BATCH_RESULTS, traffic.FILE_UPLOAD, traffic.FILES, traffic.FILE),
    *(traffic.FILE_CONTENT, traffic.FILE_DELETE, traffic.BATCH_DELETE),
)


def query(turn: Turn) -> dict[str, str]:
    """The query of *turn*, but for the switch that stands for a beta header."""
    given = parse_qs(urlsplit(turn.request["url"]).query)
    return {name: values[-1] for name, values in given.items() if name != "beta"}


def request(turn: Turn) -> Request[Any]:
    """The typed request of *turn*."""
    tail = turn.path.rstrip("/").split("/")
    limit = int(query(turn)["limit"]) if "limit" in query(turn) else None
    match traffic.scope(turn):
        case traffic.BATCH_CREATE:
            wire = turn.body["requests"] if isinstance(turn.body, dict) else ()
            items = [
                BatchItem(custom_id=i["custom_id"], request=chat_request(i["params"])) for i in wire
            ]
            return BatchCreateRequest(items=items)
        case traffic.BATCHES:
            return BatchListRequest(limit=limit)
        case traffic.BATCH:
            return BatchInfoRequest(job_id=tail[-1])
        case traffic.BATCH_CANCEL:
            return BatchCancelRequest(job_id=tail[-2])
        case traffic.BATCH_DELETE:
            return BatchDeleteRequest(job_id=tail[-1])
        case traffic.BATCH_RESULTS:
            return BatchResultsRequest(job_id=tail[-2])
        case traffic.FILES:
            return FileListRequest(limit=limit)
        case traffic.FILE:
            return FileInfoRequest(file_id=tail[-1])
        case traffic.FILE_CONTENT:
            return FileContentRequest(file_id=tail[-2])
        case traffic.FILE_DELETE:
            return FileDeleteRequest(file_id=tail[-1])
    form = isinstance(turn.body, str) and turn.body.startswith("--")
    name, kind = form_files(turn.body)[0] if form else ("a.txt", "text/plain")
    return FileUploadRequest(data=b"...", name=name, media_type=kind)


def answers(turn: Turn, recorded: Recorded) -> list[Recorded]:
    """What a provider meets that asks for *turn*.

    Results come after what the batch says of itself, and the last page after a page.
    """
    if traffic.scope(turn) in (traffic.BATCHES, traffic.FILES):
        return [recorded, Recorded(chunks=[b'{"data": [], "has_more": false}'])]
    if traffic.scope(turn) != traffic.BATCH_RESULTS:
        return [recorded]
    job = f'{{"id": "b", "processing_status": "ended", "results_url": "{turn.request["url"]}"}}'
    return [Recorded(chunks=[job.encode()]), recorded]


def base_url(turn: Turn) -> str:
    """Where *turn* was asked for."""
    address = urlsplit(turn.request["url"])
    return f"{address.scheme}://{address.netloc}{address.path.partition('/v1/')[0]}"


def replay(turn: Turn, backend: str = "", chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn*, blocking or on the event loop of *backend*."""
    recorded = turn.recorded(chunks)
    provider = replaying(
        *answers(turn, recorded), base_url=base_url(turn), allow_insecure_http=True
    )
    ask = partial(request, turn)
    if backend:
        return replayed_on(backend, provider, ask, streamed=False)
    return replayed(provider, ask, streamed=False)
