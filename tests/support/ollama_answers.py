"""Recorded answers of Ollama's native API, by plain JSON reading: what any reader of them must find."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from support.ollama_reading import plain_arguments
from support.recordings import Turn

Json = dict[str, Any]


@frozen
class Truth:
    """What a recorded answer says; *done* is whether it is whole."""

    text: str
    thinking: str
    calls: list[tuple[str, Any]]
    done: bool
    reason: str | None
    prompt: int | None
    output: int | None
    model: str
    error: Any


def lines(turn: Turn) -> list[Json]:
    """The objects of an answer, to the first that says ``done`` or cannot be read."""
    found: list[Json] = []
    documents = turn.payload.decode("utf-8", "replace")
    for text in documents.split("\n") if turn.streamed else [documents]:
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError:
            break
        if not isinstance(line, dict):
            break
        found.append(line)
        if line.get("done") is True:
            break
    return found


def text_of(found: Sequence[Json]) -> str:
    """The visible text of chat lines and of plain ones."""
    return "".join(_piece(line).get("content") or line.get("response") or "" for line in found)


def _piece(line: Json) -> Json:
    return line.get("message") or {}


def read_answer(turn: Turn) -> Truth:
    """What the recorded answer to a chat, or to a prompt, says."""
    found = lines(turn)
    pieces = [_piece(line) or line for line in found]
    calls = [c["function"] for p in pieces for c in p.get("tool_calls") or ()]
    last = found[-1] if found else {}
    return Truth(
        text=text_of(found),
        thinking="".join(p.get("thinking") or "" for p in pieces),
        calls=[(c["name"], plain_arguments(c.get("arguments") or {})) for c in calls],
        done=last.get("done") is True,
        reason=last.get("done_reason"),
        prompt=last.get("prompt_eval_count"),
        output=last.get("eval_count"),
        model=found[0].get("model") or "" if found else "",
        error=next((line["error"] for line in found if line.get("error")), None),
    )


def refusal(turn: Turn) -> str:
    """The words of an error's body, in any shape that Ollama and its cloud give it; ``""`` for none."""
    try:
        told = json.loads(turn.payload)
    except ValueError:
        return ""
    error = told.get("error", told) if isinstance(told, dict) else ""
    if isinstance(error, dict):
        error = error.get("message") or ""
    return error if isinstance(error, str) else ""
