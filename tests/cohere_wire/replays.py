"""Recorded turns with Cohere through the plugin, in every colour."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from cohere_wire.traffic import operation
from cohere_wire.typed import typed
from jackfield import LLMProvider, Request, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_cohere import CohereProvider
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

CONFIG = {"api_key": "made-up-key", "retry": {"attempts": 1}}


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
    told = stream if stream is not None else streams(turn)
    ask = partial(typed, turn) if request is None else lambda: request
    return replayed(provider_of(turn, chunks), ask, told)


def on_loop(turn: Turn, chunks: Sequence[bytes], backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return replayed_on(backend, provider_of(turn, chunks), partial(typed, turn), streams(turn))


def whole(turn: Turn) -> Any:
    """The result of *turn*; its error is raised."""
    return replay(turn).value()


__all__ = ["Outcome", "on_loop", "operation", "replay", "replaying", "streams", "whole"]
