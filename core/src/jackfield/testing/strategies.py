"""Hypothesis strategies for the values of jackfield: small, valid, and quick to shrink.

Each function returns a strategy::

    from hypothesis import given
    from jackfield.testing import strategies as jf


    @given(jf.chat_requests())
    def test_a_body_can_be_built_for_any_request(request): ...

They are kept once made, since making a strategy costs more than drawing from it.
Texts are any Unicode that UTF-8 can encode; conversations pair each tool call with its
result; JSON is what JSON can hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

from attrs import fields
from hypothesis import strategies as st

from ..events import (
    Finish,
    ReasoningDelta,
    RefusalDelta,
    StreamEvent,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ..params import EFFORTS, GenerationParams, ParamTable
from ..requests import ChatRequest
from ..types import (
    Alternative,
    CallWarning,
    ChatResponse,
    ContentPart,
    Cost,
    FinishReason,
    MediaPart,
    Message,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    Role,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)

Strategy = st.SearchStrategy
_ENCODABLE = st.characters(codec="utf-8")
_NAME = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)


@cache
def texts(min_size: int = 0, max_size: int = 20) -> Strategy[str]:
    """Any text that can be encoded."""
    return st.text(_ENCODABLE, min_size=min_size, max_size=max_size)


@cache
def json_values() -> Strategy[Any]:
    """Anything that JSON holds, numbers finite and whole ones within 64 bits."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        texts(),
    )
    return st.recursive(
        leaves,
        lambda v: st.one_of(st.lists(v, max_size=3), st.dictionaries(texts(), v, max_size=3)),
        max_leaves=4,
    )


@cache
def json_objects() -> Strategy[dict[str, Any]]:
    """JSON objects."""
    return st.dictionaries(texts(max_size=8), json_values(), max_size=3)


@cache
def json_texts() -> Strategy[str]:
    """JSON objects as text: what a model writes as arguments."""
    return json_objects().map(lambda value: json.dumps(value, ensure_ascii=False))


@cache
def schemas() -> Strategy[dict[str, Any]]:
    """JSON Schemas of objects, as tools and structured answers have them."""
    kinds = st.sampled_from(["string", "integer", "number", "boolean"]).map(lambda t: {"type": t})
    leaf = st.one_of(kinds, st.just({"type": "array", "items": {"type": "string"}}))
    return st.dictionaries(_NAME, leaf, max_size=3).map(
        lambda properties: {
            "type": "object",
            "properties": properties,
            "required": sorted(properties),
            "additionalProperties": False,
        }
    )


@cache
def tools() -> Strategy[Tool]:
    """Tools with names that every provider accepts."""
    return st.builds(Tool, _NAME, texts(), schemas(), strict=st.sampled_from([None, True, False]))


@cache
def toolsets(max_size: int = 3) -> Strategy[list[Tool]]:
    """Lists of tools without a name twice."""
    return st.lists(tools(), max_size=max_size, unique_by=lambda tool: tool.name)


@cache
def media() -> Strategy[MediaPart]:
    """Small pictures and documents, inline or by URL."""
    kinds = st.sampled_from(["image/png", "image/jpeg", "application/pdf"])
    inline = st.builds(MediaPart, kinds, st.binary(min_size=1, max_size=16))
    linked = st.builds(MediaPart, kinds, st.none(), st.just("https://example.com/picture.png"))
    return st.one_of(inline, linked)


@cache
def user_messages(with_media: bool = False) -> Strategy[Message]:
    """Messages of the user."""
    text = texts(min_size=1).map(TextPart)
    parts: Strategy[Any] = st.one_of(text, media()) if with_media else text
    return st.lists(parts, min_size=1, max_size=2).map(lambda c: Message(Role.USER, c))


def messages() -> Strategy[Message]:
    """Single messages of the system, the user or the assistant."""
    system = texts(min_size=1).map(lambda t: Message(Role.SYSTEM, t))
    said = texts(min_size=1).map(lambda t: Message(Role.ASSISTANT, t))
    return st.one_of(user_messages(), said, system)


