"""A batch goes up as JSON lines, is watched, and its results are the values that single calls give."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from jackfield import (
    ChatRequest,
    ChatResponse,
    EmbeddingRequest,
    InvalidRequestError,
    LLMProvider,
    Message,
    RateLimitError,
    Tool,
)
from jackfield.drivers.replay import Recorded
from jackfield.operations import BatchItem, JobStatus, TokenizeRequest
from openai_operations.forms import form_fields
from openai_operations.replaying import replaying
from support.recordings import Turn, turns

JOB = {"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "created_at": 1.0,
       "request_counts": {"total": 2, "completed": 1, "failed": 1}}  # fmt: skip
FILE = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "batch.jsonl"}
ANSWER = {"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
          "message": {"role": "assistant", "content": "Four"}}]}  # fmt: skip
LIMITED = {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}


def recorded(body: Any) -> Recorded:
    return Recorded(chunks=[body if isinstance(body, bytes) else json.dumps(body).encode()])


def lines(*results: Any) -> bytes:
    return b"\n".join(json.dumps(r).encode() for r in results) + b"\n\n"


def result(name: str, status: int, body: Any) -> Any:
    answer = {"status_code": status, "request_id": "r-1", "body": body}
    return {"id": "b", "custom_id": name, "response": answer, "error": None}


def chat(text: str, **more: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=[Message("user", text)], **more)


def transport(provider: LLMProvider) -> Any:
    driver: Any = provider._driver
    return driver._transport


def test_a_batch_is_a_file_of_the_requests_that_single_calls_would_send() -> None:
    provider = replaying("openai", [recorded(FILE), recorded({**JOB, "status": "validating"})])
    tool = Tool("get_weather")
    first, second = chat("2 + 2?"), chat("Rain?", tools=[tool])
    asked = [first, BatchItem(custom_id="tools", request=second)]
    job = provider.create_batch(asked, provider_options={"openai": {"metadata": {"a": "b"}}})
    assert (job.id, job.status, job.total) == ("batch_1", JobStatus.PENDING, 2)
    upload, create = transport(provider).requests
    assert form_fields(upload.body.decode())["purpose"] == "batch"
    sent = [json.loads(x) for x in upload.body.decode().splitlines() if x.startswith("{")]
    assert [s["custom_id"] for s in sent] == ["request-0", "tools"]
    alone = replaying("openai", [])
    assert [s["body"] for s in sent] == [alone.explain(r).body for r in (first, second)]
    assert {s["url"] for s in sent} == {"/v1/chat/completions"}
    told = json.loads(create.body)
    assert told["input_file_id"] == "file-1"
    assert told["endpoint"] == "/v1/chat/completions"
    assert told["metadata"] == {"a": "b"}


def test_results_are_values_or_typed_errors_under_their_names() -> None:
    job = {**JOB, "status": "completed", "output_file_id": "f-1", "error_file_id": "f-2"}
    out, err = lines(result("a", 200, ANSWER)), lines(result("b", 429, LIMITED))
    provider = replaying("openai", [recorded(job), recorded(out), recorded(err)])
    good, bad = provider.batch_results("batch_1")
    assert (good.custom_id, good.response.text, good.error) == ("a", "Four", None)
    assert (bad.custom_id, bad.response) == ("b", None)
    assert isinstance(bad.error, RateLimitError)
    assert (bad.error.message, bad.error.provider) == ("Slow down", "openai")


def test_the_results_of_another_operation_are_read_by_what_was_asked() -> None:
    job = {**JOB, "status": "completed", "output_file_id": "f-1"}
    vectors = {"data": [{"index": 0, "embedding": [1.0, 0.5]}], "model": "e"}
    asked = EmbeddingRequest(model="e", inputs=["one"])
    provider = replaying(
        "openai", [recorded(job), recorded(lines(result("request-0", 200, vectors)))]
    )
    (found,) = provider.batch_results("batch_1", items=[asked])
    assert found.response.vectors == ((1.0, 0.5),)


def test_a_batch_that_has_not_ended_says_so() -> None:
    provider = replaying("openai", [recorded({**JOB, "status": "in_progress"})])
    with pytest.raises(InvalidRequestError, match="in_progress"):
        provider.batch_results("batch_1")


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [chat("a"), EmbeddingRequest(model="m", inputs="b")],
        [TokenizeRequest(model="m", text="a")],
    ],
    ids=["nothing", "two operations", "an operation that there is not"],
)
def test_what_is_no_batch_is_refused_before_anything_is_sent(asked: list[Any]) -> None:
    provider = replaying("openai", [])
    with pytest.raises(InvalidRequestError, match="batch"):
        provider.create_batch(asked)
    assert transport(provider).requests == []


def test_lists_are_read_page_by_page() -> None:
    first = {"data": [{**JOB, "id": f"b{n}"} for n in range(3)], "has_more": True}
    second = {"data": [{**JOB, "id": "b3"}], "has_more": False}
    provider = replaying("openai", [recorded(first), recorded(second)])
    assert [j.id for j in provider.list_batches()] == ["b0", "b1", "b2", "b3"]
    assert "after=b2" in transport(provider).requests[1].url
    assert [j.id for j in replaying("openai", [recorded(first)]).list_batches(limit=2)] == [
        "b0",
        "b1",
    ]


BATCHES = [t for t in turns("openai") if t.operation == "POST /v1/batches"]


@pytest.mark.wire
@pytest.mark.parametrize("turn", BATCHES, ids=str)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_recorded_batch_is_created_watched_and_read(turn: Turn, backend: str) -> None:
    case = [t for t in turns("openai") if t.case == turn.case]
    upload = next((t for t in case if t.operation == "POST /v1/files"), None)
    answers = [recorded(FILE) if upload is None else upload.recorded(), turn.recorded()]
    provider = replaying("openai", answers, api="responses")
    job = anyio.run(provider.acreate_batch, [chat("2 + 2?")], backend=backend)
    assert (job.id, job.raw_status) == (
        turn.response["body"]["id"],
        turn.response["body"]["status"],
    )


RESULTS = [t for t in turns("openai") if t.path.endswith("/content") and "batch" in t.behaviours]


@pytest.mark.wire
@pytest.mark.parametrize("turn", RESULTS, ids=str)
def test_recorded_results_are_the_answers_of_their_lines(turn: Turn) -> None:
    wire = [json.loads(line) for line in turn.payload.decode().splitlines() if line.strip()]
    api = "responses" if wire[0]["response"]["body"]["object"] == "response" else "chat"
    ended = recorded({**JOB, "status": "completed", "output_file_id": "file-1"})
    found = replaying("openai", [ended, turn.recorded()], api=api).batch_results("batch_1")
    assert [r.custom_id for r in found] == [w["custom_id"] for w in wire]
    for got, told in zip(found, wire, strict=True):
        assert isinstance(got.response, ChatResponse)
        assert got.response.id == told["response"]["body"]["id"]
        assert got.response.text
