"""Answers taken apart as they arrive: stop strings, thoughts, tool calls, in pieces of any size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield_llamacpp.answer import AnswerReader
from jackfield_llamacpp.text import TextStream
from jackfield_llamacpp.toolcalls import FORMATS, ToolFormat, parse_calls, tool_format

TAGGED, HERMES, MISTRAL, LLAMA, BARE = FORMATS
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<[{"), max_size=40)
NAMES = st.text("abc_XYZ", min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.text(max_size=8), JSON, max_size=3).filter(
    # A mark inside of an argument would end the call, here as in llama.cpp.
    lambda given: "</tool_call>" not in json.dumps(given)
)
CALLS = st.lists(st.tuples(NAMES, ARGUMENTS), min_size=1, max_size=3)


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    """*text* cut at *cuts*."""
    at = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(at)]


def read(parts: Sequence[str], tools: ToolFormat | None = None, *, thinking: bool = False) -> Any:
    """(content, reasoning, [(name, arguments)]) of an answer that comes in *parts*."""
    reader = AnswerReader(tools, thinking=thinking)
    deltas = [delta for part in parts for delta in reader.feed(part)] + reader.close()
    content = "".join(delta.get("content", "") for delta in deltas)
    reasoning = "".join(delta.get("reasoning_content", "") for delta in deltas)
    calls: dict[int, list[str]] = {}
    for delta in deltas:
        for call in delta.get("tool_calls", ()):
            made = calls.setdefault(call["index"], ["", ""])
            made[0] += call["function"].get("name", "")
            made[1] += call["function"]["arguments"]
    assert list(calls) == list(range(len(calls)))
    return content, reasoning, [(name, arguments) for name, arguments in calls.values()]


def hermes(calls: Sequence[tuple[str, Any]], **style: Any) -> str:
    return "\n".join(
        "<tool_call>\n" + json.dumps({"name": name, "arguments": given}, **style) + "\n</tool_call>"
        for name, given in calls
    )


CUTS = st.lists(st.integers(0, 500), max_size=12)


@given(before=TEXT, calls=CALLS, cuts=CUTS, spaced=st.booleans())
def test_calls_come_out_as_written_however_the_text_is_cut(
    before: str, calls: list[tuple[str, Any]], cuts: list[int], *, spaced: bool
) -> None:
    text = before + hermes(calls, separators=(",", ":") if spaced else (", ", ": "))
    content, _, made = read(pieces(text, cuts), HERMES)
    assert content.strip() == before.strip()
    assert [(name, json.loads(arguments)) for name, arguments in made] == calls


@given(calls=CALLS, cuts=CUTS)
def test_the_cutting_changes_nothing(calls: list[tuple[str, Any]], cuts: list[int]) -> None:
    text = "Sure. " + hermes(calls)
    assert read(pieces(text, cuts), HERMES)[2] == read([text], HERMES)[2]


@given(calls=CALLS)
def test_arguments_stream_before_the_call_is_over(calls: list[tuple[str, Any]]) -> None:
    text = hermes(calls[:1])
    reader = AnswerReader(HERMES)
    early = [delta for delta in reader.feed(text[: text.rindex("}") - 1]) if "tool_calls" in delta]
    assert early[0]["tool_calls"][0]["function"]["name"] == calls[0][0]


@given(text=TEXT, cuts=CUTS)
def test_text_without_marks_passes_through_unharmed(text: str, cuts: list[int]) -> None:
    assert read(pieces(text, cuts), HERMES)[0] == text


@given(text=st.text("<>/_tolcahink abc\n", max_size=60), cuts=CUTS)
def test_nothing_is_lost_without_tools_and_thoughts(text: str, cuts: list[int]) -> None:
    content, reasoning, calls = read(pieces(text, cuts))
    if text.lstrip().startswith("<think>"):
        assert len(content) + len(reasoning) <= len(text)
    else:
        assert (content, reasoning, calls) == (text, "", [])


@given(thought=TEXT, answer=TEXT.filter(str.strip), cuts=CUTS, opened=st.booleans())
def test_thoughts_are_kept_apart_from_the_answer(
    thought: str, answer: str, cuts: list[int], *, opened: bool
) -> None:
    text = ("" if opened else "<think>\n") + thought + "</think>\n\n" + answer
    content, reasoning, _ = read(pieces(text, cuts), thinking=opened)
    assert reasoning == thought.lstrip()
    assert content == answer.lstrip()


def test_white_space_at_the_end_of_a_thought_stays_wherever_it_is_cut() -> None:
    text = "<think>So. </think>Yes."
    for size in range(1, len(text) + 1):
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        assert read(parts) == ("Yes.", "So. ", [])


def test_a_call_after_a_thought_is_found() -> None:
    text = "<think>\nWhich tool?\n</think>\n\n" + hermes([("add", {"a": 1})])
    assert read([text], HERMES) == ("", "Which tool?\n", [("add", '{"a": 1}')])


@pytest.mark.parametrize("inside", ["", "not json", '{"arguments": {}}', "[1, 2]", '{"name": 5}'])
def test_what_is_no_call_comes_back_as_text(inside: str) -> None:
    text = f"<tool_call>{inside}</tool_call>"
    assert read([text], HERMES) == (text if inside else "", "", [])


def test_a_call_that_is_cut_off_keeps_what_it_had() -> None:
    text = '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b'
    assert read([text], HERMES) == ("", "", [("add", '{"a": 1, "b')])


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (HERMES, '<tool_call>{"arguments": {"a": 1}, "name": "add"}</tool_call>'),
        (HERMES, '<tool_call>{"name": "add", "arguments": "{\\"a\\": 1}"}</tool_call>'),
        (
            HERMES,
            '<tool_call>{"type":"function","function":{"name":"add","arguments":{"a": 1}}}</tool_call>',
        ),
        (
            TAGGED,
            "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>",
        ),
        (MISTRAL, '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}]'),
        (LLAMA, '<|python_tag|>{"name": "add", "parameters": {"a": 1}}'),
        (BARE, '{"name": "add", "parameters": {"a": 1}}'),
        (BARE, '\n{"parameters": {"a": 1}, "name": "add"}'),
    ],
)
def test_the_forms_of_other_models_are_read_too(form: ToolFormat, text: str) -> None:
    for size in (1, 5, len(text)):
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        content, _, calls = read(parts, form)
        assert content.strip() == ""
        assert [(name, json.loads(arguments)) for name, arguments in calls] == [("add", {"a": 1})]


@given(
    name=NAMES,
    given_arguments=st.dictionaries(
        NAMES, st.text("ab c\n", max_size=8) | st.integers(), max_size=3
    ),
)
def test_tagged_arguments_come_out_as_they_were(name: str, given_arguments: dict[str, Any]) -> None:
    inside = "".join(
        f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in given_arguments.items()
    )
    _, _, ((called, arguments),) = read(
        [f"<tool_call>\n<function={name}>\n{inside}</function>\n</tool_call>"], TAGGED
    )
    assert (called, json.loads(arguments)) == (name, given_arguments)


def test_json_that_is_an_answer_and_no_call_is_text() -> None:
    assert read(['{"answer": 42}'], BARE) == ('{"answer": 42}', "", [])


@given(calls=CALLS)
def test_both_spellings_of_a_list_of_calls_parse_alike(calls: list[tuple[str, Any]]) -> None:
    plain = [{"name": name, "arguments": given} for name, given in calls]
    nested = [{"function": {"name": name, "parameters": given}} for name, given in calls]
    assert parse_calls(plain) == parse_calls(nested)
    assert [(name, json.loads(text)) for name, text in parse_calls(plain)] == calls


def test_a_template_without_tools_has_no_format() -> None:
    assert tool_format("{{ messages }} <tool_call>") is None
    assert tool_format("{% if tools %}{{ tools }}{% endif %}") is None
    assert tool_format("{% if tools %}<tool_call>{% endif %}") is HERMES
    assert tool_format("{% if tools %}<tool_call><function=x>{% endif %}") is TAGGED


@given(text=st.text(max_size=40), cuts=CUTS)
def test_bytes_cut_anywhere_become_the_same_text(text: str, cuts: list[int]) -> None:
    data = text.encode("utf-8", "replace")
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    stream = TextStream()
    out = "".join(stream.feed(data[a:b]) for a, b in pairwise(at))
    assert out + stream.feed(b"", final=True) == data.decode()


@given(
    text=st.text("abc", max_size=30),
    stops=st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
    size=st.integers(1, 5),
)
def test_an_answer_ends_before_its_first_stop_string(
    text: str, stops: list[str], size: int
) -> None:
    stream = TextStream(stops)
    out = ""
    for at in range(0, len(text), size):
        if not stream.stopped:
            out += stream.feed(text[at : at + size].encode())
    out += stream.feed(b"", final=True)
    assert stream.stopped == any(stop in text for stop in stops)
    assert not any(stop in out for stop in stops)
    assert text.startswith(out)
    assert stream.stopped or out == text
