"""An answer that was recorded, sent back as history and read again by its own dialect, is the same values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from conversations.test_recorded_answers import go_on
from jackfield import (
    Explanation,
    MediaPart,
    Message,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from support.everyone import made
from support.recordings import WIRE
from support.speakers import ASKED, SPEAKERS, said

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}"),
]
Json = dict[str, Any]

UNSENT = ("logprobs", "annotations")
"""What is told about a text and no API takes with it: how likely each token was, what was cited."""


def spoken(way: str, plan: Explanation, message: Message) -> Any:
    """What *plan* sends as *message*: the items of the Responses API, elsewhere one message."""
    body, roles = plan.body, ("assistant", "model", "CHATBOT")
    if "api=responses" in way:
        return body["input"][1 : len(body["input"]) - 1 - len(message.tool_calls)]
    listed = next(body[k] for k in ("messages", "contents", "chat_history") if k in body)
    found = [m for m in listed if m["role"] in roles]
    assert len(found) <= 1
    return found[0] if found else {"content": []}


def item(sent: Json) -> Json:
    """An item of the Responses API; a message may be sent in a short form."""
    if "type" in sent:
        return sent
    text = {"type": "output_text", "text": sent["content"]}
    return {"type": "message", "role": sent["role"], "content": [text]}


def as_answer(way: str, sent: Any) -> Json:
    """*sent* as the service itself would answer it: each dialect has one shape for both."""
    if "api=responses" in way:
        about = {"id": "r", "object": "response", "status": "completed", "model": "m"}
        return {**about, "output": [item(i) for i in sent]}
    match way.partition(" ")[0], way:
        case "claude", _:
            kind = {"id": "m", "type": "message", "role": "assistant", "model": "m"}
            return {**kind, "content": sent["content"], "stop_reason": "end_turn", "usage": {}}
        case "gemini", _:
            return {"candidates": [{"content": sent, "finishReason": "STOP"}]}
        case _, "cohere api=v1":
            return {"text": sent["message"], "generation_id": "g", **sent}
        case "cohere", _:
            said_ = sent.get("content")
            blocks = [{"type": "text", "text": said_}] if isinstance(said_, str) else said_
            return {"id": "c", "message": {**sent, "content": blocks}, "finish_reason": "COMPLETE"}
        case "ollama", _:
            return {"model": "m", "message": sent, "done": True, "done_reason": "stop"}
    choice = {"index": 0, "message": sent, "finish_reason": "stop"}
    return {"id": "c", "model": "m", "choices": [choice]}


def read_again(way: str, sent: Any) -> Message:
    """*sent*, read by the provider as an answer."""
    answer = Recorded(chunks=[json.dumps(as_answer(way, sent)).encode()])
    with made(way, driver=ReplayDriver([answer])) as provider:
        return provider.run(ASKED).message


def essence(way: str, message: Message, dropped: set[str]) -> list[Any]:
    """What of *message* is sent, in comparable form; *dropped* are the subjects of warnings."""
    return list(_essence(way, message, dropped))


def _essence(way: str, message: Message, dropped: set[str]) -> Iterator[Any]:
    for part in message.content:
        own = {k: _kept(v) for k, v in getattr(part, "provider_metadata", {}).items()}
        match part:
            case TextPart(text) if text.strip():  # some services refuse blanks
                yield "text", text, {k: v for k, v in own.items() if v}
            case RefusalPart(text) if "api=responses" in way:  # it has no item of its own
                yield "text", text, {}
            case ReasoningPart() if "reasoning" in dropped:
                pass
            case ToolCall(id_, name, arguments):
                yield "call", id_, name, parsed(arguments), own
            case MediaPart(kind, _, _) if any("id" in v for v in own.values()):
                yield "media", kind, [v["id"] for v in own.values()]  # the service has its bytes
            case MediaPart(kind) if kind in dropped:
                pass
            case other if not isinstance(other, TextPart):
                yield other


def _kept(noted: Mapping[str, Any]) -> Json:
    return {key: value for key, value in noted.items() if key not in UNSENT and value != {}}


def parsed(arguments: str) -> Any:
    """The JSON of *arguments*, or their text where the answer was cut off."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


@pytest.mark.parametrize("way", SPEAKERS)
def test_an_answer_that_is_sent_back_and_read_again_is_the_same(way: str) -> None:
    for one in said(way):
        message = one.answer.message
        plan = go_on(made(way), message)
        dropped = {warning.subject for warning in plan.warnings}
        sent = spoken(way, plan, message)
        again = (
            read_again(way, sent) if essence(way, message, dropped) else Message("assistant", [])
        )
        assert essence(way, again, dropped) == essence(way, message, dropped), str(one)


def test_there_are_recorded_answers() -> None:
    assert any(said(way) for way in SPEAKERS)


@pytest.mark.parametrize("way", SPEAKERS)
def test_nothing_is_left_out_at_home_but_thinking_that_the_api_takes_from_nobody(way: str) -> None:
    for one in said(way):
        plan = go_on(made(way), one.answer.message)
        calls = {f"call of {call.name}" for call in one.answer.tool_calls}
        kinds = {p.media_type for p in one.answer.message.content if isinstance(p, MediaPart)}
        told = {warning.subject for warning in plan.warnings}
        blank = {"messages[1]"} if not one.answer.message.text.strip() else set()
        assert told <= {"reasoning", *calls, *kinds, *blank}, str(one)
