"""Recorded traffic of Ollama's native API replays through the real plugin, in every colour and any pieces."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio
import pytest

from jackfield import (
    AuthenticationError,
    ChatResponse,
    ContextLengthExceededError,
    FinishReason,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    PullRequest,
    QuotaExceededError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    fold,
)
from jackfield_ollama import OllamaProvider
from support.ollama_answers import Truth, lines, read_answer, refusal, text_of
from support.ollama_reading import beyond, meaning, native, read_request, streams
from support.ollama_replays import HERE, provider
from support.ollama_scope import IN_SCOPE, reason, taken
from support.recordings import WIRE, Turn, pieces, turns

REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
}
CLASSES: Mapping[int, type[LLMError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ServerError,
    425: ServerError,
    429: RateLimitError,
    501: InvalidRequestError,
    503: OverloadedError,
    529: OverloadedError,
}


TURNS = turns("ollama")
NATIVE = [t for t in TURNS if taken(t)]
ANSWERS = [t for t in NATIVE if native(t)[1] in {"POST /api/chat", "POST /api/generate"}]
ANSWERED = [t for t in ANSWERS if t.status == 200]
FAILED = [t for t in NATIVE if not 200 <= t.status < 300]

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not TURNS, reason=f"no recordings at {WIRE / 'ollama'}"),
]


def each(found: Sequence[Turn]) -> pytest.MarkDecorator:
    """Run a test for each of the turns found; say so where there is none."""
    none = pytest.param(None, id="none", marks=pytest.mark.skip(reason="no such turn is recorded"))
    return pytest.mark.parametrize("turn", found or [none], ids=str)


def replay(
    turn: Turn, chunks: Sequence[bytes] | None = None, backend: OllamaProvider | None = None
) -> Any:
    """The result of the recorded call, performed blocking; streamed where it was."""
    backend, request = backend or provider(turn, chunks), read_request(turn)
    if turn in ANSWERS and streams(turn):
        with backend.stream(request) as stream:
            events = list(stream)
        assert fold(events) == stream.response
        assert "".join(map(str, events)) == stream.response.text
        return stream.response
    return backend.run(request)


async def areplay(turn: Turn, chunks: Sequence[bytes] | None = None) -> Any:
    """`replay`, on the running event loop."""
    backend, request = provider(turn, chunks), read_request(turn)
    if turn in ANSWERS and streams(turn):
        async with backend.astream(request) as stream:
            events = [event async for event in stream]
        assert fold(events) == stream.response
        return stream.response
    return await backend.arun(request)


def random_pieces(payload: bytes, seed: str) -> list[bytes]:
    """*payload* in pieces of any size, the same ones each time."""
    chance, found, at = random.Random(seed), [], 0
    while at < len(payload):
        size = chance.choice((1, 2, 3, 7, 50, 400, 3000))
        found.append(payload[at : at + size])
        at += size
    return found


def agrees(answer: ChatResponse, truth: Truth) -> None:
    """Hold *answer* to what its recording says."""
    assert answer.text == truth.text
    assert answer.reasoning == truth.thinking
    found = [(c.name, json.loads(c.arguments)) for c in answer.tool_calls]
    assert found == truth.calls
    ids = [c.id for c in answer.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (truth.prompt, truth.output)
    assert answer.model == truth.model
    assert answer.raw_finish_reason == truth.reason
    plain = REASONS.get(truth.reason or "", FinishReason.OTHER)
    called = truth.calls and plain in (FinishReason.STOP, FinishReason.OTHER)
    assert answer.finish_reason == (FinishReason.TOOL_CALLS if called else plain)


def test_every_recorded_turn_is_replayed_or_its_absence_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = Counter((native(turn)[1], reason(turn) or "replayed") for turn in TURNS)
    table = [f"{n:>4}  {operation:<28} {why}" for (operation, why), n in sorted(rows.items())]
    with capsys.disabled():
        print("\n" + "\n".join(table))  # noqa: T201  # the coverage table
    assert [t for t in TURNS if taken(t) == (reason(t) is not None)] == []
    assert sum(rows.values()) == len(TURNS)


@each(ANSWERED)
def test_an_answer_says_what_its_recording_says(turn: Turn) -> None:
    truth = read_answer(turn)
    if truth.error is None and truth.done:
        agrees(replay(turn), truth)
        return
    with pytest.raises((ProviderError, StreamInterruptedError, ResponseFormatError)) as caught:
        replay(turn)
    if isinstance(caught.value, StreamInterruptedError):
        assert truth.text.startswith(caught.value.partial_text)


WHOLE = [t for t in ANSWERED if (truth := read_answer(t)).done and truth.error is None]


@each(WHOLE)
@pytest.mark.parametrize("cut", ["bytes", "random"])
def test_pieces_of_any_size_come_to_the_same_answer(turn: Turn, cut: str) -> None:
    whole = turn.payload
    chunks = pieces(whole, 1) if cut == "bytes" else random_pieces(whole, str(turn))
    assert replay(turn, chunks) == replay(turn)


@each(WHOLE)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_event_loop_comes_to_the_same_answer(turn: Turn, backend: str) -> None:
    chunks = random_pieces(turn.payload, str(turn))
    assert anyio.run(areplay, turn, chunks, backend=backend) == replay(turn)


@each([t for t in WHOLE if not t.streamed and b"\n" not in t.payload.strip()])
def test_a_whole_answer_is_the_same_read_as_a_stream(turn: Turn) -> None:
    request = read_request(turn)
    assert provider(turn).stream(request).drain() == provider(turn).run(request)


@each([t for t in WHOLE if t.streamed])
def test_a_stream_without_its_last_line_is_an_interruption(turn: Turn) -> None:
    told = lines(turn)[:-1]
    chunks = [json.dumps(line).encode() + b"\n" for line in told]
    with pytest.raises(StreamInterruptedError) as caught:
        replay(turn, chunks)
    assert caught.value.partial_text == text_of(told)


def kinds(turn: Turn) -> tuple[type[LLMError], ...]:
    """The class that an error's status gives it, or the more telling one of its words."""
    usual = ServerError if turn.status >= 500 else InvalidRequestError
    found = CLASSES.get(turn.status, usual) if turn.status >= 400 else ProviderError
    if turn.status == 429 and "usage limit" in refusal(turn):
        return (QuotaExceededError,)
    if "manifest: file does not exist" in refusal(turn):
        return (NotFoundError,)
    too_long = "context" in refusal(turn) and "exceed" in refusal(turn)
    return (found, ContextLengthExceededError) if too_long else (found,)


