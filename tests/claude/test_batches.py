"""A batch is what its chats are alone, and its results are what single calls give."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from claude.replays import replaying
from jackfield import (
    ChatRequest,
    ContextLengthExceededError,
    EmbeddingRequest,
    InvalidRequestError,
    LLMError,
    MediaPart,
    Message,
    ProviderError,
    ResponseFormat,
    ResponseFormatError,
    TextPart,
    UnsupportedOperationError,
)
from jackfield.drivers.replay import Recorded
from jackfield.operations import BatchItem, JobStatus
from jackfield.testing import strategies as jf
from jackfield_claude.config import FILES_BETA
from jackfield_claude.operations.results import HTTP_STATUS
from support.specs import needs_specs, request_errors

COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
JOB = {"id": "msgbatch_1", "type": "message_batch", "processing_status": "in_progress",
       "request_counts": dict.fromkeys(COUNTS, 0), "created_at": "2026-01-01T00:05:23.250396Z",
       "ended_at": None, "results_url": None}  # fmt: skip
URL = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results"
ENDED = {**JOB, "processing_status": "ended", "results_url": URL}
FILE = {"type": "file", "id": "file_1", "filename": "a.pdf", "mime_type": "application/pdf",
        "size_bytes": 3, "created_at": "2026-01-01T00:05:23Z"}  # fmt: skip
OPTIONS = settings(max_examples=50, deadline=None)


def recorded(body: Any, status: int = 200) -> Recorded:
    return Recorded(
        status=status, chunks=[body if isinstance(body, bytes) else json.dumps(body).encode()]
    )


def message(*content: Any, stop: str = "end_turn") -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
            "content": list(content), "stop_reason": stop,
            "usage": {"input_tokens": 5, "output_tokens": 7,
                      "cache_creation": {"ephemeral_1h_input_tokens": 3}}}  # fmt: skip


def lines(**results: Any) -> bytes:
    told = [{"custom_id": name, "result": result} for name, result in results.items()]
    return "".join(json.dumps(t, ensure_ascii=False) + "\n" for t in told).encode()


def failure(kind: str, text: str = "No.") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_7"}


def chat(text: str = "Hi", **more: Any) -> ChatRequest:
    return ChatRequest(model="claude-opus-4-8", messages=[Message("user", text)], **more)


def requests(provider: Any) -> Any:
    return provider._driver.transport.requests


def results(body: bytes, **more: Any) -> Any:
    provider = replaying(recorded(ENDED), recorded(body))
    found = provider.batch_results("msgbatch_1", **more)
    assert requests(provider)[1].url == URL
    return found


@OPTIONS
@given(asked=st.lists(jf.chat_requests(with_media=True), min_size=1, max_size=4))
def test_each_request_is_the_body_that_it_has_alone(asked: list[ChatRequest]) -> None:
    chats = [evolve(r, model="claude-opus-4-8") for r in asked]
    chats = [evolve(r, messages=[*r.messages, Message("user", "Go on")]) for r in chats]
    provider = replaying(recorded(JOB))
    provider.create_batch(chats)
    (http,) = requests(provider)
    sent = json.loads(http.body)["requests"]
    assert [s["params"] for s in sent] == [provider.explain(r).body for r in chats]
    assert [s["custom_id"] for s in sent] == [f"request-{at}" for at in range(len(chats))]


def test_the_betas_of_all_requests_are_switched_on() -> None:
    picture = Message("user", MediaPart("image/png", url="file_011"))
    beta = {"claude": {"betas": ["context-1m-2025-08-07"]}}
    provider = replaying(recorded(JOB))
    provider.create_batch([chat(provider_options=beta), evolve(chat(), messages=[picture])])
    (http,) = requests(provider)
    assert http.headers["anthropic-beta"] == f"context-1m-2025-08-07,{FILES_BETA}"
    body = json.loads(http.body)
    assert "betas" not in body["requests"][0]["params"]


def test_a_compromise_of_one_request_is_an_error_for_a_strict_batch() -> None:
    provider = replaying(recorded(JOB))
    sound = evolve(
        chat(), messages=[Message("user", [TextPart("Hi"), MediaPart("audio/wav", b"RIFF")])]
    )
    with pytest.raises(InvalidRequestError, match="loud: audio/wav"):
        provider.create_batch([BatchItem(custom_id="loud", request=sound)], strict=True)
    assert requests(provider) == []


@pytest.mark.parametrize("asked", [[], [EmbeddingRequest(model="m", inputs="a")]], ids=repr)
def test_what_is_no_batch_is_refused_before_anything_is_sent(asked: list[Any]) -> None:
    provider = replaying()
    with pytest.raises(InvalidRequestError, match="batch"):
        provider.create_batch(asked)
    assert requests(provider) == []


@OPTIONS
@given(counts=st.fixed_dictionaries({c: st.integers(0, 9) for c in COUNTS}))
def test_the_counts_of_a_batch_add_up(counts: dict[str, int]) -> None:
    told = {**ENDED, "request_counts": counts}
    job = replaying(recorded(told)).get_batch("msgbatch_1")
    assert job.total == sum(counts.values())
    assert (job.succeeded, job.failed) == (
        counts["succeeded"],
        counts["errored"] + counts["canceled"] + counts["expired"],
    )
    assert job.status.ended
    assert (job.status is JobStatus.SUCCEEDED) == (not counts["canceled"] and not counts["expired"])


def test_an_answer_is_what_the_single_call_gives_with_the_longer_caches_usage() -> None:
    told = message({"type": "text", "text": "Vier\u2028 🐦"})
    (found,) = results(lines(one={"type": "succeeded", "message": told}))
    alone = replaying(recorded(told)).run(chat())
    assert (found.response, found.error) == (alone, None)
    assert found.response.usage.raw["cache_creation"]["ephemeral_1h_input_tokens"] == 3


def test_a_format_that_was_asked_for_with_a_tool_is_read_when_the_items_are_known() -> None:
    asked = chat(response_format=ResponseFormat(type="json"))
    (tool,) = replaying().explain(asked).body["tools"]
    use = {"type": "tool_use", "id": "toolu_1", "name": tool["name"], "input": {"a": 1}}
    line = lines(**{"request-0": {"type": "succeeded", "message": message(use, stop="tool_use")}})
    (found,) = results(line, items=[asked])
    alone = replaying(recorded(message(use, stop="tool_use"))).run(asked)
    assert found.response.text == alone.text
    assert json.loads(found.response.text) == {"a": 1}


@pytest.mark.parametrize("kind", HTTP_STATUS)
def test_an_error_is_the_single_calls_error(kind: str) -> None:
    (found,) = results(lines(one={"type": "errored", "error": failure(kind)}))
    with pytest.raises(LLMError) as caught:
        replaying(recorded(failure(kind), HTTP_STATUS[kind])).run(chat())
    assert type(found.error) is type(caught.value)
    assert (found.error.message, found.error.code) == ("No.", kind)
    assert (found.error.provider, found.error.request_id) == ("claude", "req_7")
    assert found.error.status == caught.value.status


def test_errors_that_are_told_otherwise_are_errors_too() -> None:
    long = failure("invalid_request_error", "prompt is too long: 212345 tokens > 200000 maximum")
    broken = message()
    del broken["content"]
    found = results(
        lines(
            long={"type": "errored", "error": long},
            new={"type": "errored", "error": failure("error_of_tomorrow")},
            stopped={"type": "canceled"},
            late={"type": "expired"},
            other={"type": "something_new"},
            broken={"type": "succeeded", "message": broken},
        )
    )
    kinds = {r.custom_id: (type(r.error), r.error.code, r.response) for r in found}
    assert kinds == {
        "long": (ContextLengthExceededError, "invalid_request_error", None),
        "new": (ProviderError, "error_of_tomorrow", None),
        "stopped": (ProviderError, "canceled", None),
        "late": (ProviderError, "expired", None),
        "other": (ProviderError, "something_new", None),
        "broken": (ResponseFormatError, None, None),
    }


def test_results_that_are_elsewhere_are_not_fetched() -> None:
    provider = replaying(recorded({**ENDED, "results_url": "https://elsewhere.example/r"}))
    with pytest.raises(ResponseFormatError, match="another server"):
        provider.batch_results("msgbatch_1")
    assert len(requests(provider)) == 1


@pytest.mark.parametrize("told", [JOB, {**ENDED, "results_url": None}], ids=["early", "late"])
def test_results_that_are_not_there_are_told(told: Any) -> None:
    with pytest.raises(InvalidRequestError, match="ended"):
        replaying(recorded(told)).batch_results("msgbatch_1")


@pytest.mark.parametrize("body", [b"[]", b'{"custom_id": "a"}', b'{"custom_id"', b'{"result": {}}'])
def test_lines_of_another_shape_are_typed_errors(body: bytes) -> None:
    with pytest.raises(ResponseFormatError):
        results(body)


@pytest.mark.parametrize("verb", ["list_batches", "list_files"])
def test_lists_are_read_page_by_page(verb: str) -> None:
    wire = JOB if verb == "list_batches" else FILE
    ids = [f"i{at}" for at in range(5)]
    first, second = (
        {"data": [{**wire, "id": i} for i in some], "has_more": more, "last_id": some[-1]}
        for some, more in ((ids[:3], True), (ids[3:], False))
    )
    provider = replaying(recorded(first), recorded(second))
    assert [thing.id for thing in getattr(provider, verb)()] == ids
    assert "after_id=i2" in requests(provider)[1].url
    short = getattr(replaying(recorded(first)), verb)(limit=2)
    assert [thing.id for thing in short] == ids[:2]
    round_again = replaying(recorded(first), recorded(first))
    with pytest.raises(ResponseFormatError, match="round again"):
        getattr(round_again, verb)()


def test_a_file_that_was_uploaded_is_referred_to_by_its_id() -> None:
    provider = replaying(recorded(FILE))
    file = provider.upload_file(b"%PDF-1.7", "a.pdf")
    parts = [MediaPart(file.media_type or "", url=file.id), MediaPart("image/png", url=file.id)]
    plan = provider.explain(evolve(chat(), messages=[Message("user", parts)]))
    source = {"type": "file", "file_id": "file_1"}
    assert plan.body["messages"][0]["content"] == [
        {"type": "document", "source": source},
        {"type": "image", "source": source},
    ]
    assert (plan.headers["anthropic-beta"], plan.warnings) == (FILES_BETA, ())


@needs_specs
@OPTIONS
@given(
    file_id=st.from_regex(r"file_\w{1,30}", fullmatch=True),
    kind=st.sampled_from(["image/png", "text/csv"]),
)
def test_a_message_with_a_file_is_as_described(file_id: str, kind: str) -> None:
    asked = Message("user", [MediaPart(kind, url=file_id, name="a file")])
    body = replaying().explain(evolve(chat(), messages=[asked])).body
    assert request_errors("anthropic", "POST", "/v1/messages?beta=true", body) == []


def test_a_purpose_is_dropped_aloud() -> None:
    with pytest.raises(InvalidRequestError, match="purpose"):
        replaying().upload_file(b"a", "a.txt", purpose="batch", strict=True)


def test_what_the_service_does_not_have_is_not_offered() -> None:
    with pytest.raises(UnsupportedOperationError):
        replaying().run(EmbeddingRequest(model="m", inputs="a"))
