"""What the plugin's own tests share: a provider whose answers are made up."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import settings

from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield_gemini import GeminiProvider

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


class Stand:
    """A provider that each of *answers* answers in turn, and what it sent."""

    def __init__(self, *answers: Any, status: int = 200, **config: Any) -> None:
        given = [a if isinstance(a, bytes) else json.dumps(a).encode() for a in answers]
        self.driver = ReplayDriver([Recorded(status=status, chunks=[body]) for body in given])
        config = {"api_key": "made-up-key-1234", "retry": {"attempts": 1}, **config}
        self.provider = GeminiProvider(config, driver=self.driver)

    @property
    def sent(self) -> list[Any]:
        """The requests that were sent."""
        return list(self.driver.transport.requests)

    def bodies(self) -> list[Any]:
        """What they said."""
        return [json.loads(request.body) for request in self.sent]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)


@pytest.fixture(scope="session")
def stand() -> type[Stand]:
    """The class itself: each test says what is answered."""
    return Stand
