"""Every recorded turn that is replayed comes to the same typed value or error, blocking, on asyncio and on trio."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import LLMError
from support.outcomes import Outcome
from support.recordings import WIRE, Turn
from wire.cases import CASES
from wire.takers import takers

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
TAKEN = [turn for case in CASES for turn in case.turns if takers(turn)]


def facts(outcome: Outcome) -> tuple[Any, ...]:
    """Everything that *outcome* tells, its error's cause and what had arrived included."""
    error = outcome.error
    told = f"{error!r} {sorted(error.__dict__.items())}" if error else None
    return outcome.result, outcome.events, told, repr(getattr(error, "__cause__", None))


@pytest.mark.parametrize("turn", TAKEN, ids=str)
def test_all_colours_come_to_the_same(turn: Turn) -> None:
    for taker in takers(turn):
        colours = {name: facts(outcome) for name, outcome in taker.colours(turn).items()}
        assert colours["asyncio"] == colours["sync"], taker.name
        assert colours["trio"] == colours["sync"], taker.name


@pytest.mark.parametrize("turn", TAKEN, ids=str)
def test_what_a_service_refused_is_a_typed_error_and_nothing_else_is_raised(turn: Turn) -> None:
    for taker in takers(turn):
        outcome = taker.blocking(turn)
        assert outcome.error is None or isinstance(outcome.error, LLMError), taker.name
        assert outcome.error is not None or turn.status < 300, taker.name
