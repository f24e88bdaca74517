"""What the real services told about their limits in recorded answers is read, and holds up nobody for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jackfield.middleware.learning import CAP, Hold, Told, read_headers
from support.recordings import WIRE, Turn, turns

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
TURNS = [
    turn
    for folder in sorted(p.name for p in WIRE.glob("*") if p.is_dir())
    for turn in turns(folder)
    if any("ratelimit" in name or "retry" in name for name in turn.response.get("headers") or {})
]
GOOD = [turn for turn in TURNS if turn.status < 300]


def headers(turn: Turn) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in turn.response["headers"].items()}


def remaining(turn: Turn) -> dict[str, str]:
    """What was left, of those limits whose reset was told."""
    told = headers(turn)
    return {
        name: left
        for name, left in told.items()
        if "ratelimit" in name
        and "remaining" in name
        and name.replace("remaining", "reset") in told
    }


def test_there_are_recordings_of_many_services() -> None:
    assert len({turn.provider for turn in GOOD if read_headers(headers(turn))}) >= 5


@pytest.mark.parametrize("turn", GOOD, ids=str)
def test_a_good_answer_holds_up_the_next_call_only_where_nothing_is_left(turn: Turn) -> None:
    told, hold = read_headers(headers(turn)), Hold()
    hold.start(1, 0.0)
    hold.flying -= 1
    hold.answer(1, told, 0.0)
    nothing_left = "0" in remaining(turn).values()
    assert (hold.when(0.0) > 0) == (nothing_left and told is not None and told.seconds > 0)
    assert hold.when(0.0) <= CAP


SAID: dict[str, Callable[[Any], bool]] = {
    "openai/embeddings--ai": lambda told: told.left > 100,
    "groq/": lambda told: told.left > 100,
    "xai/": lambda told: told is None,  # it tells no resets
    "mistral/": lambda told: told is None,
    "together/chat--ace--outputs-json-format-2": lambda told: told == Told(0, 10),
    "together/chat--ace--queries-with-simple-prompt": lambda told: told == Told(1, 2),
}


@pytest.mark.parametrize("start", SAID)
def test_what_a_service_told_is_understood(start: str) -> None:
    found = [t for t in GOOD if str(t).startswith(start) and remaining(t)] or [
        t for t in GOOD if str(t).startswith(start)
    ]
    assert found
    assert all(SAID[start](read_headers(headers(turn))) for turn in found)
