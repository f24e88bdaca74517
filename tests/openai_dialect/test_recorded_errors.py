"""Every recorded failure is a typed error with its status, and odd answers are told apart from good ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import (
    AuthenticationError,
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from openai_dialect.reading import read_answers
from openai_dialect.replaying import COLOURS, KEY, sync
from openai_dialect.scope import OPERATIONS, documents, failed, inside, is_error
from support.recordings import WIRE, Turn

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]

FAILED = [t for t in inside(*OPERATIONS) if failed(t)]
REFUSED = [t for t in FAILED if t.status >= 300]
BROKEN = [t for t in FAILED if t.status < 300]

BY_STATUS: dict[int, type[LLMError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitError,
    500: ServerError,
    501: InvalidRequestError,
    503: OverloadedError,
}
BY_WORD: dict[str, type[LLMError]] = {
    "context_length_exceeded": ContextLengthExceededError,
    "exceed_context_size_error": ContextLengthExceededError,
    "insufficient_quota": QuotaExceededError,
}


def words(body: Any) -> list[str]:
    """The codes and types that an error's body names."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    return [str(error.get(key)) for key in ("code", "type")] if isinstance(error, dict) else []


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("turn", REFUSED, ids=str)
def test_a_refused_call_is_an_error_of_its_status_or_of_its_bodys_word(
    turn: Turn, colour: str
) -> None:
    error = COLOURS[colour](turn, None).error
    wanted = next((BY_WORD[w] for w in words(turn.response.get("body")) if w in BY_WORD), None)
    assert type(error) is (wanted or BY_STATUS[turn.status])
    assert isinstance(error, LLMError)
    assert error.status == turn.status
    assert error.provider
    headers = turn.response["headers"]
    assert error.request_id == headers.get("x-request-id", error.request_id)
    if "retry-after-ms" in headers:
        assert error.retry_after == float(headers["retry-after-ms"]) / 1000
    elif "retry-after" in headers:
        assert error.retry_after == float(headers["retry-after"])


@pytest.mark.parametrize("turn", REFUSED, ids=str)
def test_the_message_is_the_providers_own_and_holds_no_key(turn: Turn) -> None:
    error = sync(turn).error
    assert isinstance(error, LLMError)
    body = turn.response.get("body")
    inner = body.get("error", body) if isinstance(body, dict) else body
    said = inner.get("message") if isinstance(inner, dict) else inner
    if said and isinstance(said, str) and "<" not in said:
        assert said.split("\n")[0][:60] in error.message
    assert error.message
    assert KEY not in str(error) + repr(error)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("turn", BROKEN, ids=str)
def test_an_error_inside_a_good_status_is_typed_and_keeps_what_came_before(
    turn: Turn, colour: str
) -> None:
    outcome = COLOURS[colour](turn, None)
    at = next(i for i, d in enumerate(documents(turn)) if is_error(d))
    before = read_answers(documents(turn)[:at]).get(0)
    error = outcome.error
    if before is None:
        assert isinstance(error, ProviderError)
        return
    assert isinstance(error, StreamInterruptedError)
    assert isinstance(error.__cause__, ProviderError)
    assert error.partial is not None
    assert error.partial.text == before.text
    assert error.partial.reasoning == before.reasoning
    assert "".join(map(str, outcome.events)) == before.text
    inner = documents(turn)[at]["error"]
    assert inner["message"] in str(error)
    if isinstance(inner.get("code"), int):
        assert error.status == inner["code"]


STREAMS = [t for t in inside("chat") if t.streamed and not failed(t)]


@pytest.mark.parametrize("turn", STREAMS, ids=str)
def test_a_stream_cut_before_its_finish_reason_is_never_a_success(turn: Turn) -> None:
    payload = turn.payload
    lines = payload.split(b"\n")
    finish = next(i for i, line in enumerate(lines) if finishes(line))
    cut = b"\n".join(lines[:finish])
    for payload in (cut, cut[: len(cut) // 2], cut + lines[finish][:-2], b""):
        error = sync(turn, [payload] if payload else []).error
        assert isinstance(error, LLMError), payload[-80:]
        partial = (
            error.partial.text
            if isinstance(error, StreamInterruptedError) and error.partial
            else ""
        )
        assert read_answers(documents(turn))[0].text.startswith(partial)


def finishes(line: bytes) -> bool:
    """Whether a line of a stream has a finish reason."""
    if not line.startswith(b"data:") or line[5:].strip() in (b"", b"[DONE]"):
        return False
    return any(c.get("finish_reason") for c in json.loads(line[5:]).get("choices") or [])
