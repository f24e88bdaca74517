"""Recorded turns with Cohere through the plugin, in every colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
from attrs import frozen

from cohere_wire.traffic import operation
from cohere_wire.typed import typed
from jackfield import LLMProvider, Request, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_cohere import CohereProvider
from support.recordings import Turn

CONFIG = {"api_key": "made-up-key", "retry": {"attempts": 1}}


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


def streams(turn: Turn) -> bool:
    """Whether *turn* is an answer that came as events."""
    return turn.streamed


def replaying(*answers: Recorded, **config: Any) -> CohereProvider:
    """A provider that each of *answers* answers in turn, in both colours."""
    return CohereProvider(
        {**CONFIG, **config},
        driver=ReplayDriver(answers),
        async_driver=AsyncReplayDriver(answers),
    )


def provider_of(turn: Turn, chunks: Sequence[bytes] | None) -> LLMProvider:
    """The provider that replays *turn*: at the compatible address, the compatible one."""
    if operation(turn) != "compatible chat":
        return replaying(turn.recorded(chunks), *following(turn))
    config = {**CONFIG, "base_url": turn.request["url"].removesuffix("/chat/completions")}
    answers = [turn.recorded(chunks)]
    return create_provider(
        "openai-compatible",
        config,
        driver=ReplayDriver(answers),
        async_driver=AsyncReplayDriver(answers),
    )


def following(turn: Turn) -> list[Recorded]:
    """What is answered after *turn*: an empty last page, where there may be further ones."""
    last = [turn.recorded([b'{"models": []}'])]
    return last if operation(turn) == "models" and turn.status < 300 else []


def replay(
    turn: Turn,
    chunks: Sequence[bytes] | None = None,
    request: Request[Any] | None = None,
    stream: bool | None = None,
) -> Outcome:
    """Replay *turn*, blocking."""
    provider, events = provider_of(turn, chunks), list[Any]()
    driver: Any = provider._driver
    try:
        asked = typed(turn) if request is None else request
        if stream if stream is not None else streams(turn):
            with provider.stream(asked) as made:
                events.extend(made)
            result: Any = made.response
        else:
            result = provider.run(asked)
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error, driver.transport.requests)
    return Outcome(result, tuple(events), None, driver.transport.requests)


async def _replay(turn: Turn, chunks: Sequence[bytes]) -> Outcome:
    provider, events = provider_of(turn, chunks), list[Any]()
    try:
        if streams(turn):
            async with provider.astream(typed(turn)) as made:
                async for event in made:
                    events.append(event)  # kept also when the stream breaks
            return Outcome(made.response, tuple(events))
        return Outcome(await provider.arun(typed(turn)))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error)


def on_loop(turn: Turn, chunks: Sequence[bytes], backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return anyio.run(_replay, turn, chunks, backend=backend)


def whole(turn: Turn) -> Any:
    """The result of *turn*; its error is raised."""
    outcome = replay(turn)
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


__all__ = ["Outcome", "on_loop", "operation", "replay", "replaying", "streams", "whole"]
