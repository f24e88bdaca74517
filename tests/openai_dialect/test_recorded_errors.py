"""Every recorded failure is a typed error with its status, and odd answers are told apart from good ones."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from attrs import evolve

from jackfield import (
    AuthenticationError,
    ContentFilterError,
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
    UnsupportedOperationError,
)
from openai_dialect.reading import Said, complete, read_answers
from openai_dialect.replaying import COLOURS, KEY, sync
from openai_dialect.scope import OPERATIONS, documents, failed, inside, is_error, whole
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
    "authentication_error": AuthenticationError,
    "content_filter": ContentFilterError,
    "content_policy_violation": ContentFilterError,
    "context_length_exceeded": ContextLengthExceededError,
    "exceed_context_size_error": ContextLengthExceededError,
    "insufficient_quota": QuotaExceededError,
    "invalid_api_key": AuthenticationError,
    "model_not_found": NotFoundError,
    "not_supported_error": UnsupportedOperationError,
    "rate_limit_exceeded": RateLimitError,
    "server_error": ServerError,
    "string_above_max_length": ContextLengthExceededError,
    "unavailable_error": OverloadedError,
}
TOO_LONG = (
    "context length is",
    "context length by",
    "the available context size",
    "`max_new_tokens` must be",
)


def by_status(status: int) -> type[LLMError]:
    """The error for *status*: one of its own, or that of its hundred."""
    plain = (409, 425, 408)  # to be tried again, although the number says otherwise
    own = {498: AuthenticationError, 529: OverloadedError, **dict.fromkeys(plain, ServerError)}
    usual = (
        ServerError if status >= 500 else InvalidRequestError if status >= 400 else ProviderError
    )
    return BY_STATUS.get(status, own.get(status, usual))


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
    assert isinstance(error, LLMError)
    wanted = next((BY_WORD[w] for w in words(turn.response.get("body")) if w in BY_WORD), None)
    if wanted is None and turn.status in (400, 422) and any(w in error.message for w in TOO_LONG):
        wanted = ContextLengthExceededError
    assert type(error) is (wanted or by_status(turn.status))
    assert error.status == turn.status
    assert error.provider
    headers = turn.response["headers"]
    assert error.request_id == headers.get("x-request-id", error.request_id)
    if "retry-after-ms" in headers:
        assert error.retry_after == float(headers["retry-after-ms"]) / 1000
    elif headers.get("retry-after", "").replace(".", "").isdigit():
        assert error.retry_after == float(headers["retry-after"])
    elif "retry-after" in headers:  # a date
        assert error.retry_after is None or error.retry_after >= 0


@pytest.mark.parametrize("turn", REFUSED, ids=str)
def test_the_message_is_the_providers_own_and_holds_no_key(turn: Turn) -> None:
    error = sync(turn).error
    assert isinstance(error, LLMError)
    body = turn.response.get("body")
    inner = body.get("error", body) if isinstance(body, dict) else body
    said = inner.get("message") if isinstance(inner, dict) else inner
    if isinstance(body, str):  # of a plain text, what needs no escape
        said = re.split(r"[^\w .,:;-]", body, maxsplit=1, flags=re.ASCII)[0]
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
    answers = read_answers(documents(turn)[:at])
    before = answers.get(0, Said())
    error = outcome.error
    if not any(a.text or a.reasoning or a.refusal or a.calls for a in answers.values()):
        assert isinstance(error, ProviderError)
        assert not outcome.events
        return
    assert isinstance(error, StreamInterruptedError)
    assert isinstance(error.__cause__, ProviderError)
    assert error.partial is not None
    assert error.partial.text == before.text
    assert error.partial.reasoning == before.reasoning
    assert "".join(map(str, outcome.events)) == before.text
    inner = documents(turn)[at].get("error") or documents(turn)[at]
    said = inner if isinstance(inner, str) else inner.get("message")
    if isinstance(said, str):
        assert said in str(error)
    code = inner.get("code") if isinstance(inner, dict) else None
    if isinstance(code, int) and 400 <= code < 600:
        assert error.status == code


STREAMS = [t for t in inside("chat") if t.streamed and not failed(t) and whole(t)]


def ended_early(turn: Turn) -> Turn:
    """*turn* as it would be if the connection had closed before any answer's last word."""
    lines = str(turn.response["sse"]).split("\n")
    finish = next(i for i, line in enumerate(lines) if finishes(line.encode()))
    return evolve(turn, response={**turn.response, "sse": "\n".join([*lines[:finish], ""])})


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "turn", [t for t in inside("chat") if t.streamed and not failed(t)], ids=str
)
def test_a_stream_without_its_end_is_broken_and_keeps_what_came(turn: Turn, colour: str) -> None:
    turn = ended_early(turn) if whole(turn) else turn
    error = COLOURS[colour](turn, None).error
    assert isinstance(error, StreamInterruptedError)
    before = read_answers(documents(turn), closed=False).get(0, Said())
    assert error.partial is not None
    assert error.partial.text == before.text
    assert error.partial.reasoning == before.reasoning
    kept = [(name, text) for name, text in before.calls if complete(text)]
    assert [(c.name, c.arguments) for c in error.partial.tool_calls] == kept


@pytest.mark.parametrize("turn", STREAMS, ids=str)
def test_a_stream_cut_before_its_finish_reason_is_never_a_success(turn: Turn) -> None:
    payload = turn.payload
    lines = payload.split(b"\n")
    finish = next(i for i, line in enumerate(lines) if finishes(line))
    cut = b"\n".join(lines[:finish])
    for payload in (cut, cut[: len(cut) // 2], cut + b"\n" + lines[finish].rstrip()[:-2], b""):
        error = sync(turn, [payload] if payload else []).error
        assert isinstance(error, LLMError), payload[-80:]
        partial = (
            error.partial.text
            if isinstance(error, StreamInterruptedError) and error.partial
            else ""
        )
        assert read_answers(documents(turn)).get(0, Said()).text.startswith(partial)
        calls = error.partial.tool_calls if isinstance(error, StreamInterruptedError) else ()  # type: ignore[union-attr]  # it is always there
        assert all(complete(call.arguments) for call in calls)


def finishes(line: bytes) -> bool:
    """Whether a line of a stream has a finish reason, or is its terminator."""
    if not line.startswith(b"data:") or not line[5:].strip():
        return False
    if line[5:].strip() == b"[DONE]":
        return True
    return any(c.get("finish_reason") for c in json.loads(line[5:]).get("choices") or [])
