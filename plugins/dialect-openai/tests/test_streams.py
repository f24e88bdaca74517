"""A stream is whole with its terminator or its finish reasons, and otherwise an error that keeps what came."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ContextLengthExceededError,
    Finish,
    FinishReason,
    InvalidRequestError,
    LLMError,
    ProviderError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    StreamStart,
    TextDelta,
    fold,
)
from jackfield.drivers.replay import Recorded
from jackfield.testing import strategies as jf

NAME = "openai-compatible"
HEAD = {"id": "c1", "model": "m1", "object": "chat.completion.chunk"}


def delta(at: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk with a delta of one answer."""
    return {**HEAD, "choices": [{"index": at, "delta": fields, "finish_reason": finish}]}


STOP = delta(finish="stop")
USAGE = {
    **HEAD,
    "choices": [],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}
HELLO = [delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo")]


def interrupted(provider: Any) -> StreamInterruptedError:
    with pytest.raises(StreamInterruptedError) as caught:
        provider.stream_execute("m", "Hi").drain()
    return caught.value


@pytest.mark.parametrize(
    "rest",
    [[STOP, USAGE, "[DONE]"], [STOP, USAGE], [STOP, "[DONE]"], [STOP], [USAGE, STOP], ["[DONE]"]],
)
def test_a_terminator_or_a_finish_reason_makes_a_stream_whole(
    replayed: Any, rest: list[Any]
) -> None:
    answer = replayed([*HELLO, *rest]).stream_execute("m", "Hi").drain()
    assert answer.text == "Hello"
    assert answer.raw_finish_reason == ("stop" if STOP in rest else None)
    assert answer.usage.total_tokens == (7 if USAGE in rest else None)


@pytest.mark.parametrize("rest", [[], [USAGE], [delta(finish="")], [{**HEAD, "choices": []}]])
def test_without_either_it_was_interrupted_and_keeps_what_came(
    replayed: Any, rest: list[Any]
) -> None:
    error = interrupted(replayed([*HELLO, *rest]))
    assert error.partial is not None
    assert error.partial.text == error.partial_text == "Hello"
    assert error.partial.model == "m1"


@given(cut=st.integers(0, 10_000))
def test_wherever_a_stream_is_cut_it_is_no_success_before_its_finish(
    replayed: Any, event: Any, cut: int
) -> None:
    before = b"".join(map(event, HELLO)) + event(STOP)[:-3]
    payload = before[: cut % len(before)]
    provider = replayed(Recorded(chunks=[payload] if payload else []))
    with pytest.raises(LLMError) as caught:
        provider.stream_execute("m", "Hi").drain()
    partial = getattr(caught.value, "partial", None)
    assert "Hello".startswith(partial.text if partial else "")


@pytest.mark.parametrize("seen", [0, 1])
def test_of_several_answers_each_must_finish(replayed: Any, seen: int) -> None:
    chunks = [
        delta(0, content="a"),
        *([delta(1, content="b")] if seen else []),
        delta(0, finish="stop"),
    ]
    provider = replayed(chunks, [*chunks, delta(1, finish="length")])
    own = {NAME: {"n": 2}}
    with pytest.raises(StreamInterruptedError):
        provider.stream_execute("m", "Hi", provider_options=own).drain()
    answer = provider.stream_execute("m", "Hi", provider_options=own).drain()
    (other,) = answer.alternatives
    assert other.finish_reason is FinishReason.LENGTH
    assert other.message.text == ("b" if seen else "")


def test_a_cut_tool_call_is_in_no_partial_answer(replayed: Any) -> None:
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": 1'}}
    error = interrupted(replayed([*HELLO, delta(tool_calls=[call])]))
    assert error.partial is not None
    assert error.partial.tool_calls == ()
    assert error.partial.text == "Hello"


def test_the_first_chunk_of_azure_has_no_answer_yet(replayed: Any) -> None:
    first = {
        "id": "",
        "model": "",
        "object": "",
        "choices": [],
        "prompt_filter_results": [{"prompt_index": 0}],
    }
    stream = replayed([first, *HELLO, STOP, USAGE, "[DONE]"]).stream_execute("m", "Hi")
    events = list(stream)
    assert events[0] == StreamStart(id="c1", model="m1")
    assert [type(e) for e in events[1:]] == [TextDelta, TextDelta, Finish]
    kept = stream.response.provider_metadata[NAME]
    assert kept["prompt_filter_results"] == [{"prompt_index": 0}]


@pytest.mark.parametrize("where", ["usage", "x_groq", "every chunk"])
def test_usage_is_taken_from_wherever_it_is_told_last(replayed: Any, where: str) -> None:
    told = {"prompt_tokens": 5, "completion_tokens": 2}
    chunks: list[Any] = [*HELLO, STOP]
    if where == "usage":
        chunks = [*HELLO, {**STOP, "usage": told}]
    elif where == "x_groq":
        chunks = [*HELLO, {**STOP, "x_groq": {"id": "req", "usage": told}}]
    else:
        counted = [{"prompt_tokens": 5, "completion_tokens": n} for n in (0, 1, 2)]
        chunks = [{**c, "usage": u} for c, u in zip(HELLO, counted, strict=True)]
        chunks += [{**STOP, "usage": told}, {**STOP, "choices": [], "usage": None}]
    answer = replayed(chunks).stream_execute("m", "Hi").drain()
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 2)


