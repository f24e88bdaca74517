"""Recorded truth: every recorded answer of the Messages API becomes the typed values that the wire says."""

from __future__ import annotations

import json
import random
import re
from functools import partial
from itertools import pairwise
from typing import Any

import anyio
import pytest

from claude import traffic
from claude.reading import KNOWN, others, parsed, read
from claude.replays import PLAIN, asked, each, replaying
from jackfield import (
    AuthenticationError,
    ContextLengthExceededError,
    FinishReason,
    InvalidRequestError,
    LLMError,
    Message,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderPart,
    QuotaExceededError,
    RateLimitError,
    ReasoningPart,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    TextPart,
    ToolCall,
    fold,
)
from jackfield.errors import for_status
from support.recordings import Turn, pieces

pytestmark = pytest.mark.wire

CLASSES = {
    "invalid_request_error": InvalidRequestError,
    "authentication_error": AuthenticationError,
    "billing_error": QuotaExceededError,
    "permission_error": PermissionDeniedError,
    "not_found_error": NotFoundError,
    "request_too_large": InvalidRequestError,
    "rate_limit_error": RateLimitError,
    "timeout_error": ServerError,
    "api_error": ServerError,
    "overloaded_error": OverloadedError,
    # Those of llama.cpp's server.
    "exceed_context_size_error": ContextLengthExceededError,
    "unavailable_error": OverloadedError,
}
REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}

CHATS = traffic.of(traffic.CHAT)
ANSWERED = [t for t in CHATS if read(t).answered]
STREAMED = [t for t in ANSWERED if t.streamed]
FAILED = [t for t in CHATS if read(t).error is not None]
BROKEN = [t for t in CHATS if read(t).error is None and not read(t).whole]
ILLEGIBLE = [t for t in CHATS if not read(t).legible]


def outcome(turn: Turn, chunks: list[bytes] | None = None) -> tuple[list[Any], Any]:
    """The events and the response of *turn*, in a blocking program."""
    provider = replaying(turn.recorded(chunks))
    if not turn.streamed:
        return [], provider.run(asked(turn))
    with provider.stream(asked(turn)) as stream:
        events = list(stream)
        return events, stream.response


async def aoutcome(turn: Turn, chunks: list[bytes]) -> tuple[list[Any], Any]:
    """The same on an event loop."""
    provider = replaying(turn.recorded(chunks))
    if not turn.streamed:
        return [], await provider.arun(asked(turn))
    async with provider.astream(asked(turn)) as stream:
        events = [event async for event in stream]
        return events, stream.response


def scattered(turn: Turn) -> list[bytes]:
    """The payload of *turn* in pieces of chance sizes, the same in each run."""
    chance = random.Random(str(turn))
    payload = turn.payload
    edges = sorted({0, len(payload), *(chance.randrange(len(payload) + 1) for _ in range(40))})
    return [payload[a:b] for a, b in pairwise(edges)]


@each(ANSWERED)
def test_text_and_thinking_are_the_wires(turn: Turn) -> None:
    wire, (_, response) = read(turn), outcome(turn)
    assert response.text == wire.text
    assert response.reasoning == wire.thinking
    kept = [p for p in response.message.content if isinstance(p, ReasoningPart)]
    signatures = [b.get("signature") for b in wire.of("thinking") if b.get("signature")]
    assert [p.signature for p in kept if p.signature] == signatures
    assert [p.redacted for p in kept if p.redacted is not None] == [
        b["data"] for b in wire.of("redacted_thinking")
    ]


@each(ANSWERED)
def test_tool_calls_are_the_wires(turn: Turn) -> None:
    wire, (_, response) = read(turn), outcome(turn)
    assert [(c.id, c.name, parsed(c.arguments)) for c in response.tool_calls] == [
        (b["id"], b["name"], b.get("input", {})) for b in wire.of("tool_use")
    ]


@each(ANSWERED)
def test_blocks_of_claudes_own_are_kept_whole_and_in_their_place(turn: Turn) -> None:
    wire, (_, response) = read(turn), outcome(turn)
    kept = [p for p in response.message.content if isinstance(p, ProviderPart)]
    assert [p.data for p in kept] == list(others(wire))
    kinds = {ToolCall: "tool_use", ProviderPart: "other"}
    ours = [kinds[type(p)] for p in response.message.content if type(p) in kinds]
    theirs = ["other" if b["type"] not in KNOWN else b["type"] for b in wire.blocks]
    assert ours == [kind for kind in theirs if kind in ("tool_use", "other")]


