"""What a model said goes back to it as it was said, and comes out of the protocol as it went in."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    Message,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from jackfield.testing import strategies as jf

NAME = "openai-compatible"
SAID = jf.texts(min_size=1)


@st.composite
def assistant_messages(draw: st.DrawFn) -> Message:
    """Messages of a model in the order in which the dialect tells their parts."""
    parts: list[Any] = [ReasoningPart(t) for t in draw(st.lists(SAID, max_size=1))]
    parts += [TextPart(t) for t in draw(st.lists(SAID, max_size=1))]
    parts += [RefusalPart(t) for t in draw(st.lists(SAID, max_size=1))]
    arguments = draw(st.lists(jf.json_texts(), max_size=3))
    parts += [ToolCall(f"call_{i}", "look_up", a) for i, a in enumerate(arguments)]
    return Message("assistant", parts)


@given(message=assistant_messages())
def test_a_message_survives_being_written_and_read(replayed: Any, message: Message) -> None:
    request = ChatRequest(model="m", messages=[message])
    (wire,) = replayed().explain(request).body["messages"]
    choice = {"index": 0, "message": wire, "finish_reason": "stop"}
    answer = replayed({"id": "c", "choices": [choice]}).execute("m", "Hi")
    assert answer.message == message


WIRE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": SAID | st.none()},
    optional={
        "reasoning_content": SAID,
        "refusal": SAID,
        "tool_calls": st.lists(jf.json_texts(), min_size=1, max_size=3).map(
            lambda all_of_them: [
                {"id": f"call_{i}", "type": "function", "function": {"name": "f", "arguments": a}}
                for i, a in enumerate(all_of_them)
            ]
        ),
    },
)


@given(wire=WIRE)
def test_an_answer_goes_back_as_it_came(replayed: Any, body_of: Any, wire: dict[str, Any]) -> None:
    body = {"id": "c", "choices": [{"index": 0, "message": wire, "finish_reason": "stop"}]}
    said = replayed(body).execute("m", "Hi").message
    results = [Message("tool", ToolResult(c.id, "done")) for c in said.tool_calls]
    next_turn = replayed(body)
    next_turn.execute("m", [Message("user", "Hi"), said, *results, Message("user", "And?")])
    sent = body_of(next_turn)["messages"]
    assert {**sent[1], "content": sent[1]["content"] or None} == wire
    assert [m["tool_call_id"] for m in sent if m["role"] == "tool"] == [
        c.id for c in said.tool_calls
    ]


DETAILS = [
    {"type": "reasoning.text", "index": 0, "text": "We need", "signature": "sig"},
    {"type": "reasoning.encrypted", "index": 1, "data": "abc"},
]


@pytest.mark.parametrize("streamed", [False, True])
def test_reasoning_details_go_back_whole(replayed: Any, body_of: Any, streamed: bool) -> None:
    message = {
        "role": "assistant",
        "content": "4",
        "reasoning": "We need",
        "reasoning_details": DETAILS,
    }
    if streamed:
        pieces = [{"reasoning": "We ", "reasoning_details": [{**DETAILS[0], "text": "We "}]}]
        pieces += [{"reasoning": "need", "reasoning_details": [{**DETAILS[0], "text": "need"}]}]
        pieces += [{"reasoning_details": DETAILS[1:]}, {"content": "4"}]
        chunks: list[Any] = [{"id": "c", "choices": [{"delta": p}]} for p in pieces]
        end = {"id": "c", "choices": [{"delta": {}, "finish_reason": "stop"}]}
        answer = replayed([*chunks, end]).stream_execute("m", "Hi").drain()
    else:
        answer = replayed({"id": "c", "choices": [{"message": message}]}).execute("m", "Hi")
    next_turn = replayed({"id": "c", "choices": [{"message": message}]})
    next_turn.execute("m", [Message("user", "Hi"), answer.message, Message("user", "And?")])
    sent = body_of(next_turn)["messages"][1]
    assert sent == {"role": "assistant", "content": "4", "reasoning_details": DETAILS}


@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_that_the_details_alone_tell_is_thinking(replayed: Any, streamed: bool) -> None:
    told = {"reasoning": None, "reasoning_details": DETAILS}
    choice = {"delta" if streamed else "message": told, "finish_reason": "stop"}
    body = {"id": "c", "choices": [choice]}
    stand = replayed([body] if streamed else body)
    answer = stand.stream_execute("m", "Hi").drain() if streamed else stand.execute("m", "Hi")
    assert answer.reasoning == "We need"


def test_speech_goes_back_by_its_id(replayed: Any, body_of: Any) -> None:
    audio = {"id": "a1", "data": base64.b64encode(b"RIFF").decode(), "transcript": "Hello"}
    body = {"id": "c", "choices": [{"message": {"content": None, "audio": audio}}]}
    answer = replayed(body).execute("m", "Hi")
    next_turn = replayed(body)
    again = next_turn.execute("m", [Message("user", "Hi"), answer.message, Message("user", "And?")])
    assert body_of(next_turn)["messages"][1] == {
        "role": "assistant",
        "content": None,
        "audio": {"id": "a1"},
    }
    assert again.warnings == ()


@given(request=jf.chat_requests(with_media=True))
def test_a_written_conversation_reads_as_the_same_prompt(
    replayed: Any, request: ChatRequest
) -> None:
    """The wire's messages are a prompt too: they mean the conversation that they were made of."""
    provider = replayed()
    body = provider.explain(request).body
    again = provider.explain("m", json.loads(json.dumps(body["messages"]))).body
    assert again["messages"] == body["messages"]