@pytest.mark.parametrize(
    "noise",
    [
        b": keep-alive\n\n",
        b": OPENROUTER PROCESSING\n\n",
        b"data: \n\n",
        b"\n\n\n",
        b"retry: 10\n\n",
    ],
)
def test_what_keeps_a_connection_alive_says_nothing(replayed: Any, noise: bytes) -> None:
    chunks: list[Any] = [noise, HELLO[0], noise, *HELLO[1:], noise, STOP, noise, "[DONE]", noise]
    stream = replayed(chunks).stream_execute("m", "Hi")
    assert "".join(stream.text()) == "Hello"
    assert stream.response.raw_finish_reason == "stop"


FAILURES: list[tuple[Any, type[LLMError], str]] = [
    ({"error": {"message": "too fast", "code": 429}}, RateLimitError, "too fast"),
    ({"error": {"message": "broken", "type": "server_error"}}, ServerError, "broken"),
    ({"error": "odd"}, ProviderError, "odd"),
    (
        {**HEAD, "error": {"code": 400, "message": "limit"}, "choices": []},
        InvalidRequestError,
        "limit",
    ),
    (delta(finish="error"), ServerError, "ended its answer with an error"),
    (
        {**HEAD, "choices": [{"index": 0, "delta": {}, "error": {"code": 502, "message": "up"}}]},
        ServerError,
        "up",
    ),
    ({**STOP, "x_groq": {"id": "r", "error": "over_capacity"}}, ServerError, "over_capacity"),
    (
        {"object": "error", "message": "long", "type": "context_length_exceeded", "code": 400},
        ContextLengthExceededError,
        "long",
    ),
]


@pytest.mark.parametrize(("chunk", "kind", "said"), FAILURES)
@pytest.mark.parametrize("begun", [True, False])
def test_an_error_in_a_stream_is_typed_and_keeps_what_came(
    replayed: Any, begun: bool, chunk: Any, kind: type[LLMError], said: str
) -> None:
    provider = replayed([*(HELLO if begun else []), chunk, STOP, "[DONE]"])
    with pytest.raises(StreamInterruptedError if begun else kind, match=said) as caught:
        provider.stream_execute("m", "Hi").drain()
    if begun:
        error = caught.value
        assert isinstance(error, StreamInterruptedError)
        assert error.partial_text == "Hello"
        assert type(error.__cause__) is kind


