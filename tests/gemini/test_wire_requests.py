"""Recorded requests, made again from typed values, mean the same, and are as the description says."""

from __future__ import annotations

from typing import Any

import pytest

from gemini.meaning import camel, meaning
from gemini.traffic import each, model, of, streams
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
