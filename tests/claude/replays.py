"""What the replay tests share: providers that answer from a recording, and a test for each turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from claude.typed import chat_request
from jackfield import ChatRequest, Message
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_claude import ClaudeProvider
from support.recordings import Turn

PLAIN = ChatRequest(model="a-model", messages=[Message("user", "Hi")])
CONFIG = {"api_key": "made-up", "retry": {"attempts": 1}}


def each(found: Iterable[Turn]) -> pytest.MarkDecorator:
    """One test for each of the turns; one that says so where there are none."""
    missing = "no such turn is recorded; JACKFIELD_WIRE says where recordings are"
    none = pytest.param(None, marks=pytest.mark.skip(reason=missing))
    return pytest.mark.parametrize("turn", [pytest.param(t, id=str(t)) for t in found] or [none])


def replaying(*recorded: Recorded, **config: Any) -> ClaudeProvider:
    """A provider that each of *recorded* answers in turn, in both colours."""
    return ClaudeProvider(
        {**CONFIG, **config},
        driver=ReplayDriver(recorded),
        async_driver=AsyncReplayDriver(recorded),
    )


def asked(turn: Turn) -> ChatRequest:
    """The typed request of *turn*, or any where none was recorded."""
    return chat_request(turn.body) if isinstance(turn.body, dict) else PLAIN
