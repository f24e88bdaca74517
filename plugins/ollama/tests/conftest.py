"""A provider that answers from recorded bytes, in both colours."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_ollama import OllamaProvider

Replayed = Callable[..., OllamaProvider]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def recorded(answer: Any) -> Recorded:
    """An answer: lines of a stream, a JSON object, bytes, or a response as it is."""
    if isinstance(answer, Recorded):
        return answer
    if isinstance(answer, bytes):
        return Recorded(chunks=[answer])
    if isinstance(answer, list):
        return Recorded(chunks=[json.dumps(line).encode() + b"\n" for line in answer])
    return Recorded(chunks=[json.dumps(answer).encode()])


@pytest.fixture(scope="session")
def replayed() -> Replayed:
    """Makes a provider that meets each of the answers in turn."""

    def make(*answers: Any, **config: Any) -> OllamaProvider:
        answered: Sequence[Recorded] = [recorded(a) for a in answers]
        drivers: dict[str, Any] = {
            "driver": ReplayDriver(answered),
            "async_driver": AsyncReplayDriver(answered),
        }
        # A stream that was cut before it said anything would be tried again.
        usual = {"base_url": "http://127.0.0.1:11434", "retry": {"attempts": 1}}
        return OllamaProvider({**usual, **config}, **drivers)

    return make


def sent(provider: OllamaProvider) -> list[Any]:
    """The requests that *provider* sent: method, URL, body."""
    driver: Any = provider._driver
    return [(r.method, r.url, json.loads(r.body or b"null")) for r in driver.transport.requests]


@pytest.fixture(scope="session", name="sent")
def sent_fixture() -> Callable[[OllamaProvider], list[Any]]:
    """What a provider sent: method, URL, body."""
    return sent
