"""Any stream of either version, recorded or not: read as it says, and whole only to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohere_wire.reading import read
from cohere_wire.replays import replay
from jackfield import LLMError, ProviderError, StreamInterruptedError, TextPart
from jackfield.testing import strategies as jf
from support.recordings import Turn, pieces

Json = dict[str, Any]
OPTIONS = settings(deadline=None, max_examples=100)
URL = "https://api.cohere.com"
ASKED = {"model": "m", "stream": True}
STOPS = ["COMPLETE", "MAX_TOKENS", "STOP_SEQUENCE", "A_NEW_ONE"]
COUNTS = st.integers(0, 99)


def event(kind: str, index: int | None = None, **message: Any) -> Json:
    """An event of version 2."""
    at = {} if index is None else {"index": index}
    return {"type": kind, **at, "delta": {"message": message}}


def block(index: int, kind: str, texts: list[str]) -> list[Json]:
    """A block of text or thinking."""
    start = event("content-start", index, content={"type": kind, kind: ""})
    deltas = [event("content-delta", index, content={kind: text}) for text in texts]
    return [start, *deltas, {"type": "content-end", "index": index}]


def called(index: int, arguments: str, size: int) -> list[Json]:
    """A call of a tool, its arguments in pieces of some size."""
    function = {"name": f"tool_{index}", "arguments": ""}
    use = {"id": f"call_{index}", "type": "function", "function": function}
    cut = [arguments[i : i + size] for i in range(0, len(arguments), size)]
    deltas = [
        event("tool-call-delta", index, tool_calls={"function": {"arguments": p}}) for p in cut
    ]
    start = event("tool-call-start", index, tool_calls=use)
    return [start, *deltas, {"type": "tool-call-end", "index": index}]


@st.composite
def streams(draw: st.DrawFn) -> list[str]:
    """The frames of one stream of version 2."""
    texts = st.lists(jf.texts(), max_size=4)
    events = [{"type": "message-start", "id": draw(jf.texts()), "delta": {"message": {}}}]
    events += [event("tool-plan-delta", tool_plan=t) for t in draw(texts)]
    kinds = draw(st.lists(st.sampled_from(["text", "thinking"]), max_size=3))
    for index, kind in enumerate(kinds):
        events += block(index, kind, draw(texts))
        if kind == "text" and draw(st.booleans()):
            cited = {"start": 0, "end": draw(COUNTS), "content_index": index}
            events.append(event("citation-start", 0, citations=cited))
    arguments = jf.json_objects().map(json.dumps) | st.sampled_from(["null", ""])
    for index, text in enumerate(draw(st.lists(arguments, max_size=2))):
        events += called(index, text, draw(st.integers(1, 7)))
    novel = {"type": "a-novel-event", "delta": draw(jf.json_values()), "index": "first"}
    events.insert(draw(st.integers(1, len(events))), novel)
    usage = {"tokens": {"input_tokens": draw(COUNTS), "output_tokens": draw(COUNTS)}}
    end = {"finish_reason": draw(st.sampled_from(STOPS)), "usage": usage}
    events.append({"type": "message-end", "delta": end})
    named = draw(st.booleans())
    frames = [
        f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" if named else f"data: {json.dumps(e)}\n\n"
        for e in events
    ]
    return [*frames, "data: [DONE]\n\n"] if draw(st.booleans()) else frames


def second(frames: list[str]) -> Turn:
    """A recording of *frames*."""
    said = {**ASKED, "messages": [{"role": "user", "content": "Hi"}]}
    request = {"method": "POST", "url": f"{URL}/v2/chat", "body": said}
    response = {"status": 200, "headers": {}, "sse": "".join(frames)}
    return Turn("cohere", "made", 0, frozenset(), request, response)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """The lines of one stream of version 1."""
    texts = draw(st.lists(jf.texts(min_size=1), max_size=5))
    said = [{"event_type": "text-generation", "is_finished": False, "text": t} for t in texts]
    uses = [{"name": f"tool_{n}", "parameters": draw(jf.json_objects())} for n in range(draw(st.integers(0, 2)))]  # fmt: skip
    if uses:
        called = {"event_type": "tool-calls-generation", "is_finished": False, "tool_calls": uses}
        said.append(called)
    meta = {"billed_units": {"input_tokens": draw(COUNTS), "output_tokens": draw(COUNTS)}}
    whole = {"text": "".join(texts), "tool_calls": uses, "meta": meta, "generation_id": "g"}
    stop = draw(st.sampled_from(STOPS))
    end = {"event_type": "stream-end", "is_finished": True, "finish_reason": stop}
    start = {"event_type": "stream-start", "is_finished": False, "generation_id": "g"}
    return [json.dumps(e) + "\n" for e in (start, *said, {**end, "response": whole})]


def first(made: list[str]) -> Turn:
    """A recording of *made*, lines."""
    request = {"method": "POST", "url": f"{URL}/v1/chat", "body": {**ASKED, "message": "Hi"}}
    response = {"status": 200, "headers": {}, "stream": "ndjson", "body": "".join(made)}
    return Turn("cohere", "made", 0, frozenset(), request, response)


EITHER = streams().map(lambda frames: (second, frames)) | lines().map(lambda made: (first, made))


@OPTIONS
@given(EITHER, st.integers(1, 40))
def test_a_stream_is_read_as_it_says_however_it_is_cut_into_reads(made: Any, size: int) -> None:
    turn = made[0](made[1])
    wire, response = read(turn), replay(turn).result
    assert response.text == wire.text
    assert response.reasoning == wire.plan + wire.thinking
    assert [(c.name, json.loads(c.arguments)) for c in response.tool_calls] == wire.arguments
    assert response.raw_finish_reason == wire.stop
    counts = wire.usage.get("tokens") or wire.usage["billed_units"]
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens) == tuple(counts.values())
    assert replay(turn, pieces(turn.payload, size)).result == response


@OPTIONS
@given(streams())
def test_a_citation_stands_with_the_text_it_is_of(frames: list[str]) -> None:
    turn = second(frames)
    wire, response = read(turn), replay(turn).result
    parts = [p for p in response.message.content if isinstance(p, TextPart)]
    kept = {
        wire.texts[c["content_index"]]: part.text
        for part in parts
        for c in part.provider_metadata.get("cohere", {}).get("citations", ())
    }
    assert all(said == text for said, text in kept.items())
    loose = response.provider_metadata.get("cohere", {}).get("citations", [])
    assert all(c["content_index"] not in wire.texts for c in loose)


@OPTIONS
@given(EITHER, st.data())
def test_a_stream_that_ends_before_its_end_is_interrupted(made: Any, data: st.DataObject) -> None:
    build, frames = made
    turn = build(frames)
    ends = next(i for i, f in enumerate(frames) if '"message-end"' in f or '"stream-end"' in f)
    last = len("".join(frames[:ends]).encode())
    received = turn.payload[: data.draw(st.integers(0, last))]
    error = replay(turn, [received]).error
    assert isinstance(error, StreamInterruptedError)
    assert replay(turn).result.text.startswith(error.partial_text)


@OPTIONS
@given(EITHER, st.data())
def test_an_error_at_any_place_of_a_stream_is_that_error(made: Any, data: st.DataObject) -> None:
    build, frames = made
    ends = next(i for i, f in enumerate(frames) if '"message-end"' in f or '"stream-end"' in f)
    at = data.draw(st.integers(0, ends))
    bad = {"finish_reason": "ERROR", "error": "broken"}
    event = {"type": "message-end", "delta": bad}
    line = {"event_type": "stream-end", "is_finished": True, "response": {}, **bad}
    broken = f"data: {json.dumps(event)}\n\n" if build is second else json.dumps(line) + "\n"
    error = replay(build([*frames[:at], broken, *frames[at:]])).error
    assert isinstance(error, LLMError)
    inside = error.__cause__ if isinstance(error, StreamInterruptedError) else error
    assert type(inside) is ProviderError
    assert str(inside.message) == "broken"


def test_the_two_builders_are_of_the_two_versions() -> None:
    assert [t.path for t in (second([]), first([]))] == ["/v2/chat", "/v1/chat"]
    with pytest.raises(StreamInterruptedError):
        raise replay(second([])).error or AssertionError
