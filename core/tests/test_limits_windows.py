"""A window counts whatever started within it, and remembers a bounded number of starts."""

from __future__ import annotations

from itertools import accumulate

import pytest
from core_limits import most_in_a_window
from hypothesis import given
from hypothesis import strategies as st

from jackfield.manager.settings import LimitSettings
from jackfield.middleware.gate import LEAVES, Gate, Scope
from jackfield.middleware.rates import Rate
from jackfield.middleware.windows import FINEST, Window

STEPS = st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5)), max_size=60)


@given(st.integers(5, 20), st.sampled_from([1, 60]), STEPS)
def test_starts_at_the_times_that_it_gives_never_exceed_it(
    amount: int, seconds: int, steps: list[tuple[float, int]]
) -> None:
    window, now, starts = Window(Rate(amount, seconds)), 0.0, list[tuple[float, int]]()
    for pause, wanted in steps:
        now = window.when(wanted, now + pause)
        assert window.when(wanted, now) <= now
        window.start(window.take(wanted), now)
        starts.append((now, wanted))
    assert most_in_a_window(starts, seconds) <= amount


@given(st.lists(st.integers(1, 20), min_size=1, max_size=20), STEPS)
def test_the_time_for_many_is_never_later_than_it_comes_to_be(
    line: list[int], before: list[tuple[float, int]]
) -> None:
    window, now = Window(Rate(20, 60)), 0.0
    for pause, wanted in before:
        now = window.when(wanted, now + pause)
        window.start(window.take(wanted), now)
    reckoned = [window.when(total, now) for total in accumulate(line)]
    for wanted, early in zip(line, reckoned, strict=True):
        now = window.when(wanted, now)
        window.start(window.take(wanted), now)
        assert early <= now + 1e-4


def test_what_is_pending_counts_until_it_is_given_back() -> None:
    window = Window(Rate(10, 60))
    entry = window.take(8)
    assert window.when(3, 0.0) > 60
    window.give_back(entry, 6)
    assert window.when(3, 0.0) == 0
    window.start(entry, 5.0)
    window.give_back(entry, 2)
    assert (window.used, window.counted(5.0)) == (0, 0)
    window.expire(100.0)
    window.give_back(entry, 2)
    assert window.used == 0


@pytest.mark.parametrize("pace", [0.0001, 0.004, 0.02])
def test_memory_is_bounded_and_coarse_memory_exceeds_nothing(pace: float) -> None:
    amount = 5000
    window, now, starts = Window(Rate(amount, 60)), 0.0, list[tuple[float, int]]()
    for _ in range(3 * amount):
        now = window.when(1, now + pace)
        window.start(window.take(1), now)
        starts.append((now, 1))
        assert len(window._log) <= 2 * FINEST + 1
    assert most_in_a_window(starts, 60) <= amount
    assert now < 3 * amount * pace + 130


def test_a_forgotten_call_that_ends_within_the_gate_blocks_nothing() -> None:
    """The garbage collector may end a call at any step of another."""
    gate = Gate()
    scope = Scope("all", "limits", LimitSettings(concurrency=1))
    forgotten = gate.enter(("p", "m"), (scope,), 0, 100.0)
    assert gate.turn(forgotten, 0.0)
    waiting = gate.enter(("p", "m"), (scope,), 0, 100.0)
    assert not gate.turn(waiting, 0.0)
    with gate._lock:
        gate.leave(forgotten)
    woken: list[str] = []
    waiting.signal.subscribe(lambda: woken.append("woken"))
    assert woken == []
    gate.outlook(waiting)
    assert woken == ["woken"]
    assert gate.turn(waiting, 1.0)


def test_who_leaves_between_being_let_in_and_starting_gives_everything_back() -> None:
    gate = Gate()
    rates = LimitSettings(requests="2/minute", tokens="20/minute", concurrency=1)
    scope = Scope("all", "limits", rates)
    first, second, third = (gate.enter(("p", "m"), (scope,), 10, 100.0) for _ in range(3))
    assert gate.turn(first, 0.0)
    assert not gate.turn(third, 0.0)
    gate.leave(first)
    assert second.granted
    gate.leave(second)
    assert gate.turn(third, 1.0)
    assert gate.usage(scope, 1.0) == ({"requests": 2, "tokens": 20, "concurrency": 1}, 0)


def test_what_is_known_of_models_without_calls_is_bounded() -> None:
    gate = Gate()
    for number in range(3 * LEAVES):
        ticket = gate.enter(("p", str(number)), (), 0, 100.0)
        assert gate.turn(ticket, 0.0)
        gate.refused(ticket, 1000.0, 0.0)
        gate.leave(ticket)
    assert len(gate._leaves) <= LEAVES