@each(FAILED)
@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
def test_a_recorded_error_has_its_class_and_its_words(turn: Turn, colour: str) -> None:
    said = refusal(turn)
    with pytest.raises(kinds(turn)) as caught:
        replay(turn) if colour == "sync" else anyio.run(areplay, turn, backend=colour)
    error = caught.value
    assert (error.status, error.provider) == (turn.status, "ollama")
    assert said in error.message
    if said and turn.status == 404 and native(turn)[1] in ASKING:
        assert f"jackfield pull ollama/{error.model}" in error.message


ASKING = IN_SCOPE - {"POST /api/pull", "DELETE /api/delete", "GET /api/tags", "GET /api/ps"}


ASKED = [t for t in NATIVE if isinstance(t.body, dict)]
SAYABLE = [t for t in ASKED if not beyond(t.body)]


def test_nearly_every_recorded_request_can_be_said_in_common_words() -> None:
    print([(str(t), beyond(t.body)) for t in ASKED if beyond(t.body)])  # noqa: T201  # for reading
    assert len(SAYABLE) >= 0.9 * len(ASKED)


@each(SAYABLE)
def test_the_recorded_request_is_built_from_the_typed_one(turn: Turn) -> None:
    request = read_request(turn)
    recorded = dict(turn.body)
    if turn in ANSWERS or isinstance(request, PullRequest):
        # To leave it out is to ask for a stream.
        recorded = {"stream": True} | recorded
    if isinstance(request, PullRequest):
        recorded["stream"] = True
    if isinstance(recorded.get("input"), str):
        recorded["input"] = [recorded["input"]]
    assert meaning(sent_body(turn)) == meaning(recorded)


def sent_body(turn: Turn) -> Any:
    """The body of our last request for the call, which goes where the recorded one went."""
    backend = provider(turn)
    with suppress(LLMError):
        replay(turn, backend=backend)
    driver: Any = backend._driver
    sent = driver.transport.requests[-1]
    assert (sent.method, sent.url.removeprefix(HERE)) == (turn.request["method"], turn.path)
    return json.loads(sent.body or b"null")