@each(ANSWERED)
def test_citations_stay_with_their_text(turn: Turn) -> None:
    wire, (_, response) = read(turn), outcome(turn)
    kept = [
        (part.text, part.provider_metadata["claude"]["citations"])
        for part in response.message.content
        if isinstance(part, TextPart) and "claude" in part.provider_metadata
    ]
    assert kept == [(b["text"], b["citations"]) for b in wire.of("text") if b.get("citations")]


@each(ANSWERED)
def test_usage_is_the_wires_in_inclusive_totals(turn: Turn) -> None:
    wire, (_, response) = read(turn), outcome(turn)
    usage = response.usage
    assert usage.input_tokens == wire.input_tokens
    assert usage.output_tokens == wire.usage.get("output_tokens")
    assert usage.cache_read_tokens == wire.usage.get("cache_read_input_tokens")
    assert usage.cache_write_tokens == wire.usage.get("cache_creation_input_tokens")
    details = wire.usage.get("output_tokens_details") or {}
    assert usage.reasoning_tokens == details.get("thinking_tokens")
    assert usage.raw == wire.usage


@each(ANSWERED)
def test_both_words_for_the_end_are_kept_and_who_answered(turn: Turn) -> None:
    wire, (_, response) = read(turn), outcome(turn)
    stop = wire.end.get("stop_reason")
    assert response.raw_finish_reason == stop
    assert response.finish_reason == REASONS.get(str(stop), FinishReason.OTHER)
    assert (response.id, response.model) == (wire.start.get("id", ""), wire.start.get("model", ""))
    about = response.provider_metadata.get("claude", {})
    assert about == wire.about


@each(ANSWERED)
def test_a_warning_comes_only_for_what_could_not_be_kept(turn: Turn) -> None:
    _, response = outcome(turn)
    request = asked(turn)
    limits = {"temperature": (0, 1), "top_p": (0, 1), "top_k": (0, 10**9)}
    given = {n: getattr(request.params, n) for n in limits}
    beyond = {
        n for n, v in given.items() if v is not None and not limits[n][0] <= v <= limits[n][1]
    }
    assert {w.subject for w in response.warnings if w.kind == "clamped"} == beyond
    # Older models had no schemas: they are made to call a tool, and a recording does not.
    shaped = {"response_format"} if request.response_format else set()
    told = {w.subject for w in response.warnings if w.kind != "clamped"} - shaped
    assert told == {f"messages[{n}]" for n, m in enumerate(request.messages) if blank(m)}


def blank(message: Message) -> bool:
    """Whether *message* says nothing at all."""
    return all(isinstance(p, TextPart) and not p.text.strip() for p in message.content)


@each(ANSWERED)
def test_however_the_bytes_arrive_the_events_and_the_response_are_the_same(turn: Turn) -> None:
    whole = outcome(turn)
    assert outcome(turn, pieces(turn.payload, 1)) == whole
    assert outcome(turn, scattered(turn)) == whole


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@each(ANSWERED)
def test_an_event_loop_gives_what_a_blocking_program_gets(turn: Turn, backend: str) -> None:
    assert anyio.run(aoutcome, turn, scattered(turn), backend=backend) == outcome(turn)


@each(STREAMED)
def test_the_events_of_a_stream_fold_into_its_response(turn: Turn) -> None:
    events, response = outcome(turn)
    assert fold(events) == response
    assert "".join(map(str, events)) == response.text


@each([t for t in ANSWERED if not t.streamed])
def test_a_whole_answer_to_a_streaming_call_is_the_same_answer(turn: Turn) -> None:
    with replaying(turn.recorded()).stream(asked(turn)) as stream:
        assert stream.drain() == outcome(turn)[1]


def stopped(payload: bytes) -> bool:
    """Whether the events in *payload* hold a stop reason or the stream's terminator."""
    lines = [x[5:].strip() for x in payload.decode().splitlines() if x.startswith("data:")]
    events = [json.loads(x) for x in lines if x != "[DONE]"]
    ends = [e["delta"] for e in events if e.get("type") == "message_delta"]
    return any(e.get("type") == "message_stop" for e in events) or any(
        e.get("stop_reason") for e in ends
    )