@pytest.mark.parametrize(
    "data", [{"message": "bad"}, {"error": {"message": "bad"}}, {"detail": "bad"}]
)
def test_an_event_named_error_is_one_whatever_its_data(
    replayed: Any, event: Any, data: dict[str, Any]
) -> None:
    error = interrupted(replayed([*HELLO, event(data, "error"), "[DONE]"]))
    assert isinstance(error.__cause__, ProviderError)
    assert "bad" in str(error)


@pytest.mark.parametrize(
    "data", ["not json", "[1]", "3", '{"choices": [{"delta": 1}]}', '{"choices"']
)
def test_a_chunk_that_cannot_be_read_is_an_error_with_its_reason(replayed: Any, data: str) -> None:
    error = interrupted(replayed([*HELLO, data, STOP, "[DONE]"]))
    assert isinstance(error.__cause__, ResponseFormatError)
    assert error.partial_text == "Hello"


def test_nothing_after_the_terminator_counts(replayed: Any) -> None:
    answer = replayed([*HELLO, STOP, "[DONE]", delta(content="!"), "not json"])
    assert answer.stream_execute("m", "Hi").drain().text == "Hello"


def test_a_whole_answer_instead_of_a_stream_is_the_answer(replayed: Any) -> None:
    choice = {"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}
    stream = replayed({"id": "c1", "model": "m1", "choices": [choice]}).stream_execute("m", "Hi")
    assert "".join(stream.text()) == "Hello"
    assert stream.response.raw_finish_reason == "stop"


CHUNKS = st.lists(
    st.one_of(
        st.builds(delta, st.integers(0, 1), content=jf.texts()),
        st.builds(delta, st.integers(0, 1), reasoning=jf.texts()),
        st.builds(delta, st.integers(0, 1), refusal=jf.texts()),
        st.just(USAGE),
        st.just({**HEAD, "choices": []}),
    ),
    max_size=8,
)


@given(chunks=CHUNKS, data=st.data())
def test_however_its_bytes_are_cut_a_stream_folds_into_one_answer(
    replayed: Any, event: Any, chunks: list[Any], data: st.DataObject
) -> None:
    payload = b"".join(map(event, [*chunks, STOP, delta(1, finish="length"), "[DONE]"]))
    pieces = data.draw(jf.cuts(payload))
    provider = replayed(Recorded(chunks=[payload]), Recorded(chunks=pieces))
    plain = provider.stream_execute("m", "Hi").drain()
    stream = provider.stream_execute("m", "Hi")
    events = list(stream)
    assert stream.response == plain == fold(events)
    for at, answer in enumerate([plain, *plain.alternatives]):
        deltas = [
            c["choices"][0]["delta"]
            for c in chunks
            if c["choices"] and c["choices"][0]["index"] == at
        ]
        assert answer.message.text == "".join(d.get("content", "") for d in deltas)
        assert answer.message.reasoning == "".join(d.get("reasoning", "") for d in deltas)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_event_loop_sees_the_same_events(replayed: Any, backend: str) -> None:
    chunks = [*HELLO, STOP, USAGE, "[DONE]"]

    async def collect() -> tuple[list[Any], Any]:
        stream = replayed(chunks).astream_execute("m", "Hi")
        return [event async for event in stream], stream.response

    events, answer = anyio.run(partial(collect), backend=backend)
    plain = replayed(chunks).stream_execute("m", "Hi")
    assert events == list(plain)
    assert answer == plain.response


def test_usage_is_asked_for_unless_the_configuration_says_no(replayed: Any, body_of: Any) -> None:
    for wanted in (True, False):
        provider = replayed([*HELLO, STOP], stream_usage=wanted)
        provider.stream_execute("m", "Hi").drain()
        body = body_of(provider)
        assert body["stream"] is True
        assert body.get("stream_options") == ({"include_usage": True} if wanted else None)
