"""Recorded turns with Gemini through the plugin, in every colour; and answers that are made up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gemini.traffic import operation, streams
from gemini.typed import typed
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_gemini import GeminiProvider
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

CONFIG = {"api_key": "made-up-key", "retry": {"attempts": 1}}
TARGET = "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=1"


def answers(turn: Turn, chunks: Sequence[bytes] | None) -> list[Recorded]:
    """What is answered: a turn with what comes before or after it."""
    found = [turn.recorded(chunks)]
    if operation(turn) == "upload":
        return [Recorded(headers={"x-goog-upload-url": TARGET}, chunks=()), *found]
    if operation(turn) in ("models", "files") and turn.status < 300:
        return [*found, Recorded(chunks=[b"{}"])]
    return found


def replaying(turn: Turn, chunks: Sequence[bytes] | None) -> GeminiProvider:
    """A provider that is answered what *turn* was, in either colour."""
    recorded = answers(turn, chunks)
    return GeminiProvider(
        CONFIG, driver=ReplayDriver(recorded), async_driver=AsyncReplayDriver(recorded)
    )


def replay(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn*, blocking."""
    return replayed(replaying(turn, chunks), lambda: typed(turn), streams(turn))


def on_loop(turn: Turn, chunks: Sequence[bytes] | None, backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return replayed_on(backend, replaying(turn, chunks), lambda: typed(turn), streams(turn))


def whole(turn: Turn) -> Any:
    """The result of *turn*; its error is raised."""
    return replay(turn).value()


def answering(*answers: Any, headers: Any = None) -> Any:
    """A provider whose service gives *answers*, one a request: bytes, or what is written as JSON."""
    bodies = [a if isinstance(a, bytes) else json.dumps(a).encode() for a in answers]
    driver = ReplayDriver([Recorded(headers=headers or {}, chunks=[body]) for body in bodies])
    return GeminiProvider(CONFIG, driver=driver)


def asked(provider: Any) -> Any:
    """The requests that a provider of `answering` sent."""
    return provider._driver.transport.requests
