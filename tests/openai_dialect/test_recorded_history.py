"""Every recorded answer of the dialect, sent back as history, says what its wire said."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import ChatRequest, ChatResponse, Explanation, Message, ToolResult, create_provider
from openai_dialect.reading import (
    Said,
    calls_of,
    numbered,
    parsed,
    parsed_calls,
    read_answers,
    spoken,
)
from openai_dialect.replaying import config, sync
from openai_dialect.scope import documents, failed, inside, plugin, whole
from support.recordings import WIRE, Turn

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
GOOD = [t for t in inside("chat") if not failed(t) and whole(t)]
HISTORY = ("reasoning", "reasoning_content")
GROWING = ("text", "summary", "data")


def plan_of(turn: Turn) -> Explanation:
    """What is sent after the answer of *turn*, the results of its calls and a word of thanks."""
    answer: ChatResponse = sync(turn).result
    results = [Message("tool", ToolResult(c.id, "done")) for c in answer.tool_calls]
    messages = [Message("user", "Hi"), answer.message, *results, Message("user", "Thanks")]
    provider = create_provider(plugin(turn), config(turn))
    return provider.explain(ChatRequest(model="a-model", messages=messages))


def returned(plan: Explanation) -> dict[str, Any]:
    """The model's message in *plan*."""
    (found,) = [m for m in plan.body["messages"] if m["role"] == "assistant"]
    return dict(found)


def content(message: dict[str, Any]) -> str:
    """The text of *message*."""
    told = message.get("content") or ""
    return told if isinstance(told, str) else "".join(p.get("text") or "" for p in told)


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_text_and_refusal_are_the_wires(turn: Turn) -> None:
    wire, sent = read_answers(documents(turn)).get(0, Said()), returned(plan_of(turn))
    assert content(sent) == wire.text
    assert sent.get("refusal", "") == wire.refusal


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_calls_are_the_wires_with_their_ids(turn: Turn) -> None:
    wire, plan = read_answers(documents(turn)).get(0, Said()), plan_of(turn)
    sent = returned(plan).get("tool_calls") or []
    said = read_answers([{"choices": [{"message": {"tool_calls": sent}}]}])[0]
    assert [(name, parsed(text)) for name, text in said.calls] == parsed_calls(wire)
    given = [
        str(call["id"])
        for document in documents(turn)
        for at, choice in numbered(document)
        for call in calls_of(spoken(choice)[0])
        if at == 0 and call.get("id") not in (None, "")
    ]
    ids = [call["id"] for call in sent]
    assert set(given) <= set(ids)
    assert [m["tool_call_id"] for m in plan.body["messages"] if m["role"] == "tool"] == ids


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_thinking_is_the_wires_or_the_caller_is_told_that_it_is_dropped(turn: Turn) -> None:
    wire, plan = read_answers(documents(turn)).get(0, Said()), plan_of(turn)
    sent, details = returned(plan), told_details(turn)
    if details:
        assert sent["reasoning_details"] == details
        return
    shown = "".join(sent.get(name, "") for name in HISTORY)
    dropped = any(w.subject == "reasoning" for w in plan.warnings)
    assert shown == ("" if dropped else wire.reasoning)
    assert not dropped or wire.reasoning


def told_details(turn: Turn) -> list[Any]:
    """The details of the thinking, each block in one piece."""
    found: list[Any] = []
    for document in documents(turn):
        for at, choice in numbered(document):
            for detail in spoken(choice)[0].get("reasoning_details") or [] if at == 0 else []:
                before = found[-1] if found and turn.streamed else {}
                same = all(detail.get(k) == before.get(k) for k in ("type", "index"))
                if not before or not same:
                    found.append(dict(detail))
                    continue
                for key, value in detail.items():
                    grows = key in GROWING and isinstance(before.get(key), str)
                    if grows and isinstance(value, str):
                        before[key] += value
                    elif value is not None:
                        before[key] = value
    return found


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_the_caller_is_told_of_nothing_else(turn: Turn) -> None:
    answer: ChatResponse = sync(turn).result
    media = {getattr(part, "media_type", "reasoning") for part in answer.message.content}
    assert {w.subject for w in plan_of(turn).warnings} <= {"reasoning", *media}
