"""Every recorded answer of Gemini replays to the values that the wire says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gemini.meaning import meaning
from gemini.replays import replay, whole
from gemini.traffic import ALL, answered, each, of, operation, reason
from gemini.typed import typed
from jackfield import (
    AuthenticationError,
    ChatRequest,
    FinishReason,
    InvalidRequestError,
    Message,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from jackfield_gemini import GeminiProvider
from support.recordings import Turn

pytestmark = pytest.mark.wire
BY_STATUS: dict[int, tuple[type[ProviderError], ...]] = {
    400: (InvalidRequestError, AuthenticationError),
    401: (AuthenticationError,),
    403: (PermissionDeniedError,),
    404: (NotFoundError,),
    429: (RateLimitError,),
    500: (ServerError,),
    503: (OverloadedError,),
}
GOOD = [t for t in of("chat") if t.status == 200]


def candidates(turn: Turn) -> list[Any]:
    """The first answer's pieces."""
    told = [c for e in answered(turn) for c in e.get("candidates") or ()]
    return [c for c in told if c.get("index", 0) == 0]


def parts(turn: Turn) -> list[Any]:
    """The parts of the first answer, as they came."""
    return [p for c in candidates(turn) for p in (c.get("content") or {}).get("parts") or ()]


@each(ALL)
def test_every_turn_is_in_or_has_its_reason(turn: Turn) -> None:
    assert (operation(turn) is None) != (reason(turn) is None)


def test_nearly_all_turns_are_in() -> None:
    assert len(of()) >= 0.97 * len(ALL)


@each(GOOD)
def test_text_and_thoughts_are_those_of_the_wire(turn: Turn) -> None:
    answer, told = whole(turn), parts(turn)
    assert answer.text == "".join(p.get("text", "") for p in told if not p.get("thought"))
    assert answer.reasoning == "".join(p.get("text", "") for p in told if p.get("thought"))


@each(GOOD)
def test_calls_are_those_of_the_wire(turn: Turn) -> None:
    told = [p["functionCall"] for p in parts(turn) if "functionCall" in p]
    found = whole(turn).tool_calls
    assert [(c.name, json.loads(c.arguments)) for c in found] == [
        (c["name"], c.get("args") or {}) for c in told
    ]
    assert all(ours.id == c.get("id", ours.id) for ours, c in zip(found, told, strict=True))
    assert len({c.id for c in found}) == len(found)


@each(GOOD)
def test_the_end_is_that_of_the_wire(turn: Turn) -> None:
    answer = whole(turn)
    words = [c["finishReason"] for c in candidates(turn) if c.get("finishReason")]
    words += [e["promptFeedback"]["blockReason"] for e in answered(turn) if e.get("promptFeedback")]
    assert str(words[-1]).isdigit() or answer.raw_finish_reason == words[-1]
    called = bool(answer.tool_calls)
    assert (answer.finish_reason is FinishReason.TOOL_CALLS) == called
    assert answer.finish_reason is not FinishReason.OTHER


@each(GOOD)
def test_usage_is_that_of_the_wire(turn: Turn) -> None:
    told = [e["usageMetadata"] for e in answered(turn) if e.get("usageMetadata")]
    usage = whole(turn).usage
    if not told:
        assert usage.total_tokens is None
        return
    assert usage.raw == told[-1]
    assert usage.total_tokens == told[-1]["totalTokenCount"]
    assert usage.reasoning_tokens == told[-1].get("thoughtsTokenCount")
    assert usage.cache_read_tokens == told[-1].get("cachedContentTokenCount")


@each(GOOD)
def test_an_answer_goes_back_as_it_came(turn: Turn) -> None:
    answer = whole(turn)
    if not answer.message.content:
        return
    name = getattr(typed(turn), "model", "m")
    asked = ChatRequest(model=name, messages=[Message("user", "Hi"), answer.message])
    plan = GeminiProvider({"api_key": "made-up-key"}).explain(asked)
    assert plan.warnings == ()
    ours, told = _glued(plan.body["contents"][1]["parts"]), _glued(parts(turn))
    for mine, its in zip(ours, told, strict=True):
        if "functionCall" in its and "id" not in its["functionCall"]:
            del mine["functionCall"]["id"]
    assert ours == told


def _glued(given: list[Any]) -> list[Any]:
    """Parts of which neighbouring texts without a signature are one."""
    found: list[Any] = []
    for part in meaning({"contents": [{"role": "model", "parts": given}]})["contents"][0]["parts"]:
        before = found[-1] if found else {}
        plain = {"text"}, {"text", "thought"}
        if part.keys() in plain and part.keys() == before.keys():
            before["text"] += part["text"]
        else:
            found.append(dict(part))
    return found


@each([t for t in of() if t.status >= 300])
def test_an_error_has_its_class_and_facts(turn: Turn) -> None:
    error = replay(turn).error
    assert isinstance(error, BY_STATUS[turn.status])
    told = json.loads(turn.payload)["error"]
    assert (error.status, error.message) == (turn.status, told["message"])
    assert error.code == told["status"]
    delays = [d["retryDelay"] for d in told.get("details", ()) if "retryDelay" in d]
    assert error.retry_after == (float(delays[0].removesuffix("s")) if delays else None)


@each([t for t in of("embed") if t.status == 200])
def test_vectors_are_those_of_the_wire(turn: Turn) -> None:
    told = json.loads(turn.payload)
    found = told.get("embeddings") or [told["embedding"]]
    assert whole(turn).vectors == tuple(tuple(map(float, v["values"])) for v in found)


@each([t for t in of("count") if t.status == 200])
def test_counts_are_those_of_the_wire(turn: Turn) -> None:
    assert whole(turn).input_tokens == json.loads(turn.payload)["totalTokens"]


@each(of("models"))
def test_models_are_those_of_the_wire(turn: Turn) -> None:
    told = json.loads(turn.payload)["models"]
    found = whole(turn)
    assert [f"models/{m.id}" for m in found] == [m["name"] for m in told]
    assert [m.context_window for m in found] == [m.get("inputTokenLimit") for m in told]


@each(of("upload"))
def test_a_file_is_sent_in_two_steps(turn: Turn) -> None:
    outcome = replay(turn)
    told = json.loads(turn.payload)["file"]
    assert outcome.error is None
    file, (start, sent) = outcome.result, outcome.sent
    assert (file.id, file.uri, file.status) == (told["name"], told["uri"], told["state"])
    assert (file.size_bytes, file.media_type) == (int(told["sizeBytes"]), told["mimeType"])
    assert file.created_at is not None
    assert file.expires_at is not None
    assert (start.headers["x-goog-upload-command"], sent.body) == ("start", b"%PDF-1.7")
    assert sent.headers["x-goog-api-key"] == "made-up-key"
    assert "made-up-key" not in start.url + sent.url


@each(of("batch"))
def test_a_batch_is_that_of_the_wire(turn: Turn) -> None:
    told, job = json.loads(turn.payload), whole(turn)
    assert (job.id, job.raw_status) == (told["name"], told["metadata"]["state"])
    assert job.total == int(told["metadata"]["batchStats"]["requestCount"])


@each(of("delete file"))
def test_a_file_is_forgotten(turn: Turn) -> None:
    assert whole(turn) is None
