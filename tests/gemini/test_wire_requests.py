"""Recorded requests, made again from typed values, mean the same, and are as the description says."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from gemini.meaning import camel, meaning
from gemini.replays import replay
from gemini.traffic import each, model, of, operation, streams
from gemini.typed import typed
from jackfield_gemini import GeminiProvider
from support.recordings import Turn
from support.specs import needs_specs, request_errors

pytestmark = pytest.mark.wire
ASKED = [t for t in of("chat") if isinstance(t.body, dict)]


def explained(turn: Turn) -> Any:
    """What we would send."""
    return GeminiProvider({"api_key": "made-up-key"}).explain(typed(turn))


@each(ASKED)
def test_a_chat_is_asked_for_in_the_same_words(turn: Turn) -> None:
    plan = explained(turn)
    assert meaning(plan.body) == meaning(turn.body)
    assert [w.kind for w in plan.warnings if w.kind == "dropped"] == []


@each(of("count"))
def test_a_count_is_asked_for_in_the_same_words(turn: Turn) -> None:
    told, ours = camel(turn.body), explained(turn).body
    inner = told.get("generateContentRequest") or told
    assert meaning(ours.get("generateContentRequest") or ours) == meaning(inner)


@each(of("embed"))
def test_embeddings_are_asked_for_in_the_same_words(turn: Turn) -> None:
    ours, told = explained(turn).body, camel(turn.body)
    assert list(map(_embed, ours.get("requests") or [ours])) == list(
        map(_embed, told.get("requests") or [told])
    )


def _embed(wire: dict[str, Any]) -> dict[str, Any]:
    return {**wire, "model": "", "content": [p["text"] for p in wire["content"]["parts"]]}


def errors(path: str, body: Any) -> list[str]:
    """What is wrong with *body*."""
    return request_errors("gemini", "POST", path.partition("?")[0], body)


@needs_specs
@each([*ASKED, *of("count", "embed")])
def test_what_we_send_is_as_described(turn: Turn) -> None:
    plan = explained(turn)
    path = plan.url.removeprefix("https://generativelanguage.googleapis.com")
    alone = {} if ":countTokens" in path else {"model": f"models/{model(turn)}"}
    ours = errors(path, {**plan.body, **alone})
    # What the caller writes as fields of the API's own is sent as it is: enums as numbers, say.
    theirs = errors(path, {**camel(turn.body), **alone})
    assert [e for e in ours if e not in theirs] == []
    assert "key" not in path
    assert not streams(turn) or "generateContent" in path


@each(of("batch"))
def test_a_batch_is_handed_in_in_the_same_words(turn: Turn) -> None:
    sent = json.loads(replay(turn).sent[0].body)
    ours, told = (inlined(body) for body in (sent, camel(turn.body)))
    assert list(map(meaning, ours)) == list(map(meaning, told))


def inlined(body: Any) -> list[Any]:
    """The requests that a batch holds."""
    return [i["request"] for i in body["batch"]["inputConfig"]["requests"]["requests"]]


@each(of())
def test_the_same_is_asked_at_the_same_place(turn: Turn) -> None:
    """But for the version, and for one text in a request of its own."""
    sent = replay(turn).sent[-1 if operation(turn) == "upload" else 0]
    assert sent.method == turn.request["method"]
    assert placed(urlsplit(sent.url).path) == placed(turn.path)


def placed(path: str) -> str:
    """*path* without its version, and with one name for embedding."""
    return re.sub(r"/v1\w*/", "/", path.rstrip("/")).replace("batchEmbedContents", "embedContent")
