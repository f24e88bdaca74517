"""Recorded turns with Hugging Face through the plugin, in every colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anyio
from attrs import frozen

from huggingface.traffic import config, typed
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_huggingface import HuggingFaceProvider
from support.recordings import Turn

CONFIG = {"api_key": "made-up-key-1234", "retry": {"attempts": 1}}


@frozen
class Outcome:
    """What a call came to: its events and its result, or its error; and what it sent."""

    result: Any = None
    events: tuple[Any, ...] = ()
    error: BaseException | None = None
    sent: Any = ()

    def facts(self) -> str:
        """All of it but what was sent, as a text."""
        error = self.error
        told = (repr(error), sorted(error.__dict__.items())) if error else None
        return f"{self.result!r} {self.events!r} {told} {getattr(error, '__cause__', None)!r}"


def replaying(turn: Turn, answers: Sequence[Recorded]) -> HuggingFaceProvider:
    """A provider that each of *answers* answers in turn, in both colours."""
    return HuggingFaceProvider(
        {**CONFIG, **config(turn)},
        driver=ReplayDriver(answers),
        async_driver=AsyncReplayDriver(answers),
    )


def replay(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn*, blocking."""
    provider, events = replaying(turn, [turn.recorded(chunks)]), list[Any]()
    driver: Any = provider._driver
    try:
        if turn.streamed:
            made = provider.stream(typed(turn))
            events.extend(made)
            result: Any = made.response
        else:
            result = provider.run(typed(turn))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error, driver.transport.requests)
    return Outcome(result, tuple(events), None, driver.transport.requests)


async def _replay(turn: Turn, chunks: Sequence[bytes] | None) -> Outcome:
    provider, events = replaying(turn, [turn.recorded(chunks)]), list[Any]()
    driver: Any = provider._async_driver
    try:
        if turn.streamed:
            made = provider.astream(typed(turn))
            async for event in made:
                events.append(event)  # kept also when the stream breaks
            result: Any = made.response
        else:
            result = await provider.arun(typed(turn))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error, driver.transport.requests)
    return Outcome(result, tuple(events), None, driver.transport.requests)


def on_asyncio(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* under asyncio."""
    return anyio.run(_replay, turn, chunks)


def on_trio(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* under trio."""
    return anyio.run(_replay, turn, chunks, backend="trio")


COLOURS: dict[str, Callable[..., Outcome]] = {
    "sync": replay,
    "asyncio": on_asyncio,
    "trio": on_trio,
}
