"""Every recorded answer of the Responses API says through the plugins what its wire says."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import pytest

from jackfield import (
    ChatRequest,
    ChatResponse,
    FinishReason,
    LLMError,
    Message,
    StreamInterruptedError,
    TokenCount,
    fold,
)
from openai_operations.replaying import MARKS, on_loop, plugin, replaying, sync
from openai_operations.scope import failed, inside, typed
from support.recordings import Turn, pieces

pytestmark = MARKS

TURNS = inside("responses")
GOOD = [t for t in TURNS if not failed(t)]
STREAMS = [t for t in GOOD if t.streamed]
COUNTS = [t for t in inside("input tokens") if not failed(t)]
ENDS = ("response.completed", "response.incomplete")


def whole(turn: Turn) -> dict[str, Any]:
    """The response object at the end of *turn*."""
    if not turn.streamed:
        return dict(turn.response["body"])
    return next(dict(e["response"]) for e in reversed(turn.data()) if e.get("type") in ENDS)


def items(turn: Turn) -> list[dict[str, Any]]:
    """The output items; streams have them where each is done."""
    if not turn.streamed:
        return list(whole(turn)["output"])
    done = [e for e in turn.data() if e.get("type") == "response.output_item.done"]
    return [e["item"] for e in done] or list(whole(turn)["output"])


def pieces_of(turn: Turn, item_type: str, kind: str) -> list[dict[str, Any]]:
    found = [i for i in items(turn) if i["type"] == item_type]
    return [c for i in found for c in i.get("content") or [] if c["type"] == kind]


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_text_refusal_thinking_and_calls_are_the_wires(turn: Turn) -> None:
    answer: ChatResponse = sync(turn).value()
    assert answer.text == "".join(c["text"] for c in pieces_of(turn, "message", "output_text"))
    refused = "".join(c["refusal"] for c in pieces_of(turn, "message", "refusal"))
    assert (answer.refusal or "") == refused
    thoughts = [
        piece["text"]
        for i in items(turn)
        if i["type"] == "reasoning"
        for piece in [*(i.get("summary") or []), *(i.get("content") or [])]
    ]
    assert answer.reasoning.replace("\n", "") == "".join(thoughts).replace("\n", "")
    calls = [i for i in items(turn) if i["type"] == "function_call"]
    assert [(c.id, c.name, json.loads(c.arguments)) for c in answer.tool_calls] == [
        (i["call_id"], i["name"], json.loads(i["arguments"])) for i in calls
    ]


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_usage_and_the_last_word_are_the_wires(turn: Turn) -> None:
    answer, wire = sync(turn).value(), whole(turn)
    told = wire.get("usage") or {}
    assert answer.usage.input_tokens == told.get("input_tokens")
    assert answer.usage.output_tokens == told.get("output_tokens")
    cached = (told.get("input_tokens_details") or {}).get("cached_tokens")
    assert answer.usage.cache_read_tokens == cached
    thought = (told.get("output_tokens_details") or {}).get("reasoning_tokens")
    assert answer.usage.reasoning_tokens == thought
    assert (answer.id, answer.model) == (wire["id"], wire["model"])
    reason = (wire.get("incomplete_details") or {}).get("reason")
    assert answer.raw_finish_reason == (reason or wire["status"])
    if wire["status"] == "completed":
        called = FinishReason.TOOL_CALLS if answer.tool_calls else FinishReason.STOP
        assert answer.finish_reason is called
    else:
        assert answer.finish_reason is not FinishReason.STOP


@pytest.mark.parametrize("turn", STREAMS, ids=str)
def test_a_streams_events_fold_into_its_response(turn: Turn) -> None:
    outcome = sync(turn)
    assert fold(outcome.events) == outcome.value()
    assert "".join(map(str, outcome.events)) == outcome.value().text


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_every_item_goes_back_as_it_came(turn: Turn) -> None:
    """The history of a conversation holds the very items that the service made."""
    answer: ChatResponse = sync(turn).value()
    provider = replaying(plugin(turn), [], api="responses")
    messages = [Message("user", "Hi"), answer.message, Message("user", "Go on")]
    plan = provider.explain(ChatRequest(model="m", messages=messages))
    assert plan.warnings == ()
    returned = plan.body["input"][1:-1]
    assert [_plain(i) for i in returned] == [p for i in items(turn) if (p := _plain(i))]


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """*item* without what is left out where it is empty, or said in two ways."""
    kept = {k: v for k, v in item.items() if v is not None}
    if item.get("type") == "message":
        content = [
            {k: v for k, v in c.items() if k != "logprobs" and v not in (None, [])}
            for c in item["content"]
            if c.get("text") or c.get("refusal")
        ]
        if content and all(c["type"] == "refusal" for c in content):
            # The model's words for declining are kept as words: they have no id of their own.
            return {"role": "assistant", "content": "".join(c["refusal"] for c in content)}
        names = {"type", "role", "id", "status", "phase"}
        return {**{k: kept[k] for k in kept.keys() & names}, "content": content} if content else {}
    if item.get("type") == "function_call":
        names = {"type", "id", "call_id", "name", "arguments", "status", "namespace"}
        return {k: kept[k] for k in kept.keys() & names}
    return kept


@pytest.mark.parametrize("turn", STREAMS, ids=str)
def test_a_stream_is_the_same_however_its_bytes_arrive(turn: Turn) -> None:
    chance, payload = random.Random(str(turn)), turn.payload
    cuts = [0, *sorted(chance.sample(range(len(payload)), min(40, len(payload)))), len(payload)]
    scattered = [payload[a:b] for a, b in pairwise(cuts) if b > a]
    plain = sync(turn)
    assert sync(turn, scattered) == plain
    if len(payload) < 20_000:
        assert sync(turn, pieces(payload, 1)) == plain


@pytest.mark.parametrize("turn", STREAMS, ids=str)
def test_a_stream_that_is_cut_is_interrupted_and_keeps_what_came(turn: Turn) -> None:
    text, payload = sync(turn).value().text, turn.payload
    end = max(payload.rfind(name.encode()) for name in ENDS)
    for part in range(1, 10):
        cut = sync(turn, [payload[: end * part // 10]])
        assert isinstance(cut.error, StreamInterruptedError)
        assert text.startswith(cut.error.partial_text)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_every_colour_reads_the_same(turn: Turn, backend: str) -> None:
    plain, there = sync(turn), on_loop(turn, backend)
    assert (there.result, there.events) == (plain.result, plain.events)
    assert type(there.error) is type(plain.error)
    assert str(there.error) == str(plain.error)


@pytest.mark.parametrize("turn", [t for t in TURNS if failed(t)], ids=str)
def test_an_error_is_typed_and_says_what_the_service_says(turn: Turn) -> None:
    error = sync(turn).error
    assert isinstance(error, LLMError)
    if turn.status >= 300:
        assert error.status == turn.status
        told = turn.response["body"]
        told = told[0] if isinstance(told, list) else told
        wanted = told["error"]["message"] if isinstance(told["error"], dict) else told["error"]
        assert error.message == wanted


@pytest.mark.parametrize("turn", COUNTS, ids=str)
def test_input_tokens_are_counted_by_the_service(turn: Turn) -> None:
    counted = sync(turn).value()
    assert counted == TokenCount(input_tokens=turn.response["body"]["input_tokens"])


@pytest.mark.parametrize("turn", [t for t in GOOD if not t.streamed], ids=str)
def test_unknown_fields_and_items_are_tolerated(turn: Turn) -> None:
    body = {**turn.response["body"], "tomorrow": {"a": 1}}
    body["output"] = [*body["output"], {"type": "tomorrows_call", "id": "t_1", "what": [1]}]
    changed = Turn(
        turn.provider, turn.case, turn.number, turn.behaviours, turn.request,
        {**turn.response, "body": body, "body_text": json.dumps(body)},
    )  # fmt: skip
    plain, there = sync(turn).value(), sync(changed).value()
    assert (there.text, there.usage, there.tool_calls) == (
        plain.text,
        plain.usage,
        plain.tool_calls,
    )
    assert there.message.content[-1].data["type"] == "tomorrows_call"


def test_there_are_turns_of_every_kind() -> None:
    assert GOOD
    assert STREAMS
    assert COUNTS
    assert all(isinstance(typed(t), ChatRequest) for t in TURNS)
