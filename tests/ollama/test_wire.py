"""Recorded traffic of Ollama's native API replays through the real plugin, in every colour and any pieces."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import pytest

from jackfield import (
    AuthenticationError,
    ChatResponse,
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
    Request,
    ServerError,
    StreamInterruptedError,
    fold,
)
from jackfield.drivers.replay import AsyncReplayDriver, ReplayDriver
from jackfield_ollama import OllamaProvider
from support.ollama_reading import Truth, beyond, meaning, read_chat_answer, read_request, streams
from support.recordings import WIRE, Turn, pieces, turns

IN_SCOPE = {
    "POST /api/chat", "POST /api/embed", "POST /api/show", "POST /api/pull",
    "GET /api/tags", "GET /api/ps", "DELETE /api/delete",
}  # fmt: skip

OUT_OF_SCOPE = {
    "POST /v1/messages": "Anthropic's dialect at Ollama's address: the claude plugin's",
    "POST /v1/": "OpenAI's dialect at Ollama's address: the openai-compatible plugin's",
    "GET /v1/": "OpenAI's dialect at Ollama's address: the openai-compatible plugin's",
    "POST /api/generate": "legacy completion of a bare prompt: Jackfield has chats",
    "POST /api/embeddings": "superseded by /api/embed, which is in scope",
    "POST /api/create": "makes models; not in this issue",
    "POST /api/copy": "makes models; not in this issue",
    "POST /api/push": "publishes models; not in this issue",
    "HEAD /api/blobs/": "makes models; not in this issue",
    "POST /api/blobs/": "makes models; not in this issue",
    "GET /api/version": "says nothing about models",
    "HEAD /": "says nothing about models",
    "GET /": "says nothing about models",
}

CLASSES: Mapping[int, type[LLMError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
    503: OverloadedError,
}


def reason(turn: Turn) -> str | None:
    """Why *turn* is out of scope; None if it is in it."""
    if turn.operation in IN_SCOPE:
        return None
    found = [why for start, why in OUT_OF_SCOPE.items() if turn.operation.startswith(start)]
    return found[0] if found else "UNEXPLAINED"


TURNS = turns("ollama")
NATIVE = [t for t in TURNS if reason(t) is None]
CHATS = [t for t in NATIVE if t.operation == "POST /api/chat"]
ANSWERED = [t for t in CHATS if t.status == 200]
FAILED = [t for t in NATIVE if t.status >= 400]

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not TURNS, reason=f"no recordings at {WIRE / 'ollama'}"),
]


def each(found: Sequence[Turn]) -> pytest.MarkDecorator:
    """Run a test for each of the turns found; say so where there is none."""
    none = pytest.param(None, id="none", marks=pytest.mark.skip(reason="no such turn is recorded"))
    return pytest.mark.parametrize("turn", found or [none], ids=str)


def provider(turn: Turn, chunks: Sequence[bytes] | None = None) -> OllamaProvider:
    recorded = [turn.recorded(chunks)]
    config = {"base_url": "http://127.0.0.1:11434", "retry": {"attempts": 1}}
    return OllamaProvider(
        config, driver=ReplayDriver(recorded), async_driver=AsyncReplayDriver(recorded)
    )


def replay(turn: Turn, chunks: Sequence[bytes] | None = None) -> Any:
    """The result of the recorded call, performed blocking; streamed where it was."""
    backend, request = provider(turn, chunks), read_request(turn)
    if turn in CHATS and streams(turn):
        with backend.stream(request) as stream:
            events = list(stream)
        assert fold(events) == stream.response
        assert "".join(map(str, events)) == stream.response.text
        return stream.response
    return backend.run(request)


async def areplay(turn: Turn, chunks: Sequence[bytes] | None = None) -> Any:
    """`replay`, on the running event loop."""
    backend, request = provider(turn, chunks), read_request(turn)
    if turn in CHATS and streams(turn):
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
    expected = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}
    called = truth.calls and truth.reason != "length"
    plain = expected.get(truth.reason or "", FinishReason.OTHER)
    assert answer.finish_reason == (FinishReason.TOOL_CALLS if called else plain)


def test_every_recorded_turn_is_replayed_or_its_absence_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = Counter((turn.operation, reason(turn) or "replayed") for turn in TURNS)
    table = [f"{n:>4}  {operation:<28} {why}" for (operation, why), n in sorted(rows.items())]
    with capsys.disabled():
        print("\n" + "\n".join(table))  # noqa: T201  # the coverage table
    assert [t for t in TURNS if reason(t) == "UNEXPLAINED"] == []
    assert sum(rows.values()) == len(TURNS)


@each(ANSWERED)
def test_an_answer_says_what_its_recording_says(turn: Turn) -> None:
    truth = read_chat_answer(turn)
    if truth.error is None and truth.done:
        agrees(replay(turn), truth)
        return
    with pytest.raises((ProviderError, StreamInterruptedError)) as caught:
        replay(turn)
    if isinstance(caught.value, StreamInterruptedError):
        assert truth.text.startswith(caught.value.partial_text)


WHOLE = [t for t in ANSWERED if (truth := read_chat_answer(t)).done and truth.error is None]


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


@each([t for t in WHOLE if not t.streamed])
def test_a_whole_answer_is_the_same_read_as_a_stream(turn: Turn) -> None:
    request = read_request(turn)
    assert provider(turn).stream(request).drain() == provider(turn).run(request)


@each([t for t in WHOLE if t.streamed])
def test_a_stream_without_its_last_line_is_an_interruption(turn: Turn) -> None:
    lines = turn.payload.splitlines(keepends=True)
    with pytest.raises(StreamInterruptedError) as caught:
        replay(turn, lines[:-1])
    assert caught.value.partial_text == read_chat_answer(turn).text


@each(FAILED)
@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
def test_a_recorded_error_has_its_class_and_its_words(turn: Turn, colour: str) -> None:
    usual = ServerError if turn.status >= 500 else InvalidRequestError
    said = str(json.loads(turn.payload)["error"]) if turn.payload.startswith(b"{") else ""
    with pytest.raises(CLASSES.get(turn.status, usual)) as caught:
        replay(turn) if colour == "sync" else anyio.run(areplay, turn, backend=colour)
    error = caught.value
    assert (error.status, error.provider) == (turn.status, "ollama")
    assert said in error.message
    asks = turn.operation in {"POST /api/chat", "POST /api/embed", "POST /api/show"}
    if said and asks and turn.status == 404:
        assert f"jackfield pull ollama/{error.model}" in error.message


@each([t for t in NATIVE if isinstance(t.body, dict)])
def test_the_recorded_request_is_built_from_the_typed_one(turn: Turn) -> None:
    if lacking := beyond(turn.body):
        pytest.skip(f"the common vocabulary has no word for {', '.join(sorted(lacking))}")
    request = read_request(turn)
    built = built_body(turn, request)
    recorded = dict(turn.body)
    if turn in CHATS or isinstance(request, PullRequest):
        # To leave it out is to ask for a stream.
        recorded = {"stream": True} | recorded
    if isinstance(request, PullRequest):
        recorded["stream"] = True
    if isinstance(recorded.get("input"), str):
        recorded["input"] = [recorded["input"]]
    assert meaning(built) == meaning(recorded)


def built_body(turn: Turn, request: Request[Any]) -> Any:
    """The body that our call sends."""
    backend = provider(turn)
    call = backend.prepare(request, stream=turn in CHATS and streams(turn))
    built = backend.build(call)
    assert (built.method, built.url.removeprefix("http://127.0.0.1:11434")) == (
        turn.request["method"],
        turn.path,
    )
    return json.loads(built.body or b"null")
