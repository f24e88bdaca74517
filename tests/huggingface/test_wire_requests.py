"""Every recorded request of Hugging Face, said in our words, is sent in the same meaning and to the same place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from huggingface.replays import replay, replaying
from huggingface.traffic import BINARY, WIRED, Json, each, of, operation
from openai_dialect.asking import InexpressibleError, ask, same_meaning
from support.recordings import Turn

pytestmark = WIRED

CHATS = [t for t in of("chat") if isinstance(t.body, dict)]
TASKS = [
    t
    for t in of("embeddings", "rerank", "image", "speech", "completion", "task")
    if isinstance(t.body, dict) and "inputs" in t.body
]
SOUNDS = [t for t in of() if isinstance(t.body, str) and BINARY.fullmatch(t.body)]


def named(turn: Turn) -> Any:
    """The body of *turn*, with a model where its path alone names one: ours is always in the body."""
    return {"model": "tgi", **turn.body}


def expressible(turn: Turn) -> bool:
    try:
        ask(named(turn), "huggingface")
    except InexpressibleError:
        return False
    return True


def test_every_recorded_chat_that_was_answered_can_be_said() -> None:
    assert [str(t) for t in CHATS if not expressible(t) and t.status < 300] == []


@each([t for t in CHATS if expressible(t)])
def test_a_chat_is_sent_in_the_same_meaning(turn: Turn) -> None:
    asked = ask(named(turn), "huggingface")
    provider: Any = replaying(turn, [turn.recorded()])
    perform = provider.stream_execute if asked.stream else provider.execute
    call = (asked.model, asked.prompt, asked.parameters)
    try:
        answer = perform(*call, **asked.options)
        list(answer if asked.stream else ())
    except Exception:  # noqa: BLE001  # what was sent counts
        assert turn.status >= 300
    (sent,) = provider._driver.transport.requests
    assert same_meaning(json.loads(sent.body)) == same_meaning(named(turn))
    assert sent.url == turn.request["url"]


def meaning(body: Json, *, several: bool) -> Json:
    """*body* without what means nothing; one text is a list of one where *several* may be."""
    full = {k: v for k, v in body.items() if v not in (None, {}, [], False) and k != "model"}
    parameters = full.get("parameters") or {}
    # Not to repeat the prompt is what everybody wants, and the default of most servers.
    given = {k: v for k, v in parameters.items() if v not in (None, [], False)}
    full = (
        {**full, "parameters": given}
        if given
        else {k: v for k, v in full.items() if k != "parameters"}
    )
    if several and isinstance(full["inputs"], str):
        full["inputs"] = [full["inputs"]]
    return full


@each(TASKS)
def test_a_task_is_sent_in_the_same_meaning_and_place(turn: Turn) -> None:
    (sent,) = replay(turn).sent
    vectors = operation(turn) == "embeddings"
    ours = meaning(json.loads(sent.body), several=vectors)
    assert ours == meaning(turn.body, several=vectors)
    # Where feature extraction is has been written in three ways; ours is the newest.
    wanted = turn.request["url"].replace("/pipeline/feature-extraction/", "/models/")
    assert sent.url.removesuffix("/pipeline/feature-extraction") == wanted
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["authorization"] == "Bearer made-up-key-1234"


@each(SOUNDS)
def test_bytes_are_sent_as_they_are(turn: Turn) -> None:
    (sent,) = replay(turn).sent
    assert sent.url == turn.request["url"]
    assert sent.headers["content-type"].split("/")[0] in ("audio", "image")
    with pytest.raises(ValueError, match=r"."):
        json.loads(sent.body)


@each(of("hub", "models"))
def test_models_are_asked_for_in_the_same_place(turn: Turn) -> None:
    (sent,) = replay(turn).sent
    assert (sent.method, sent.url) == ("GET", turn.request["url"])
