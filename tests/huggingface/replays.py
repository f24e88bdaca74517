"""Recorded turns with Hugging Face through the plugin, in every colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from huggingface.traffic import config, typed
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_huggingface import HuggingFaceProvider
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

CONFIG = {"api_key": "made-up-key-1234", "retry": {"attempts": 1}}


def replaying(turn: Turn, answers: Sequence[Recorded]) -> HuggingFaceProvider:
    """A provider that each of *answers* answers in turn, in both colours."""
    return HuggingFaceProvider(
        {**CONFIG, **config(turn)},
        driver=ReplayDriver(answers),
        async_driver=AsyncReplayDriver(answers),
    )


def replay(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn*, blocking."""
    provider = replaying(turn, [turn.recorded(chunks)])
    return replayed(provider, lambda: typed(turn), turn.streamed)


def on_loop(backend: str, turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    provider = replaying(turn, [turn.recorded(chunks)])
    return replayed_on(backend, provider, lambda: typed(turn), turn.streamed)


COLOURS: dict[str, Callable[..., Outcome]] = {
    "sync": replay,
    "asyncio": partial(on_loop, "asyncio"),
    "trio": partial(on_loop, "trio"),
}
