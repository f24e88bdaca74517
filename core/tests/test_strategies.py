"""The strategies give valid values of every kind, and shrink to what a person would write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from core_toy import make
from hypothesis import find, given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    ChatResponse,
    GenerationParams,
    Message,
    Role,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from jackfield.params import NAMES, Param, parse_params
from jackfield.prompts import parse_tools
from jackfield.testing import strategies as jf

TOY = make()
FRESH = settings(max_examples=2000, database=None)


@given(jf.texts())
def test_texts_can_be_encoded(text: str) -> None:
    assert text.encode().decode() == text


@given(jf.json_values())
def test_json_values_survive_json(value: Any) -> None:
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@given(jf.conversations(with_media=True))
def test_conversations_pair_each_call_with_its_result(messages: tuple[Message, ...]) -> None:
    assert TOY.chat_request("m", messages).messages == messages
    calls = [p.id for m in messages for p in m.content if isinstance(p, ToolCall)]
    results = [p.tool_call_id for m in messages for p in m.content if isinstance(p, ToolResult)]
    assert sorted(calls) == sorted(results)
    assert len(set(calls)) == len(calls)
    assert messages[-1].role in {Role.USER, Role.TOOL}
    assert all(m.role is not Role.SYSTEM for m in messages[1:])


@given(jf.conversations(tools=()))
def test_without_tools_nobody_calls_any(messages: tuple[Message, ...]) -> None:
    assert not any(m.tool_calls for m in messages)


@given(jf.toolsets())
def test_toolsets_are_accepted(tools: list[Tool]) -> None:
    assert parse_tools(tools) == tuple(tools)


@given(jf.params())
def test_parameters_are_accepted(params: GenerationParams) -> None:
    assert parse_params(params) == params


@given(jf.params({"seed": Param("seed")}))
def test_parameters_can_be_those_of_a_table(params: GenerationParams) -> None:
    assert [n for n in NAMES if n != "seed" and getattr(params, n) is not None] == []


@given(jf.chat_requests(with_media=True))
def test_requests_can_be_built_and_explained(request: ChatRequest) -> None:
    assert TOY.explain(request).body["model"] == request.model
    names = {t.name for t in request.tools}
    assert request.tool_choice in {"auto", "none", "required", *names}
    assert all(c.name in names for m in request.messages for c in m.tool_calls)


@given(jf.usages())
def test_parts_of_usage_are_within_their_totals(usage: Usage) -> None:
    assert (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0) <= (
        usage.input_tokens or 0
    )
    assert (usage.reasoning_tokens or 0) <= (usage.output_tokens or 0)


@given(st.binary(max_size=50), st.data())
def test_cuts_join_to_the_whole(payload: bytes, data: Any) -> None:
    chunks = data.draw(jf.cuts(payload))
    assert b"".join(chunks) == payload
    assert all(chunks)


REACHED: list[tuple[Any, Any]] = [
    (jf.conversations(), lambda c: any(len(m.tool_calls) == 2 for m in c)),
    (jf.conversations(), lambda c: c[0].role is Role.SYSTEM and len(c) > 3),
    (jf.responses(), lambda r: r.alternatives and r.tool_calls and r.warnings),
    (jf.responses(), lambda r: any(getattr(p, "signature", None) for p in r.message.content)),
    (jf.chat_requests(), lambda r: r.tools and r.response_format and r.params.stop),
    (jf.events(), lambda es: len({type(e) for e in es}) >= 5),
    (jf.usages(), lambda u: u.cache_read_tokens and u.reasoning_tokens),
]


@pytest.mark.parametrize(("strategy", "condition"), REACHED)
def test_interesting_values_are_reached(strategy: Any, condition: Any) -> None:
    assert condition(find(strategy, condition, settings=FRESH))


def test_values_shrink_to_the_simplest() -> None:
    assert find(jf.conversations(), lambda _: True, settings=FRESH) == (Message("user", "0"),)
    assert find(jf.params(), lambda _: True, settings=FRESH) == GenerationParams()
    simplest = find(jf.responses(), lambda r: bool(r.text), settings=FRESH)
    assert isinstance(simplest, ChatResponse)
    assert (simplest.text, simplest.alternatives, simplest.warnings) == ("0", (), ())
