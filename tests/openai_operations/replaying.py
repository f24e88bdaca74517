"""Recorded turns through the real plugins, in every colour."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from jackfield import LLMProvider, Request, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from openai_dialect.scope import OWN, VENDORS
from openai_operations.scope import operation, typed
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import WIRE, Turn

KEY = "made-up-key-for-replays"

MARKS = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]


Replay = Callable[..., Outcome]


def plugin(turn: Turn) -> str:
    """The provider that replays *turn*."""
    other = VENDORS.get(turn.provider, "openai-compatible")
    return turn.provider if turn.provider in OWN else other


def streams(turn: Turn) -> bool:
    """Whether *turn* is an answer that came as events: a file of JSON lines is none."""
    return turn.streamed and operation(turn) in ("responses", "completions")


def replaying(name: str, answers: Sequence[Recorded], **config: Any) -> LLMProvider:
    """A provider whose requests *answers* answer, in both colours, each tried once."""
    path = "" if name == "azure" else "/v1"
    base = {} if name == "openai" else {"base_url": f"https://replayed.example{path}"}
    given = {"api_key": KEY, "retry": {"attempts": 1}, **base, **config}
    driver, async_driver = ReplayDriver(answers), AsyncReplayDriver(answers)
    return create_provider(name, given, driver=driver, async_driver=async_driver)


FILE = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "batch.jsonl"}
LAST = {"data": [], "has_more": False}


def answers(turn: Turn, chunks: Sequence[bytes] | None = None) -> list[Recorded]:
    """What is answered to the request of *turn*, and to what comes with it.

    A batch begins with the upload of a file, and after a page of a list there is the last one.
    """
    found = [turn.recorded(chunks)]
    if operation(turn) == "create batch":
        return [_json(FILE), *found]
    if operation(turn) in ("files", "batches", "fine-tuning jobs") and turn.status < 300:
        return [*found, _json(LAST)]
    return found


def _json(body: Any) -> Recorded:
    return Recorded(chunks=[json.dumps(body).encode()])


def sync(
    turn: Turn, chunks: Sequence[bytes] | None = None, request: Request[Any] | None = None
) -> Outcome:
    """Replay *turn*, blocking."""
    provider = replaying(plugin(turn), answers(turn, chunks))
    asked = request or typed(turn)
    return replayed(provider, lambda: asked, streams(turn))


def on_loop(turn: Turn, backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    provider = replaying(plugin(turn), answers(turn))
    return replayed_on(backend, provider, lambda: typed(turn), streams(turn))
