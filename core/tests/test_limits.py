"""No window is ever exceeded, nobody passes, and everybody's turn comes: in virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from core_limits import EPSILON, INPUT, Call, Start, World, limits, most_at_once, most_in_a_window
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import RateLimitError
from jackfield.manager.settings import LimitSettings
from jackfield.middleware.rates import parse_rate

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


def ideal(limit: LimitSettings, calls: Sequence[Call]) -> list[float]:
    """When each of *calls*, in the order in which they come, starts in a queue without any loss."""
    starts: list[float] = []
    ends: list[float] = []
    for call in calls:
        at = max([call.at, *starts[-1:]])
        if limit.concurrency is not None and len(ends) >= limit.concurrency:
            at = max(at, heapq.heappop(ends))
        while (later := _crowded(limit, calls, starts, at, call.tokens)) is not None:
            at = later
        starts.append(at)
        heapq.heappush(ends, at + call.seconds)
    return starts


def _crowded(
    limit: LimitSettings, calls: Sequence[Call], starts: Sequence[float], at: float, tokens: int
) -> float | None:
    """The end of the oldest start that leaves no room at a time; None where there is room."""
    for text, wanted in ((limit.requests, 1), (limit.tokens, tokens)):
        if text is None:
            continue
        rate = parse_rate(text)
        amounts = [1 if text is limit.requests else c.tokens for c in calls]
        held = [(s, a) for s, a in zip(starts, amounts, strict=False) if s + rate.seconds > at]
        if sum(a for _, a in held) + wanted > rate.amount:
            return min(s for s, _ in held) + rate.seconds
    return None


def p99(waits: Sequence[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.99)] if waits else 0.0


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


@settings(max_examples=200, deadline=None)
@given(SETTINGS, CALLS)
def test_nobody_waits_longer_than_in_a_queue_without_any_loss(
    own: LimitSettings, calls: list[Call]
) -> None:
    patient = [evolve(call, leaves=None, error=None) for call in calls]
    patient.sort(key=lambda call: call.at)
    world = World(own)
    world.run(patient)
    began = {start.number: start.at for start in world.starts}
    for number, at in enumerate(ideal(own, patient)):
        assert began[number] <= at + EPSILON


@pytest.mark.parametrize("seed", range(20))
def test_with_limits_of_all_kinds_the_99th_wait_is_at_most_twice_the_ideal(seed: int) -> None:
    chance = random.Random(seed)
    everything = limits(requests="50/second", concurrency=20)
    own = {
        name: limits(
            requests=f"{chance.randint(5, 20)}/second",
            tokens=f"{chance.randint(2000, 9000)}/minute",
            concurrency=chance.randint(3, 9),
            models={"a": limits(requests=f"{chance.randint(1, 9)}/second")},
        )
        for name in "pq"
    }
    calls = [
        Call(
            at=chance.uniform(0, 60),
            provider=chance.choice("pq"),
            model=chance.choice("ab"),
            seconds=chance.expovariate(1),
            tokens=chance.randint(10, 100),
        )
        for _ in range(400)
    ]
    calls.sort(key=lambda call: call.at)
    world = World(everything, **own)
    world.run(calls)
    waited = [start.at - start.call.at for start in world.starts]
    assert len(waited) == len(calls)
    best = dict.fromkeys(range(len(calls)), 0.0)
    for scope, who in (
        (everything, {"pa", "pb", "qa", "qb"}),
        *((own[n], {n + "a", n + "b"}) for n in "pq"),
        *((own[n].models["a"], {n + "a"}) for n in "pq"),
    ):
        within = [(n, call) for n, call in enumerate(calls) if call.provider + call.model in who]
        for (number, call), at in zip(within, ideal(scope, [c for _, c in within]), strict=True):
            best[number] = max(best[number], at - call.at)
    assert p99(waited) <= 2 * p99(list(best.values()))


@settings(max_examples=200, deadline=None)
@given(SETTINGS, PROVIDERS, CALLS)
def test_nothing_is_lost_when_calls_fail_or_are_left(
    everything: LimitSettings, own: LimitSettings, calls: list[Call]
) -> None:
    world = World(everything, p=own, q=own)
    world.run(calls)
    world.driver.now += 61
    assert all(limit.used == limit.waiting == 0 for limit in world.limits.state().limits)
    assert not world.limits._gate._leaves


def test_what_a_caller_in_line_would_have_taken_goes_to_the_next() -> None:
    world = World(limits(requests="1/second"))
    world.run([Call(), Call(leaves=0.5), Call()])
    assert [(s.number, round(s.at, 3)) for s in world.starts] == [(0, 0), (2, 1)]


def test_a_model_that_is_held_up_holds_up_no_other() -> None:
    own = limits(requests="10/second", models={"slow": limits(requests="1/minute")})
    world = World(limits(concurrency=5), p=own)
    world.run([*[Call(model="slow")] * 3, *[Call(model="quick")] * 10])
    began = {s.number: s.at for s in world.starts}
    assert [round(began[n]) for n in (0, 1, 2)] == [0, 60, 120]
    assert max(began[n] for n in range(3, 13)) < 1.1


def test_a_large_call_is_not_starved_by_small_ones_around_it() -> None:
    own = limits(tokens="100/minute", models={"large": limits(requests="1/minute")})
    world = World(limits(requests="100/second"), p=own)
    small = [Call(model="small", tokens=30, at=n) for n in range(300)]
    world.run([*small, Call(model="large", tokens=95, at=2.5)])
    (began,) = [s.at for s in world.starts if s.call.model == "large"]
    assert began == pytest.approx(62, abs=EPSILON)