@st.composite
def conversations(
    draw: st.DrawFn, *, tools: Sequence[str] = ("get_weather", "add"), with_media: bool = False
) -> tuple[Message, ...]:
    """Conversations that end with the user or a tool; each tool call has its result.

    *tools* are the names that calls may have; none, no calls.
    """
    said: list[Message] = []
    if draw(st.booleans()):
        said.append(Message(Role.SYSTEM, draw(texts(min_size=1))))
    calls = 0
    for _ in range(draw(st.integers(1, 3))):
        if said and said[-1].role is not Role.SYSTEM:
            said.append(Message(Role.ASSISTANT, draw(texts(min_size=1))))
        said.append(draw(user_messages(with_media)))
        if draw(st.booleans()) and tools:
            names = draw(st.lists(st.sampled_from(list(tools)), min_size=1, max_size=2))
            asked = [
                ToolCall(f"call_{calls + n}", t, draw(json_texts())) for n, t in enumerate(names)
            ]
            calls += len(asked)
            words = draw(st.lists(texts(min_size=1).map(TextPart), max_size=1))
            said.append(Message(Role.ASSISTANT, (*words, *asked)))
            said += [
                Message(Role.TOOL, ToolResult(c.id, draw(texts()), name=c.name)) for c in asked
            ]
    return tuple(said)


def params(table: ParamTable | None = None) -> Strategy[GenerationParams]:
    """Valid parameters, most of them unset; only those of *table* if there is one."""
    share = st.floats(0, 1)
    penalty = st.floats(-2, 2)
    values: dict[str, Strategy[Any]] = {
        "max_tokens": st.integers(1, 100_000),
        "temperature": st.floats(0, 2),
        "top_p": share,
        "top_k": st.integers(0, 500),
        "min_p": share,
        "seed": st.integers(-(2**31), 2**31),
        "stop": st.lists(texts(min_size=1, max_size=5), min_size=1, max_size=5).map(tuple),
        "presence_penalty": penalty,
        "frequency_penalty": penalty,
        "repeat_penalty": st.floats(0.5, 2),
        "reasoning_effort": st.sampled_from(list(EFFORTS)),
        "context_length": st.integers(1, 1_000_000),
        "parallel_tool_calls": st.booleans(),
    }
    unknown = {f.name for f in fields(GenerationParams)} - values.keys()
    assert not unknown, f"no strategy for {unknown}"
    wanted = values if table is None else {n: s for n, s in values.items() if n in table}
    chosen = st.fixed_dictionaries({}, optional=wanted)
    return chosen.map(lambda given: GenerationParams(**given))


@cache
def response_formats() -> Strategy[ResponseFormat]:
    """Text, JSON, or JSON of a schema."""
    plain = st.sampled_from([ResponseFormat(), ResponseFormat(type="json")])
    shaped = st.builds(ResponseFormat, type=st.just("json_schema"), schema=schemas(), name=_NAME)
    return st.one_of(plain, shaped)


@st.composite
def chat_requests(draw: st.DrawFn, *, with_media: bool = False) -> ChatRequest:
    """Whole requests: a conversation, tools that it may call, parameters, a format."""
    offered = draw(toolsets())
    names = [tool.name for tool in offered]
    choices = ["auto", "none", *(["required", *names] if names else [])]
    return ChatRequest(
        model=draw(_NAME),
        messages=draw(conversations(tools=tuple(names), with_media=with_media)),
        params=draw(params()),
        tools=offered,
        tool_choice=draw(st.sampled_from(choices)),
        response_format=draw(st.none() | response_formats()),
    )


