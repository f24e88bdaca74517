"""Recorded turns of Ollama's native API through its plugin, in every colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jackfield import PullRequest
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.requests import AnswerRequest
from jackfield_ollama import OllamaProvider
from support.ollama_reading import native, read_request, streams
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

HERE = "http://127.0.0.1:11434"
MISSING = Recorded(status=404, chunks=[b"404 page not found"])


def provider(turn: Turn, chunks: Sequence[bytes] | None = None) -> OllamaProvider:
    """A provider that is answered what *turn* was, in either colour."""
    recorded = [turn.recorded(chunks)]
    if native(turn)[1] == "POST /api/embeddings":
        # It is asked where there is no /api/embed.
        recorded.insert(0, MISSING)
    config = {"base_url": HERE + native(turn)[0], "retry": {"attempts": 1}}
    return OllamaProvider(
        config, driver=ReplayDriver(recorded), async_driver=AsyncReplayDriver(recorded)
    )


def _tells(turn: Turn, request: Any) -> bool:
    """Whether the call tells events: an answer that was asked for as a stream, or a pull."""
    streamed = isinstance(request, AnswerRequest) and streams(turn)
    return streamed or isinstance(request, PullRequest)


def sync(turn: Turn) -> Outcome:
    """Replay *turn*, blocking."""
    request = read_request(turn)
    return replayed(provider(turn), lambda: request, _tells(turn, request))


def on_loop(turn: Turn, backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    request = read_request(turn)
    return replayed_on(backend, provider(turn), lambda: request, _tells(turn, request))
