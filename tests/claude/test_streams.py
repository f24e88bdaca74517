"""Any stream of the protocol, recorded or not: read as it says, and whole only to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude.reading import KNOWN, others, parsed, read
from claude.replays import PLAIN, replaying
from jackfield import ChatResponse, OverloadedError, ProviderPart, StreamInterruptedError
from jackfield.testing import strategies as jf
from support.recordings import Turn, pieces

Event = dict[str, Any]
OPTIONS = settings(deadline=None, max_examples=200)

TEXTS = st.lists(jf.texts(), max_size=4)
INPUTS = jf.json_objects().map(json.dumps)
CITED = st.fixed_dictionaries({"type": st.just("char_location"), "cited_text": jf.texts()})


def deltas(kind: str, field: str, values: Any) -> Any:
    """Some deltas of one kind."""
    return st.lists(values.map(lambda value: {"type": kind, field: value}), max_size=4)


def cut(text: str) -> list[Event]:
    """The deltas of an input, a few letters each."""
    return [{"type": "input_json_delta", "partial_json": p} for p in ["", *_pieces(text)]]


def _pieces(text: str) -> list[str]:
    return [text[i : i + 5] for i in range(0, len(text), 5)]


def called(kind: str) -> Any:
    """A block that calls a tool."""
    names = {"type": st.just(kind), "id": st.uuids().map(str), "name": st.sampled_from("fg")}
    start = st.fixed_dictionaries({**names, "input": st.just({})})
    return st.tuples(start, INPUTS.map(cut) | st.just([]))


NOVEL = st.fixed_dictionaries({"type": st.just("a_novel_block"), "data": jf.json_values()})
BLOCKS = st.one_of(
    st.tuples(
        jf.texts().map(lambda text: {"type": "text", "text": text}),
        deltas("text_delta", "text", jf.texts())
        | deltas("citations_delta", "citation", CITED)
        | deltas("a_novel_delta", "text", jf.json_values()),
    ),
    st.tuples(
        st.just({"type": "thinking", "thinking": "", "signature": ""}),
        st.builds(
            lambda thoughts, signed: [*thoughts, *signed],
            deltas("thinking_delta", "thinking", jf.texts()),
            st.just([]) | st.just([{"type": "signature_delta", "signature": "c2ln"}]),
        ),
    ),
    st.tuples(st.just({"type": "redacted_thinking", "data": "ZGF0YQ=="}), st.just([])),
    called("tool_use"),
    called("server_tool_use"),
    st.tuples(NOVEL, st.just([])),
)
STOPS = st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal", "pause_turn", "tomorrow"])
NOISE = st.sampled_from(
    [
        "",
        ": a comment\n\n",
        'event: ping\ndata: {"type": "ping"}\n\n',
        'event: novelty\ndata: {"type": "novelty", "index": "x", "delta": 1, "usage": []}\n\n',
    ]
)


@st.composite
def streams(draw: Any) -> list[str]:
    """The frames of a whole stream, in some framing, with noise between them."""
    usage = {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1}
    events: list[Event] = [
        {
            "type": "message_start",
            "message": {"id": "m", "model": "x", "content": [], "usage": usage},
        }
    ]
    for index, (start, pieces_) in enumerate(draw(st.lists(BLOCKS, max_size=5))):
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in pieces_]
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": draw(STOPS), "stop_sequence": None}
    events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 7}})
    events.append({"type": "message_stop"})
    named, newline = draw(st.booleans()), draw(st.sampled_from(["\n", "\r\n"]))
    frames = []
    for event in events:
        name = f"event: {event['type']}\n" if named else ""
        frames.append(f"{draw(NOISE)}{name}data: {json.dumps(event)}\n\n".replace("\n", newline))
    return frames


def turn(frames: list[str]) -> Turn:
    """A recording of *frames*."""
    response = {"status": 200, "headers": {}, "sse": "".join(frames)}
    return Turn("anthropic", "made", 0, frozenset(), {}, response)


def answered(made: Turn, chunks: list[bytes] | None = None) -> ChatResponse:
    """The response to *made*."""
    return replaying(made.recorded(chunks)).stream(PLAIN).drain()


@OPTIONS
@given(streams(), st.integers(1, 40))
def test_a_stream_is_read_as_it_says_however_it_is_cut_into_reads(
    frames: list[str], size: int
) -> None:
    made = turn(frames)
    wire, response = read(made), answered(made)
    assert (response.text, response.reasoning) == (wire.text, wire.thinking)
    assert response.raw_finish_reason == wire.end["stop_reason"]
    assert [(c.id, parsed(c.arguments)) for c in response.tool_calls] == [
        (b["id"], b["input"]) for b in wire.of("tool_use")
    ]
    kept = [p.data for p in response.message.content if isinstance(p, ProviderPart)]
    assert kept == list(others(wire))
    assert {b["type"] for b in wire.blocks if b["type"] not in KNOWN} == {k["type"] for k in kept}
    assert (response.usage.input_tokens, response.usage.output_tokens) == (7, 7)
    assert answered(made, pieces(made.payload, size)) == response


@OPTIONS
@given(streams(), st.data())
def test_a_stream_that_ends_before_its_stop_reason_is_interrupted(
    frames: list[str], data: st.DataObject
) -> None:
    payload, whole = turn(frames).payload, answered(turn(frames))
    last = len("".join(frames[:-2]).encode())
    received = payload[: data.draw(st.integers(0, last))]
    with pytest.raises(StreamInterruptedError) as caught:
        answered(turn(frames), [received])
    assert whole.text.startswith(caught.value.partial_text)


@OPTIONS
@given(streams(), st.data())
def test_an_error_at_any_place_of_a_stream_is_that_error(
    frames: list[str], data: st.DataObject
) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    at = data.draw(st.integers(0, len(frames) - 1))
    event = f"event: error\ndata: {json.dumps(error)}\n\n"
    made = turn([*frames[:at], event, *frames[at:]])
    with pytest.raises((OverloadedError, StreamInterruptedError)) as caught:
        answered(made)
    if isinstance(caught.value, StreamInterruptedError):
        assert isinstance(caught.value.__cause__, OverloadedError)
        assert caught.value.partial_text == read(made).text
