"""Recorded turns with Gemini through the plugin, in every colour; and answers that are made up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import anyio
from attrs import frozen

from gemini.traffic import operation, streams
from gemini.typed import typed
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_gemini import GeminiProvider
from support.recordings import Turn

CONFIG = {"api_key": "made-up-key", "retry": {"attempts": 1}}
TARGET = "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=1"


@frozen
class Outcome:
    """What a call came to: its events and its result, or its error; and what it sent."""

    result: Any = None
    events: tuple[Any, ...] = ()
    error: BaseException | None = None
    sent: Any = None

    def facts(self) -> str:
        """All of it but what it sent, as a text."""
        error = self.error
        told = (repr(error), sorted(error.__dict__.items())) if error else None
        return f"{self.result!r} {self.events!r} {told} {getattr(error, '__cause__', None)!r}"


def answers(turn: Turn, chunks: Sequence[bytes] | None) -> list[Recorded]:
    """What is answered: a turn with what comes before or after it."""
    found = [turn.recorded(chunks)]
    if operation(turn) == "upload":
        return [Recorded(headers={"x-goog-upload-url": TARGET}, chunks=()), *found]
    if operation(turn) in ("models", "files") and turn.status < 300:
        return [*found, Recorded(chunks=[b"{}"])]
    return found


def replay(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn*, blocking."""
    driver, events = ReplayDriver(answers(turn, chunks)), list[Any]()
    provider = GeminiProvider(CONFIG, driver=driver)
    try:
        if streams(turn):
            with provider.stream(typed(turn)) as made:
                events.extend(made)
            result: Any = made.response
        else:
            result = provider.run(typed(turn))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error, driver.transport.requests)
    return Outcome(result, tuple(events), None, driver.transport.requests)


async def _replay(turn: Turn, chunks: Sequence[bytes] | None) -> Outcome:
    events = list[Any]()
    provider = GeminiProvider(CONFIG, async_driver=AsyncReplayDriver(answers(turn, chunks)))
    try:
        if streams(turn):
            async with provider.astream(typed(turn)) as made:
                async for event in made:
                    events.append(event)  # kept also when the stream breaks
            return Outcome(made.response, tuple(events))
        return Outcome(await provider.arun(typed(turn)))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error)


def on_loop(turn: Turn, chunks: Sequence[bytes] | None, backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return anyio.run(_replay, turn, chunks, backend=backend)


def whole(turn: Turn) -> Any:
    """The result of *turn*; its error is raised."""
    outcome = replay(turn)
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


def answering(*answers: Any, headers: Any = None) -> Any:
    """A provider whose service gives *answers*, one a request: bytes, or what is written as JSON."""
    bodies = [a if isinstance(a, bytes) else json.dumps(a).encode() for a in answers]
    driver = ReplayDriver([Recorded(headers=headers or {}, chunks=[body]) for body in bodies])
    return GeminiProvider(CONFIG, driver=driver)


def asked(provider: Any) -> Any:
    """The requests that a provider of `answering` sent."""
    return provider._driver.transport.requests
