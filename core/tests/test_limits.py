"""No window is ever exceeded, nobody passes, and everybody's turn comes: in virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from typing import Any

import pytest
from core_limits import INPUT, PATIENT, Call, Start, World, most_at_once, most_in_a_window
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigError, RateLimitError, Usage
from jackfield.manager.settings import LimitSettings
from jackfield.middleware.rates import parse_rate

EPSILON = 1e-4
"""Seconds that a wait may be longer than reckoned: each window has a microsecond on top."""


def limits(**given: Any) -> LimitSettings:
    return LimitSettings(**{"wait": PATIENT, "learn": False, **given})


RATES = st.builds("{}/{}".format, st.integers(1, 6), st.sampled_from(["second", "minute"]))
TOKENS = st.builds("{}/{}".format, st.integers(60, 200), st.sampled_from(["second", "minute"]))
SETTINGS = st.builds(
    limits,
    requests=st.none() | RATES,
    tokens=st.none() | TOKENS,
    concurrency=st.none() | st.integers(1, 3),
)
PROVIDERS = st.builds(
    lambda own, models: limits(
        requests=own.requests, tokens=own.tokens, concurrency=own.concurrency, models=models
    ),
    SETTINGS,
    st.dictionaries(st.sampled_from(["a", "b"]), SETTINGS, max_size=2),
)
TIMES = st.floats(0, 120) | st.sampled_from([0.0, 0.0, 1.0, 60.0])
CALLS = st.lists(
    st.builds(
        Call,
        at=TIMES,
        provider=st.sampled_from("pq"),
        model=st.sampled_from("abc"),
        seconds=st.floats(0, 5) | st.just(0.0),
        tokens=st.integers(INPUT + 1, 60),
        leaves=st.none() | st.none() | st.floats(0, 60),
        error=st.none() | st.none() | st.builds(RateLimitError, st.just("slow")),
    ),
    max_size=40,
)


def kept(limit: LimitSettings, starts: Sequence[Start]) -> bool:
    """Whether *starts* are within *limit*."""
    if limit.requests is not None:
        rate = parse_rate(limit.requests)
        if most_in_a_window([(s.at, 1) for s in starts], rate.seconds) > rate.amount:
            return False
    if limit.tokens is not None:
        rate = parse_rate(limit.tokens)
        # What was refused was given back, so only what was answered has used anything.
        used = [(s.at, s.call.tokens) for s in starts if s.call.error is None]
        if most_in_a_window(used, rate.seconds) > rate.amount:
            return False
    return limit.concurrency is None or most_at_once(starts) <= limit.concurrency


def parts(world: Any, everything: LimitSettings, providers: dict[str, LimitSettings]) -> Any:
    """Each limit with what started within its scope."""
    yield everything, world.starts
    for name, own in providers.items():
        yield own, [s for s in world.starts if s.call.provider == name]
        for model, inner in own.models.items():
            yield (
                inner,
                [s for s in world.starts if (s.call.provider, s.call.model) == (name, model)],
            )


@settings(max_examples=400, deadline=None)
@given(SETTINGS, st.fixed_dictionaries({"p": PROVIDERS, "q": PROVIDERS}), CALLS)
def test_no_window_is_exceeded_and_everybody_goes(
    everything: LimitSettings, providers: dict[str, LimitSettings], calls: list[Call]
) -> None:
    world = World(everything, **providers)
    outcomes = world.run(calls)
    for limit, starts in parts(world, everything, providers):
        assert kept(limit, starts)
    started = {start.number for start in world.starts}
    for number, (call, outcome) in enumerate(zip(calls, outcomes, strict=True)):
        if call.leaves is None:
            assert number in started
            assert (call.error is None) == (not isinstance(outcome, Exception))


@settings(max_examples=200, deadline=None)
@given(SETTINGS, PROVIDERS, CALLS)
def test_calls_that_have_all_limits_in_common_start_in_the_order_in_which_they_came(
    everything: LimitSettings, own: LimitSettings, calls: list[Call]
) -> None:
    world = World(everything, p=own, q=own)
    world.run(calls)
    for key in {(call.provider, call.model) for call in calls}:
        line = [s for s in world.starts if (s.call.provider, s.call.model) == key]
        came = [
            (s.call.at, s.number) for s in sorted(line, key=lambda s: (s.at, s.call.at, s.number))
        ]
        assert came == sorted(came)


@settings(max_examples=200, deadline=None)
@given(SETTINGS, CALLS)
def test_calls_of_one_scope_start_in_the_order_in_which_they_came(
    own: LimitSettings, calls: list[Call]
) -> None:
    for world in (World(own), World(None, p=own)):
        world.run([c for c in calls if world.limits._everything or c.provider == "p"])
        came = [
            (s.call.at, s.number)
            for s in sorted(world.starts, key=lambda s: (s.at, s.call.at, s.number))
        ]
        assert came == sorted(came)
