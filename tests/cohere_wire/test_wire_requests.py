"""Recorded truth: what real clients sent to Cohere and what we send for the same call is the same."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from cohere_wire.meaning import explained, meaning
from cohere_wire.reading import parsed, read
from cohere_wire.replays import replay, replaying, streams, whole
from cohere_wire.traffic import ALL, each, of, operation
from cohere_wire.typed import form, typed
from jackfield import ChatRequest, Message
from support.recordings import Turn

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not ALL, reason="no recordings: set JACKFIELD_WIRE"),
]

BODIES = [t for t in of() if isinstance(t.body, dict) and operation(t) != "compatible chat"]
ANSWERED = [t for t in of("chat") if read(t).answered and (read(t).blocks or read(t).calls)]


def sent(turn: Turn) -> Any:
    """The one request that *turn* takes."""
    asks_for_stream = streams(turn) or bool(isinstance(turn.body, dict) and turn.body.get("stream"))
    return replay(turn, stream=asks_for_stream).sent[0]


@each(BODIES)
def test_the_same_body_goes_to_the_same_place(turn: Turn) -> None:
    request = sent(turn)
    assert (request.method, urlsplit(request.url).path) == (turn.request["method"], turn.path)
    leave = explained(replaying().explain(typed(turn)).warnings)
    assert meaning(json.loads(request.body), leave) == meaning(turn.body, leave)


@each(BODIES)
def test_a_warning_comes_only_for_what_the_api_does_not_take(turn: Turn) -> None:
    told = replaying().explain(typed(turn)).warnings
    assert [w for w in told if w.kind != "clamped" and not w.subject.startswith("call of ")] == []


@each(of("transcription"))
def test_the_same_form_is_sent(turn: Turn) -> None:
    request = sent(turn)
    ours = form(request.body.decode("latin-1"))
    theirs = form(turn.body)
    assert ours == theirs
    assert urlsplit(request.url).path == turn.path


@each(of("model", "models"))
def test_the_same_model_is_asked_for(turn: Turn) -> None:
    request = sent(turn)
    assert (request.method, urlsplit(request.url).path) == ("GET", turn.path)


@each(ANSWERED)
def test_an_answer_goes_back_as_it_came(turn: Turn) -> None:
    answer = whole(turn)
    history = [Message("user", "Hi"), answer.message, Message("user", "Go on")]
    plan = replaying().explain(ChatRequest(model="a-model", messages=history))
    wire = read(turn)
    # The API takes objects alone: other arguments go as the text of one field.
    assert all(w.subject.startswith("call of ") for w in plan.warnings)
    (back,) = [m for m in plan.body["messages"] if m["role"] == "assistant"]
    calls = [
        {
            "id": c["id"],
            "type": "function",
            "function": {"name": c["name"], "arguments": returnable(c["arguments"])},
        }
        for c in wire.calls.values()
    ]
    blocks = [wire.blocks[n] for n in sorted(wire.blocks)]
    came = {
        "role": "assistant",
        "content": blocks,
        "tool_calls": calls,
        "tool_plan": wire.plan,
        "citations": wire.citations,
    }
    assert meaning({"messages": [back]}) == meaning({"messages": [came]})


@each([t for t in of("chat v1") if read(t).answered and read(t).text])
def test_an_answer_of_the_first_version_goes_back_as_its_words(turn: Turn) -> None:
    wire, answer = read(turn), whole(turn)
    history = [Message("user", "Hi"), answer.message, Message("user", "Go on")]
    own = {"cohere": {"api": "v1"}}
    asked = ChatRequest(model="a-model", messages=history, provider_options=own)
    (back,) = [m for m in replaying().explain(asked).body["chat_history"] if m["role"] == "CHATBOT"]
    assert back["message"] == wire.text


def returnable(arguments: str) -> str:
    """*arguments* as they go back: an object."""
    found = parsed(arguments)
    return arguments if isinstance(found or {}, dict) else json.dumps({"arguments": arguments})