@each(STREAMED)
def test_a_stream_that_is_cut_is_whole_only_after_its_stop_reason_or_terminator(turn: Turn) -> None:
    whole, payload = outcome(turn)[1], turn.payload
    for cut in re.finditer(rb"\r?\n\r?\n", payload):
        received = payload[: cut.end()]
        if stopped(received):
            _, response = outcome(turn, [received])
            assert response.message == whole.message
            assert response.finish_reason == whole.finish_reason
        else:
            with pytest.raises(StreamInterruptedError) as caught:
                outcome(turn, [received])
            assert whole.text.startswith(caught.value.partial_text)


@each(BROKEN)
def test_a_recorded_stream_without_an_end_is_interrupted(turn: Turn) -> None:
    with pytest.raises(StreamInterruptedError) as caught:
        outcome(turn)
    assert caught.value.partial_text == read(turn).text


def expected_class(turn: Turn) -> type[LLMError]:
    """The class that the wire's own words name, or else its status."""
    error = read(turn).error or {}
    said, details = str(error.get("message", "")), error.get("details")
    found = CLASSES.get(str(error.get("type"))) or for_status(turn.status, None, {})
    if re.match(r"prompt is too long: \d|input length and `max_tokens` exceed context", said):
        return ContextLengthExceededError if found is InvalidRequestError else found
    code = details.get("error_code") if isinstance(details, dict) else None
    return QuotaExceededError if str(code).endswith("spend_limit_reached") else found


@each(FAILED)
def test_an_error_has_its_class_and_its_facts(turn: Turn) -> None:
    wire = read(turn).error or {}
    for stream in (True, False) if not turn.streamed else (True,):
        provider = replaying(turn.recorded())
        call = provider.stream(PLAIN).drain if stream else partial(provider.run, PLAIN)
        with pytest.raises(LLMError) as caught:
            call()
        error = caught.value
        inside = error if turn.status >= 300 or error.__cause__ is None else error.__cause__
        assert type(inside) is expected_class(turn)
        assert isinstance(inside, LLMError)
        assert inside.message == (wire.get("message") or inside.message)
        if turn.status >= 300:
            assert error.status == turn.status
            headers = turn.response.get("headers") or {}
            body = parsed(turn.payload.decode("utf-8", "replace"))
            within = body.get("request_id") if isinstance(body, dict) else None
            assert error.request_id == (headers.get("request-id") or within or error.request_id)
            if re.fullmatch(r"[\d.]+", headers.get("retry-after", "")):
                assert error.retry_after == float(headers["retry-after"])


@each(ILLEGIBLE)
def test_what_is_no_answer_and_no_error_is_an_error_all_the_same(turn: Turn) -> None:
    with pytest.raises(ResponseFormatError):
        replaying(turn.recorded()).run(PLAIN)
    with pytest.raises((ResponseFormatError, StreamInterruptedError)):
        replaying(turn.recorded()).stream(PLAIN).drain()


def told(turn: Turn, chunks: list[bytes] | None = None) -> str:
    """The error of *turn* with all its facts, in a blocking program."""
    provider = replaying(turn.recorded(chunks))
    call = provider.stream(PLAIN).drain if turn.streamed else partial(provider.run, PLAIN)
    with pytest.raises(LLMError) as caught:
        call()
    return facts(caught.value)


async def atold(turn: Turn, chunks: list[bytes]) -> str:
    """The same on an event loop."""
    provider = replaying(turn.recorded(chunks))
    with pytest.raises(LLMError) as caught:
        await (provider.astream(PLAIN).drain() if turn.streamed else provider.arun(PLAIN))
    return facts(caught.value)


def facts(error: LLMError) -> str:
    """Everything that *error* tells, its cause and what had arrived included."""
    return f"{error!r} {error} {sorted(error.__dict__.items())} {error.__cause__!r}"


@each([*FAILED, *BROKEN, *ILLEGIBLE])
def test_an_error_is_the_same_however_its_bytes_arrive(turn: Turn) -> None:
    assert told(turn, pieces(turn.payload, 1)) == told(turn) == told(turn, scattered(turn))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@each([*FAILED, *BROKEN, *ILLEGIBLE])
def test_an_event_loop_meets_the_error_of_a_blocking_program(turn: Turn, backend: str) -> None:
    assert anyio.run(atold, turn, scattered(turn), backend=backend) == told(turn)