@cache
def usages() -> Strategy[Usage]:
    """Usage whose parts are within their totals; what was not reported is None."""

    def whole(total: int, out: int, read: int, write: int, thought: int) -> Usage:
        return Usage(
            input_tokens=total + read + write,
            output_tokens=out + thought,
            cache_read_tokens=read or None,
            cache_write_tokens=write or None,
            reasoning_tokens=thought or None,
        )

    count = st.integers(0, 10**6)
    return st.one_of(st.just(Usage()), st.builds(whole, count, count, count, count, count))


@cache
def _metadata() -> Strategy[Mapping[str, Any]]:
    return st.just({}) | st.fixed_dictionaries({"made-up": json_objects()})


@cache
def assistant_parts() -> Strategy[ContentPart]:
    """Parts that an answer may hold."""
    signature = st.none() | texts(min_size=1)
    return st.one_of(
        st.builds(TextPart, texts(), provider_metadata=_metadata()),
        st.builds(ReasoningPart, texts(), signature, signature, provider_metadata=_metadata()),
        st.builds(ToolCall, _NAME, _NAME, json_texts(), provider_metadata=_metadata()),
        st.builds(RefusalPart, texts()),
    )


@cache
def _answers() -> Strategy[Message]:
    parts = st.lists(assistant_parts(), max_size=4)
    return parts.map(lambda content: Message(Role.ASSISTANT, content))


def responses() -> Strategy[ChatResponse]:
    """Whole answers, some with further ones beside them."""
    reasons = st.sampled_from(list(FinishReason))
    other = st.builds(
        Alternative,
        message=_answers(),
        finish_reason=reasons,
        raw_finish_reason=st.none() | texts(),
    )
    kinds = st.sampled_from(["unsupported", "clamped", "emulated", "dropped", "budget"])
    amount = st.decimals(0, 100, places=4, allow_nan=False) | st.just(Decimal(0))
    return st.builds(
        ChatResponse,
        id=texts(),
        model=_NAME,
        message=_answers(),
        finish_reason=reasons,
        raw_finish_reason=st.none() | texts(),
        usage=usages(),
        cost=st.just(Cost()) | st.builds(Cost, amount=amount, source=st.just("computed")),
        warnings=st.lists(st.builds(CallWarning, kinds, _NAME, texts()), max_size=2).map(tuple),
        alternatives=st.lists(other, max_size=2).map(tuple),
        provider_metadata=_metadata(),
    )


def deltas() -> Strategy[StreamEvent]:
    """Pieces of an answer: text, thinking, a refusal, a tool call."""
    index, choice = st.integers(0, 2), st.integers(0, 1)
    return st.one_of(
        st.builds(TextDelta, texts(), index, choice),
        st.builds(ReasoningDelta, texts(), index, choice, st.none() | texts(min_size=1)),
        st.builds(RefusalDelta, texts(), index, choice),
        st.builds(ToolCallDelta, index, _NAME, _NAME, json_texts(), choice),
    )


def events() -> Strategy[list[StreamEvent]]:
    """Streams: a start, deltas of several parts mixed, and the ends."""
    start = st.builds(StreamStart, id=texts(), model=_NAME)
    reasons = st.sampled_from(list(FinishReason))
    ends = st.tuples(
        st.builds(Finish, finish_reason=reasons, usage=st.none() | usages()),
        st.builds(Finish, finish_reason=reasons, choice=st.just(1)),
    )
    return st.tuples(start, st.lists(deltas(), max_size=8), ends).map(
        lambda parts: [parts[0], *parts[1], *parts[2]]
    )


@st.composite
def cuts(draw: st.DrawFn, payload: bytes, most: int = 8) -> list[bytes]:
    """Ways in which *payload* can arrive: whole, in pieces, byte by byte."""
    size = len(payload)
    if not size:
        return []
    where = st.one_of(
        st.lists(st.integers(0, size), max_size=most),
        st.integers(1, 3).map(lambda step: list(range(0, size, step))),
    )
    edges = sorted({0, size, *draw(where)})
    return [payload[a:b] for a, b in pairwise(edges)]
