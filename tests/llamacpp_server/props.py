"""Recorded questions for the properties of llama.cpp's server, through the plugin, in every colour."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield import LLMProvider, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, ReplayDriver
from jackfield_llamacpp_server import PropsRequest
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

CONFIG = {"base_url": "https://replayed.example/v1", "api_key": "made-up-key-1234"}


def takes(turn: Turn) -> bool:
    """Whether *turn* asks for the properties."""
    return turn.provider == "llamacpp" and turn.operation.endswith("/props")


def _provider(turn: Turn, chunks: Sequence[bytes] | None = None) -> LLMProvider:
    recorded = [turn.recorded(chunks)]
    drivers = {"driver": ReplayDriver(recorded), "async_driver": AsyncReplayDriver(recorded)}
    return create_provider("llamacpp-server", CONFIG, **drivers)


def blocking(turn: Turn) -> Outcome:
    """Replay *turn*, blocking."""
    return replayed(_provider(turn), PropsRequest, streamed=False)


def on_loop(turn: Turn, backend: str, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return replayed_on(backend, _provider(turn, chunks), PropsRequest, streamed=False)
