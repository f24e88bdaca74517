"""Providers of the dialect that answer from made-up responses, and what they were asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import settings

from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_dialect_openai import GenericProvider

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

Replayed = Callable[..., GenericProvider]
URL = "http://127.0.0.1:8080/v1"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_COMPATIBLE_API_KEY", raising=False)


def event(data: Any, name: str = "") -> bytes:
    """One server-sent event; *data* is JSON unless it is text."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def recorded(answer: Any) -> Recorded:
    """A response: a `Recorded` as it is, bytes, a JSON object, or a list of a stream's events."""
    if isinstance(answer, Recorded):
        return answer
    if isinstance(answer, bytes):
        return Recorded(chunks=[answer])
    if isinstance(answer, list):
        return Recorded(chunks=[e if isinstance(e, bytes) else event(e) for e in answer])
    return Recorded(chunks=[json.dumps(answer).encode()])


def replayed(*answers: Any, **config: Any) -> GenericProvider:
    """A provider that meets each of *answers* in turn."""
    met: Sequence[Recorded] = [recorded(a) for a in answers]
    drivers: dict[str, Any] = {
        "driver": ReplayDriver(met),
        "async_driver": AsyncReplayDriver(met),
    }
    # A stream that was cut before it said anything would be tried again.
    return GenericProvider({"base_url": URL, "retry": {"attempts": 1}, **config}, **drivers)


@pytest.fixture(scope="session", name="replayed")
def replayed_fixture() -> Replayed:
    """Makes a provider that meets each of its arguments in turn."""
    return replayed


@pytest.fixture(scope="session", name="event")
def event_fixture() -> Callable[..., bytes]:
    """Makes the bytes of one server-sent event."""
    return event


def body_of(provider: GenericProvider) -> Any:
    """The body of the only request that *provider* sent."""
    driver: Any = provider._driver
    (request,) = driver.transport.requests
    return json.loads(request.body or b"null")


@pytest.fixture(scope="session", name="body_of")
def body_of_fixture() -> Callable[[GenericProvider], Any]:
    """The body of the only request that a provider sent."""
    return body_of
