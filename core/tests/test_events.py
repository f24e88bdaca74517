"""The laws of events: folding and replaying are inverses, and how text is cut changes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatResponse,
    Finish,
    FinishReason,
    MediaPart,
    Message,
    PartAdded,
    PartMetadata,
    ProviderPart,
    ReasoningDelta,
    ReasoningPart,
    RefusalDelta,
    StreamEvent,
    StreamRestart,
    StreamStart,
    TextDelta,
    TextPart,
    ToolCall,
    ToolCallDelta,
    Usage,
    fold,
    replay,
)
from jackfield.testing import strategies as jf


@given(jf.responses())
def test_folding_what_replay_streams_gives_the_response(response: ChatResponse) -> None:
    assert fold(replay(response)) == response


@given(jf.responses(), st.sampled_from([MediaPart("image/png", b"x"), ProviderPart("p", {"a": 1})]))
def test_parts_that_come_whole_survive_too(response: ChatResponse, part: Any) -> None:
    message = Message("assistant", (*response.message.content, part))
    assert fold(replay(evolve(response, message=message))).message == message


@given(jf.events())
def test_replaying_what_was_folded_folds_to_the_same(events: list[StreamEvent]) -> None:
    once = fold(events)
    assert fold(replay(once)) == once


def cut(event: StreamEvent, at: int) -> list[StreamEvent]:
    """*event* as two, its text cut at *at*."""
    replace = msgspec.structs.replace
    match event:
        case TextDelta(text) | RefusalDelta(text):
            return [replace(event, text=text[:at]), replace(event, text=text[at:])]
        case ReasoningDelta(text, index, choice):
            return [ReasoningDelta(text[:at], index, choice), replace(event, text=text[at:])]
        case ToolCallDelta(index, _, _, arguments, choice):
            rest = ToolCallDelta(index, "", "", arguments[at:], choice)
            return [replace(event, arguments=arguments[:at]), rest]
        case _:
            return [event]


@given(jf.events(), st.data())
def test_cutting_deltas_anywhere_changes_nothing(events: list[StreamEvent], data: Any) -> None:
    cuts = data.draw(st.lists(st.integers(0, 25), min_size=len(events), max_size=len(events)))
    pieces = [piece for event, at in zip(events, cuts, strict=True) for piece in cut(event, at)]
    assert fold(pieces) == fold(events)


@given(jf.events(), st.randoms())
def test_parts_may_arrive_mixed(events: list[StreamEvent], chance: Any) -> None:
    """Only the order within one part counts, once all parts have begun."""
    start, *deltas, one, two = events
    begun = {(type(e), e.index, e.choice): e for e in reversed(deltas)}  # type: ignore[attr-defined]  # deltas have both
    heads = [e for e in deltas if begun.get((type(e), e.index, e.choice)) is e]  # type: ignore[attr-defined]  # deltas have both
    rest = [e for e in deltas if all(e is not h for h in heads)]
    queues: dict[Any, list[StreamEvent]] = {}
    for event in rest:
        queues.setdefault((type(event), event.index, event.choice), []).append(event)  # type: ignore[attr-defined]  # deltas have both
    mixed = []
    while queues:
        key = chance.choice(sorted(queues, key=str))
        mixed.append(queues[key].pop(0))
        if not queues[key]:
            del queues[key]
    assert fold([start, *heads, *mixed, one, two]) == fold([start, *heads, *rest, one, two])


@given(jf.responses())
def test_the_strings_of_events_are_the_visible_text(response: ChatResponse) -> None:
    assert "".join(map(str, replay(response))) == response.text == str(response)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (StreamStart(id="1"), ""),
        (TextDelta("Hi"), "Hi"),
        (TextDelta("Hi", choice=1), ""),
        (ReasoningDelta("Hm"), ""),
        (RefusalDelta("No"), ""),
        (ToolCallDelta(arguments="{}"), ""),
        (PartAdded(TextPart("Hi")), "Hi"),
        (PartAdded(ToolCall("1", "f")), ""),
        (Finish(), ""),
    ],
)
def test_only_the_text_of_the_first_answer_is_visible(event: StreamEvent, shown: str) -> None:
    assert str(event) == shown


def test_usage_of_the_end_beats_that_of_the_start() -> None:
    start = StreamStart(usage=Usage(input_tokens=5))
    assert fold([start]).usage == Usage(input_tokens=5)
    whole = Usage(input_tokens=5, output_tokens=7)
    assert fold([start, Finish(usage=whole)]).usage == whole
    assert fold([start, Finish()]).usage == Usage(input_tokens=5)


def test_a_signature_that_comes_after_the_thought_belongs_to_it() -> None:
    events = [ReasoningDelta("Let me "), ReasoningDelta("see"), ReasoningDelta(signature="s1g")]
    assert fold(events).message.content == (ReasoningPart("Let me see", "s1g"),)


def test_citations_that_come_late_join_their_text() -> None:
    events = [TextDelta("Paris"), PartMetadata({"made-up": {"citations": [1]}})]
    (part,) = fold(events).message.content
    assert part == TextPart("Paris", provider_metadata={"made-up": {"citations": [1]}})


def test_parallel_tool_calls_keep_their_own_arguments() -> None:
    events = [
        ToolCallDelta(0, "a", "add"),
        ToolCallDelta(1, "b", "sub"),
        ToolCallDelta(0, arguments='{"x"'),
        ToolCallDelta(1, arguments='{"y"'),
        ToolCallDelta(0, arguments=":1}"),
        ToolCallDelta(1, arguments=":2}"),
        Finish(finish_reason=FinishReason.TOOL_CALLS),
    ]
    assert fold(events).tool_calls == (
        ToolCall("a", "add", '{"x":1}'),
        ToolCall("b", "sub", '{"y":2}'),
    )


@given(jf.events(), jf.events())
def test_what_came_before_a_restart_is_void(
    before: list[StreamEvent], after: list[StreamEvent]
) -> None:
    assert fold([*before, StreamRestart(reason="it broke"), *after]) == fold(after)


def test_events_are_values() -> None:
    assert TextDelta("Hi") == TextDelta("Hi") != TextDelta("Hi", 1)
    with pytest.raises(AttributeError):
        TextDelta("Hi").text = "Ho"  # type: ignore[misc]  # frozen: that is the claim
