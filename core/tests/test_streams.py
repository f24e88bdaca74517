"""Streams: complete only with their end, closed however they are left, a response only when drained."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest
from attrs import evolve
from core_toy import BACKENDS, DONE, STOP, Toy, ToyStream, aio, event, make, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AsyncEventStream,
    ChatRequest,
    EventStream,
    Finish,
    FinishReason,
    LLMError,
    ModelListRequest,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    ResponseFormatError,
    ResponseTooLargeError,
    StreamInterruptedError,
    StreamStart,
    TextDelta,
    UnsupportedOperationError,
    Usage,
    fold,
)
from jackfield.drivers.replay import Recorded
from jackfield.framing import MAX_EVENT
from jackfield.testing import strategies as jf

ONCE = {"retry": {"attempts": 1}}


def closed(provider: Toy, colour: str = "_driver") -> list[bool]:
    return [r.closed for r in getattr(provider, colour).transport.responses]


# What a stream is


def test_a_stream_gives_events_and_then_its_response() -> None:
    stream = make(streamed("Hel", "lo")).stream_execute("m", "Hi")
    assert isinstance(stream, EventStream)
    events = list(stream)
    assert [type(e) for e in events] == [StreamStart, TextDelta, TextDelta, Finish]
    assert stream.response == fold(events)
    assert stream.response.text == "Hello"


def test_before_its_end_a_stream_has_no_response() -> None:
    stream = make(streamed("Hel", "lo")).stream_execute("m", "Hi")
    with pytest.raises(RuntimeError, match="not been read to its end"):
        _ = stream.response
    next(stream)
    with pytest.raises(RuntimeError, match="not been read to its end"):
        _ = stream.response
    assert stream.drain().text == "Hello"


@pytest.mark.parametrize("error", [KeyError("usage"), ValueError("no number"), TypeError("None")])
@pytest.mark.parametrize("said", [["Hel", "lo"], []], ids=["told", "silent"])
def test_an_end_that_cannot_be_read_is_typed(error: Exception, said: list[str]) -> None:
    class Odd(ToyStream):
        def close(self, out: list[Any]) -> None:
            raise error

    provider = make(streamed(*said), **ONCE)
    chat = evolve(provider.exchanges[ChatRequest], stream=Odd)
    provider.exchanges = {**provider.exchanges, ChatRequest: chat}
    expected = StreamInterruptedError if said else ResponseFormatError
    with pytest.raises(expected, match="unexpected shape") as caught:
        provider.stream_execute("m", "Hi").drain()
    if said:
        assert caught.value.partial.text == "Hello"


def test_only_the_text_of_a_stream() -> None:
    assert list(make(streamed("Hel", "lo")).stream_execute("m", "Hi").text()) == ["Hel", "lo"]


def test_nothing_is_sent_before_the_first_event_is_asked_for() -> None:
    provider = make(streamed("Hello"))
    stream = provider.stream_execute("m", "Hi")
    assert closed(provider) == []
    stream.drain()
    assert closed(provider) == [True]


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_asynchronous_stream_is_the_same(backend: str) -> None:
    async def main() -> Any:
        provider = make(*[streamed("Hel", "lo")] * 3)
        stream = provider.astream_execute("m", "Hi")
        assert isinstance(stream, AsyncEventStream)
        with pytest.raises(RuntimeError, match="not been read to its end"):
            _ = stream.response
        events = [e async for e in stream]
        texts = [t async for t in provider.astream_execute("m", "Hi").text()]
        drained = await provider.astream_execute("m", "Hi").drain()
        return events, stream.response, texts, drained

    events, response, texts, drained = aio(main, backend)
    assert fold(events) == response == drained
    assert texts == ["Hel", "lo"]


@given(st.lists(jf.texts(min_size=1), max_size=5), st.data())
def test_a_stream_folds_to_what_the_plain_call_gives_however_it_is_cut(
    texts: list[str], data: Any
) -> None:
    stream = b"".join(streamed(*texts))
    chunks = data.draw(jf.cuts(stream))
    provider = make(chunks, whole("".join(texts), usage=None))
    assert provider.stream_execute("m", "Hi").drain().text == provider.execute("m", "Hi").text


# Leaving it


def by_break(stream: Any) -> None:
    for _ in stream:
        break


def by_with(stream: Any) -> None:
    with stream:
        next(stream)


def by_close(stream: Any) -> None:
    next(stream)
    stream.close()
    stream.close()


def by_error(stream: Any) -> None:
    with suppress(ZeroDivisionError), stream:
        next(stream)
        raise ZeroDivisionError


def by_dropping(stream: Any) -> None:
    next(stream)


@pytest.mark.parametrize("leave", [by_break, by_with, by_close, by_error, by_dropping])
def test_however_a_stream_is_left_its_response_is_closed(leave: Callable[[Any], None]) -> None:
    provider = make(streamed("Hel", "lo"))
    leave(provider.stream_execute("m", "Hi"))
    gc.collect()
    assert closed(provider) == [True]


def test_a_stream_that_was_closed_has_ended_and_no_response() -> None:
    stream = make(streamed("Hel", "lo")).stream_execute("m", "Hi")
    next(stream)
    stream.close()
    assert list(stream) == []
    with pytest.raises(RuntimeError):
        _ = stream.response


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("leave", ["with", "aclose", "cancel"])
def test_however_an_asynchronous_stream_is_left_its_response_is_closed(
    backend: str, leave: str
) -> None:
    async def main() -> Toy:
        provider = make(streamed("Hel", "lo"))
        stream = provider.astream_execute("m", "Hi")
        if leave == "with":
            async with stream:
                await anext(stream)
        elif leave == "aclose":
            await anext(stream)
            await stream.aclose()
        else:
            with anyio.CancelScope() as scope:
                async for _ in stream:
                    scope.cancel()
                    await anyio.lowlevel.checkpoint()
            await stream.aclose()
        return provider

    assert closed(aio(main, backend), "_async_driver") == [True]


def test_a_dropped_asynchronous_stream_is_closed_by_the_loop_without_a_word() -> None:
    async def main() -> Toy:
        provider = make(streamed("Hel", "lo"))
        stream = provider.astream_execute("m", "Hi")
        await anext(stream)
        del stream
        gc.collect()
        await anyio.sleep(0.01)
        return provider

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert closed(aio(main), "_async_driver") == [True]


# When it is whole


ENDS: list[tuple[str, list[bytes], FinishReason]] = [
    ("both", [STOP, DONE], FinishReason.STOP),
    ("no terminator", [STOP], FinishReason.STOP),
    ("no finish reason", [DONE], FinishReason.OTHER),
    ("terminator without blank line", [STOP, b"data: [DONE]"], FinishReason.STOP),
    ("terminator twice", [STOP, DONE, DONE], FinishReason.STOP),
    ("garbage after it", [STOP, DONE, b"data: {broken\n\n", b"\xff\xff"], FinishReason.STOP),
]


@pytest.mark.parametrize(("end", "reason"), [e[1:] for e in ENDS], ids=[e[0] for e in ENDS])
def test_a_terminator_or_a_finish_reason_makes_a_stream_whole(
    end: list[bytes], reason: FinishReason
) -> None:
    response = make([event({"content": "Hello"}), *end]).stream_execute("m", "Hi").drain()
    assert (response.text, response.finish_reason) == ("Hello", reason)


CUTS: list[tuple[str, list[bytes]]] = [
    ("clean end", []),
    ("inside an event", [b'data: {"id": "1", "mod']),
    ("inside a character", ['data: {"é'.encode()[:-1]]),
    ("broken event", [b"data: {broken}\n\n"]),
    ("wrong shape", [b"data: [1, 2]\n\n"]),
    ("number for text", [b'data: {"choices": 5}\n\n']),
    ("null", [b"data: null\n\n"]),
    ("html", [b"<html>Bad gateway</html>\n\n"]),
]


@pytest.mark.parametrize("rest", [c[1] for c in CUTS], ids=[c[0] for c in CUTS])
def test_anything_else_interrupts_it_and_keeps_what_came(rest: list[bytes]) -> None:
    provider = make([event({"content": "Once "}), event({"content": "upon"}), *rest])
    heard: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        heard += map(str, provider.stream_execute("m", "Hi"))
    assert "".join(heard) == caught.value.partial_text == "Once upon"
    assert caught.value.phase == "stream"
    assert (caught.value.provider, caught.value.model) == ("toy", "m")
    assert not caught.value.retryable
    assert closed(provider) == [True]


@given(st.lists(jf.texts(min_size=1), min_size=1, max_size=4), st.data())
def test_cut_at_any_byte_it_is_whole_or_an_error_and_never_shorter(
    texts: list[str], data: Any
) -> None:
    stream = b"".join(streamed(*texts))
    at = data.draw(st.integers(0, len(stream)))
    provider = make(data.draw(jf.cuts(stream[:at])), **ONCE)
    full = "".join(texts)
    try:
        response = provider.stream_execute("m", "Hi").drain()
    except LLMError as error:
        kept = error.partial_text if isinstance(error, StreamInterruptedError) else ""
        assert full.startswith(kept)  # either is good
    else:
        assert response.text == full


@given(
    st.integers(1, len(b"event: delta\nid: 1\ndata: ")), st.sampled_from([b"", b"\n", b": hi\n\n"])
)
def test_cut_inside_its_first_event_a_stream_is_interrupted(size: int, before: bytes) -> None:
    begun = before + b"event: delta\nid: 1\ndata: "[:size]
    with pytest.raises(StreamInterruptedError):
        make(Recorded(chunks=[begun]), **ONCE).stream_execute("m", "Hi").drain()


def test_an_error_event_keeps_the_partial_answer_and_its_own_class_as_the_cause() -> None:
    broken = b'data: {"error": {"message": "Too fast", "code": "slow_down"}}\n\n'
    with pytest.raises(StreamInterruptedError, match="Too fast") as caught:
        make([event({"content": "Once"}), broken]).stream_execute("m", "Hi").drain()
    assert isinstance(caught.value.__cause__, RateLimitError)
    assert caught.value.code == "slow_down"
    assert caught.value.partial_text == "Once"


def test_an_error_after_everything_was_said_is_no_success() -> None:
    broken = b'data: {"error": {"message": "Overloaded", "code": 529}}\n\n'
    with pytest.raises(StreamInterruptedError):
        make([event({"content": "Once"}), broken, DONE]).stream_execute("m", "Hi").drain()


FIRST: list[tuple[str, bytes, type[LLMError]]] = [
    ("error event", b'data: {"error": {"message": "x", "code": 503}}\n\n', OverloadedError),
    ("bare error", b'{"error": {"message": "x", "code": 503}}', OverloadedError),
    (
        "bare error of another shape",
        b'{"object": "error", "message": "x", "code": 404}',
        NotFoundError,
    ),
    ("a page", b"<!DOCTYPE html><p>Log in</p>", ResponseFormatError),
    ("no JSON", b"data: nothing\n\n", ResponseFormatError),
    ("nothing", b"", StreamInterruptedError),
    ("only comments", b": hello\n\n: still here\n\n", StreamInterruptedError),
]


@pytest.mark.parametrize(("body", "kind"), [f[1:] for f in FIRST], ids=[f[0] for f in FIRST])
def test_what_is_wrong_from_the_beginning_has_its_own_class(
    body: bytes, kind: type[LLMError]
) -> None:
    with pytest.raises(kind) as caught:
        make([body], **ONCE).stream_execute("m", "Hi").drain()
    assert "<p>" not in str(caught.value)
    assert type(caught.value) is kind


def test_a_whole_answer_instead_of_a_stream_is_streamed() -> None:
    stream = make(whole("Hello")).stream_execute("m", "Hi")
    assert "".join(map(str, stream)) == "Hello"
    assert stream.response.usage == Usage(input_tokens=3, output_tokens=2)


@pytest.mark.parametrize("status", [301, 400, 401, 429, 500, 529, 600])
def test_a_status_that_is_no_success_is_an_error_before_any_event(status: int) -> None:
    provider = make(Recorded(status=status, chunks=streamed("Hello")), **ONCE)
    events: list[Any] = []
    with pytest.raises(LLMError) as caught:
        events += provider.stream_execute("m", "Hi")
    assert events == []
    assert caught.value.status == status
    assert set(closed(provider)) == {True}


@pytest.mark.parametrize("status", [202, 204])
def test_a_success_that_says_nothing_is_an_error(status: int) -> None:
    with pytest.raises(StreamInterruptedError):
        make(Recorded(status=status), **ONCE).stream_execute("m", "Hi").drain()
    with pytest.raises(ResponseFormatError):
        make(Recorded(status=status), **ONCE).execute("m", "Hi")


def test_an_event_beyond_the_limit_is_refused() -> None:
    big = event({"content": "x" * (2 * MAX_EVENT)})
    chunks = [big[i : i + 65_536] for i in range(0, len(big), 65_536)]
    with pytest.raises(ResponseTooLargeError):
        make(chunks, **ONCE).stream_execute("m", "Hi").drain()


def test_warnings_ride_on_the_start_and_the_response() -> None:
    stream = make(streamed("Hello")).stream_execute("m", "Hi", {"temperature": 9})
    start = next(stream)
    assert isinstance(start, StreamStart)
    assert [w.subject for w in start.warnings] == ["temperature"]
    assert [w.subject for w in stream.drain().warnings] == ["temperature"]


def test_an_operation_without_a_stream_says_so() -> None:
    provider = make(b'{"data": []}')
    with pytest.raises(UnsupportedOperationError, match="cannot stream a ModelListRequest"):
        provider.stream(ModelListRequest()).drain()


def test_twenty_thousand_deltas_arrive_in_their_order() -> None:
    chunk = b"".join(event({"content": f"{n} "}) for n in range(20_000))
    chunks = [chunk[i : i + 16_384] for i in range(0, len(chunk), 16_384)]
    response = make([*chunks, STOP, DONE]).stream_execute("m", "Hi").drain()
    assert response.text == "".join(f"{n} " for n in range(20_000))
