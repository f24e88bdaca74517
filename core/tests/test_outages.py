"""However long an attempt hangs and however many calls come, no outage is multiplied and no answer that can be had is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from core_backends import Backend, ask
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ChatResponse,
    LLMError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    Timeout,
)
from jackfield.drivers.virtual import VirtualDriver
from jackfield.flow import NOW, Flow
from jackfield.routing import Balance, Fallback, Route

KINDS = st.sampled_from([ServerError, RequestTimeoutError])
HANGS = st.floats(0.01, 60.0)
RATES = st.sampled_from([0.2, 1.0, 5.0, 20.0])


def down(name: str, kind: type[LLMError], seconds: float) -> Backend:
    """Fails after *seconds*, always."""
    return Backend(name, lambda *_: kind("no"), seconds)


def minute(route: Route, rate: float, stream: bool = False) -> list[Any]:
    """Outcome, start and end of each call of a minute."""

    def timed() -> Flow[Any]:
        began = yield NOW
        outcome: Any
        try:
            outcome = yield from route.call(ask(), stream=stream)
        except LLMError as error:
            outcome = error
        return outcome, began, (yield NOW)

    return VirtualDriver().run_all([(i / rate, timed()) for i in range(int(60 * rate))])


@settings(max_examples=15, deadline=None)
@given(KINDS, HANGS, RATES, st.integers(1, 5), st.sampled_from([Fallback, Balance]))
def test_a_full_outage_of_a_minute_is_not_multiplied(
    kind: type[LLMError], hangs: float, rate: float, count: int, route: type[Route]
) -> None:
    backends = [down(str(i), kind, hangs) for i in range(count)]
    offered = len(minute(route.of(*backends), rate))
    assert sum(len(b.arrivals) for b in backends) <= 1.1 * offered + 100


@settings(max_examples=10, deadline=None)
@given(KINDS, HANGS, RATES)
def test_nor_is_it_by_routes_in_routes(kind: type[LLMError], hangs: float, rate: float) -> None:
    backends = [down(str(i), kind, hangs) for i in range(4)]
    offered = len(minute(Fallback.of(Balance.of(*backends[:2]), Fallback.of(*backends[2:])), rate))
    assert sum(len(b.arrivals) for b in backends) <= 1.1 * offered + 100


@pytest.mark.parametrize("kind", [AuthenticationError, QuotaExceededError])
@pytest.mark.parametrize("nested", [False, True])
def test_nor_is_it_where_a_key_was_refused(kind: type[LLMError], nested: bool) -> None:
    refused, failing = down("refused", kind, 0.1), down("down", ServerError, 0.1)
    inner = Fallback.of(failing, dead_key="fail_over") if nested else failing
    offered = len(minute(Fallback.of(refused, inner, dead_key="fail_over"), 20.0))
    assert len(refused.arrivals) + len(failing.arrivals) <= 1.1 * offered + 100


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([None, 0.0, 0.2, 3.0]), HANGS, RATES, st.integers(1, 5))
def test_nor_is_it_where_all_are_limited(
    hint: float | None, hangs: float, rate: float, count: int
) -> None:
    error = lambda *_: RateLimitError("slow", retry_after=hint)  # noqa: E731  # a behaviour
    backends = [Backend(str(i), error, hangs) for i in range(count)]
    offered = len(minute(Fallback.of(*backends), rate))
    assert sum(len(b.arrivals) for b in backends) <= 1.1 * offered + 100


@settings(max_examples=15, deadline=None)
@given(KINDS, HANGS, RATES, st.integers(1, 3), st.floats(0.01, 30.0), st.booleans())
# Waits for the target that is well, and could pay again for one that is not when it hears of it.
@example(ServerError, 2.0, 20.0, 3, 19.0, False)
def test_every_call_is_answered_while_one_target_is_well_and_waits_for_one_answer_of_it_at_most(
    kind: type[LLMError], hangs: float, rate: float, count: int, latency: float, stream: bool
) -> None:
    failing = [down(str(i), kind, hangs) for i in range(count)]
    well = Backend("well", latency=latency)
    ended = minute(Fallback.of(*failing, well), rate, stream)
    assert all(isinstance(outcome, ChatResponse) for outcome, _, _ in ended)
    # What it takes in any case, and where many come at once, the first answer of each that is asked.
    longest = count * hangs + latency + (count - 1) * hangs + latency
    assert max(end - began for _, began, end in ended) <= longest + 0.05


def test_a_few_fail_over_at_once() -> None:
    well = Backend("well", latency=5.0)
    ended = minute(Fallback.of(down("a", RequestTimeoutError, 10.0), well), 1.0)
    assert max(end - began for _, began, end in ended) <= 15.0 + 0.05


def test_a_crowd_sends_as_many_as_the_quota_allows_and_the_others_when_the_first_is_answered() -> (
    None
):
    well = Backend("well", latency=5.0)
    route = Fallback.of(down("a", ServerError, 10.0), well)
    answers = VirtualDriver().run_all([(0.0, route.call(ask())) for _ in range(1000)])
    assert {a.text for a in answers} == {"well"}
    assert [well.arrivals.count(t) for t in (10.0, 15.0)] == [100, 900]


def test_who_waits_for_a_target_that_hangs_asks_the_next_in_time() -> None:
    """A hundred calls empty the quota; those behind them have less patience than who tries the second target."""
    backends = [down("a", ServerError, 0.1), down("b", RequestTimeoutError, 300.0), Backend("well")]
    route = Fallback.of(*backends)
    hasty = ChatRequest(model="m", messages="Hi", timeout=Timeout(total=10.0))
    crowd = [(0.0, route.call(ask())) for _ in range(120)]
    behind = [(0.05, route.call(hasty)) for _ in range(20)]
    results = VirtualDriver().run_all([*crowd, *behind])
    assert {getattr(r, "text", repr(r)) for r in results} == {"well"}


def test_a_crowd_that_waits_for_a_target_which_fails_too_is_told_at_once() -> None:
    backends = [down("a", ServerError, 10.0), down("b", ServerError, 5.0)]
    results = VirtualDriver().run_all([(0.0, Fallback.of(*backends).call(ask())) for _ in range(3)])
    assert all(isinstance(r, ServerError) for r in results)
    route = Fallback.of(*backends)
    ended = VirtualDriver().run_all([(0.0, route.call(ask())) for _ in range(1000)])
    assert all(isinstance(r, ServerError) for r in ended)


# Whatever the route is made of.

FAILURES: list[Callable[[], LLMError]] = [
    lambda: ServerError("no"),
    lambda: RequestTimeoutError("late"),
    lambda: QuotaExceededError("no money"),
    lambda: AuthenticationError("who?"),
    lambda: RateLimitError("slow"),
    lambda: RateLimitError("slow", retry_after=20.0),
    lambda: RateLimitError("slow", retry_after=100.0),
]
STRATEGIES = ["round_robin", "weighted", "least_latency", "least_busy", "random_two"]


@st.composite
def failing(draw: st.DrawFn) -> Backend:
    """Fails for a while, now and then or always."""
    error = draw(st.sampled_from(FAILURES))
    start, chance = draw(st.sampled_from([0.0, 10.0])), draw(st.sampled_from([0.1, 0.5, 1.0]))
    end = start + draw(st.sampled_from([5.0, 30.0, 1000.0]))
    latency = draw(st.sampled_from([0.01, 0.1, 1.0, 5.0, 20.0]))
    return Backend(
        "bad", lambda at, c: error() if start <= at < end and c < chance else None, latency
    )


@st.composite
def routes(draw: st.DrawFn, depth: int = 2) -> Route:
    """A route of routes with one target, somewhere, that is well."""
    inner = routes(depth=depth - 1) if depth else st.nothing()
    latency = st.sampled_from([0.01, 0.1, 1.0, 5.0, 20.0])
    well = draw(st.builds(lambda seconds: Backend("well", latency=seconds), latency) | inner)
    targets: list[Any] = [well, *draw(st.lists(failing() | inner, max_size=3))]
    targets = draw(st.permutations(targets))
    if draw(st.booleans()):
        return Fallback.of(*targets, dead_key="fail_over")
    return Balance.of(*targets, dead_key="fail_over", strategy=draw(st.sampled_from(STRATEGIES)))


@settings(max_examples=40, deadline=None)
@given(routes(), RATES, st.booleans())
def test_every_call_is_answered_wherever_in_the_route_the_target_is_that_is_well(
    route: Route, rate: float, stream: bool
) -> None:
    ended = minute(route, rate, stream)
    assert all(isinstance(outcome, ChatResponse) for outcome, _, _ in ended)
    assert all(state.occupancy == 0 for state in route._states)
