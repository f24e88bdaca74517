"""Every recorded answer to a chat of Ollama's, sent back as history, says what its recording says."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import ChatRequest, ChatResponse, Message, ToolResult
from support.ollama_answers import lines, read_answer
from support.ollama_reading import native, plain_arguments
from support.ollama_replays import provider, sync
from support.ollama_scope import taken
from support.recordings import WIRE, Turn, turns


def whole(turn: Turn) -> bool:
    """Whether *turn* is an answer to a chat, and all of it."""
    if not taken(turn) or native(turn)[1] != "POST /api/chat" or turn.status != 200:
        return False
    truth = read_answer(turn)
    return truth.done and truth.error is None


CHATS = [t for t in turns("ollama") if whole(t)]
pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not CHATS, reason=f"no recordings at {WIRE / 'ollama'}"),
]


@pytest.mark.parametrize("turn", CHATS, ids=str)
def test_text_thinking_and_calls_go_back_as_they_came(turn: Turn) -> None:
    truth, outcome = read_answer(turn), sync(turn)
    answer: ChatResponse = outcome.result
    results = [Message("tool", ToolResult(c.id, "done")) for c in answer.tool_calls]
    messages = [Message("user", "Hi"), answer.message, *results, Message("user", "Thanks")]
    plan = provider(turn).explain(ChatRequest(model="a-model", messages=messages))
    assert plan.warnings == ()
    (sent,) = [m for m in plan.body["messages"] if m["role"] == "assistant"]
    assert (sent.get("content") or "", sent.get("thinking") or "") == (truth.text, truth.thinking)
    calls = sent.get("tool_calls") or []
    functions = [c["function"] for c in calls]
    assert [(f["name"], plain_arguments(f["arguments"])) for f in functions] == truth.calls
    given = [i for i in told_ids(turn) if i]
    assert [c["id"] for c in calls if c.get("id") in given] == list(dict.fromkeys(given))


def told_ids(turn: Turn) -> list[Any]:
    """The ids that the recording has of its calls."""
    messages = [line.get("message") or {} for line in lines(turn)]
    return [call.get("id") for m in messages for call in m.get("tool_calls") or ()]
