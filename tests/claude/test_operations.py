"""Every recorded turn of files and batches is asked for as it was, and read as what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from claude import traffic
from claude.meaning import explained, meaning
from claude.operating import OPERATIONS, query, replay, request
from claude.replays import each, replaying
from jackfield import ChatResponse, LLMError
from jackfield.operations import BatchJob, RemoteFile
from jackfield_claude.config import FILES_BETA
from openai_operations.forms import form_fields, form_files
from support.recordings import Turn, pieces
from support.specs import UndescribedError, needs_specs, request_errors, response_errors

pytestmark = pytest.mark.wire

TURNS = traffic.of(*OPERATIONS)
GOOD = [t for t in TURNS if t.status < 300]
FAILED = [t for t in TURNS if t.status >= 300]
JOBS = [
    t
    for t in GOOD
    if traffic.scope(t) in (traffic.BATCH_CREATE, traffic.BATCH, traffic.BATCH_CANCEL)
]
LISTS = [t for t in GOOD if traffic.scope(t) in (traffic.BATCHES, traffic.FILES)]
FILES = [t for t in GOOD if traffic.scope(t) in (traffic.FILE_UPLOAD, traffic.FILE)]
RESULTS = [t for t in GOOD if traffic.scope(t) == traffic.BATCH_RESULTS]
BYTES = [t for t in GOOD if traffic.scope(t) == traffic.FILE_CONTENT]
CREATED = [
    t for t in TURNS if traffic.scope(t) == traffic.BATCH_CREATE and isinstance(t.body, dict)
]
UPLOADS = [t for t in TURNS if traffic.scope(t) == traffic.FILE_UPLOAD and isinstance(t.body, str)]


def judge_file(file: RemoteFile, wire: Any) -> None:
    """*file* says what *wire* says."""
    assert (file.id, file.name, file.size_bytes, file.media_type) == (
        wire["id"],
        wire["filename"],
        wire["size_bytes"],
        wire["mime_type"],
    )
    assert file.created_at == time(wire["created_at"])
    assert file.provider_metadata == {"claude": wire}


def judge_job(job: BatchJob, wire: Any) -> None:
    """*job* says what *wire* says."""
    counts = wire["request_counts"]
    assert (job.id, job.raw_status) == (wire["id"], wire["processing_status"])
    assert job.status.ended == (wire["processing_status"] == "ended")
    assert (job.succeeded, job.total) == (counts["succeeded"], sum(counts.values()))
    assert job.failed == job.total - counts["succeeded"] - counts["processing"]
    assert (job.created_at, job.ended_at) == (time(wire["created_at"]), time(wire["ended_at"]))
    assert job.provider_metadata == {"claude": wire}


def time(text: str | None) -> datetime | None:
    """A recorded time, read in a way of its own."""
    if text is None:
        return None
    plain = text.replace("Z", "+00:00")
    return datetime.strptime(plain, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


@each(TURNS)
def test_the_same_address_is_asked_with_the_beta_that_it_needs(turn: Turn) -> None:
    sent = replay(turn).sent
    http = sent[-1] if traffic.scope(turn) == traffic.BATCH_RESULTS else sent[0]
    assert (http.method, urlsplit(http.url).path) == (turn.request["method"], turn.path.rstrip("/"))
    asked = dict(parse_qsl(urlsplit(http.url).query))
    listed = traffic.scope(turn) in (traffic.BATCHES, traffic.FILES)
    # Where a client was content with the usual page, we ask for as many as there may be.
    assert asked == ({"limit": "1000", **query(turn)} if listed else query(turn))
    assert (http.headers.get("anthropic-beta") == FILES_BETA) == ("/v1/files" in turn.path)
    assert http.headers["anthropic-version"] == "2023-06-01"


@each(CREATED)
def test_the_same_batch_is_handed_in(turn: Turn) -> None:
    (http,) = replay(turn).sent
    ours = json.loads(http.body)["requests"]
    assert [i["custom_id"] for i in ours] == [i["custom_id"] for i in turn.body["requests"]]
    asked: Any = request(turn)
    for mine, theirs, item in zip(ours, turn.body["requests"], asked.items, strict=True):
        leave = explained(replaying().explain(item.request).warnings)
        assert meaning(mine["params"], leave) == meaning(theirs["params"], leave)
        assert mine["params"] == replaying().explain(item.request).body


@each(UPLOADS)
def test_the_same_form_is_sent(turn: Turn) -> None:
    (http,) = replay(turn).sent
    form = http.body.decode()
    assert (form_files(form), form_fields(form)) == (form_files(turn.body), form_fields(turn.body))


@each(JOBS)
def test_a_batch_is_the_wires(turn: Turn) -> None:
    judge_job(replay(turn).result, json.loads(turn.payload))


@each(FILES)
def test_a_file_is_the_wires(turn: Turn) -> None:
    judge_file(replay(turn).result, json.loads(turn.payload))


@each(LISTS)
def test_a_list_is_the_wires(turn: Turn) -> None:
    outcome, wire = replay(turn), json.loads(turn.payload)
    judge: Any = judge_file if traffic.scope(turn) == traffic.FILES else judge_job
    for found, told in zip(outcome.result, wire["data"], strict=True):
        judge(found, told)
    if "limit" not in query(turn):
        assert len(outcome.sent) == 1 + bool(wire.get("has_more"))


@each(BYTES)
def test_a_files_bytes_are_the_wires(turn: Turn) -> None:
    assert replay(turn).result == turn.payload


@each([t for t in GOOD if traffic.scope(t) in (traffic.FILE_DELETE, traffic.BATCH_DELETE)])
def test_what_was_deleted_is_no_error(turn: Turn) -> None:
    assert replay(turn).error is None


@each(RESULTS)
def test_results_are_the_wires(turn: Turn) -> None:
    wire = [json.loads(line) for line in turn.payload.decode().split("\n") if line.strip()]
    for found, told in zip(replay(turn).result, wire, strict=True):
        assert found.custom_id == told["custom_id"]
        answered = told["result"]["type"] == "succeeded"
        assert (isinstance(found.response, ChatResponse), found.error is None) == (
            answered,
            answered,
        )


@each(FAILED)
def test_what_failed_is_an_error_with_its_facts(turn: Turn) -> None:
    error: Any = replay(turn).error
    told = json.loads(turn.payload)["error"]
    assert isinstance(error, LLMError)
    assert (error.status, error.code, error.message) == (
        turn.status,
        told["type"],
        told["message"],
    )


@each(TURNS)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_colour_and_every_cut_gives_the_same(turn: Turn, backend: str) -> None:
    first, cut = replay(turn), replay(turn, chunks=pieces(turn.payload, 3))
    for other in (replay(turn, backend), cut):
        told, there = first.error, other.error
        assert (type(other.error), str(other.error)) == (type(first.error), str(first.error))
        assert told is None or there is None or there.__dict__ == told.__dict__
        if traffic.scope(turn) == traffic.BATCH_RESULTS and told is None:
            assert [r.response for r in other.result] == [r.response for r in first.result]
        else:
            assert other.result == first.result


@needs_specs
@each([t for t in TURNS if traffic.scope(t) not in (traffic.FILE_CONTENT, traffic.BATCH_RESULTS)])
def test_what_is_sent_and_what_came_is_as_described(turn: Turn) -> None:
    beta = "?beta=true" if "/v1/files" in turn.path else ""
    (http, *_) = replay(turn).sent
    if traffic.scope(turn) == traffic.BATCH_CREATE:
        body = json.loads(http.body)
        assert request_errors("anthropic", "POST", turn.path, body, undeclared=True) == []
    if turn.status < 300:
        try:
            told = response_errors(
                "anthropic", http.method, turn.path + beta, json.loads(turn.payload)
            )
        except UndescribedError as missing:
            pytest.fail(f"no description of {turn.operation}: {missing}")
        assert told == []
