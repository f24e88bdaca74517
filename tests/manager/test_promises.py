"""M1 to M3 over a whole manager: what fails is asked elsewhere, and no outage is multiplied; in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import StreamInterruptedError
from jackfield.flow import NOW, Flow, Sleep
from manager.worlds import (
    ELSEWHERE,
    NEVER,
    PLAIN,
    REPEATABLE,
    TIMEOUT,
    Behaviour,
    Make,
    Place,
    always,
    during,
    provider_table,
    table,
    tally,
)

# M1: failing over.


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("word", [*REPEATABLE, *ELSEWHERE])
def test_a_thousand_of_a_thousand_calls_are_answered_by_the_healthy_second(
    make: Make, word: str, stream: bool
) -> None:
    world = make(first=Place(always(word)), second=Place())
    ended = world.calls("main", 1000, 0.05, stream=stream)
    assert tally(ended) == {"second": 1000}
    assert {e.word for e in ended} == {PLAIN.text}
    assert max(e.ended - e.began for e in ended) <= TIMEOUT["total"] + 0.1 + 0.05
    assert len(world.places["second"].arrivals) == 1000


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("word", NEVER)
def test_what_would_fail_everywhere_costs_no_call_more(make: Make, word: str, stream: bool) -> None:
    world = make(first=Place(always(word)), second=Place())
    ended = world.calls("main", 50, 0.1, stream=stream)
    assert not any(e.well for e in ended)
    assert (len(world.places["first"].arrivals), len(world.places["second"].arrivals)) == (50, 0)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_target_that_hangs_leaves_the_others_their_share_of_the_time(
    make: Make, stream: bool
) -> None:
    whole = {"total": 9.0, "first_chunk": 9.0}
    silent, well = Place(always("silence")), Place()
    world = make("", {"timeout": whole}, whole, first=silent, second=silent, third=well)
    (ended,) = world.calls("main", 1, 1.0, stream=stream)
    assert ended.by == "third"
    assert ended.ended == pytest.approx(6.1)
    route = {"timeout": whole, "attempt_timeout": 2.0}
    world = make("", route, whole, first=silent, second=well)
    (ended,) = world.calls("main", 1, 1.0, stream=stream)
    assert ended.by == "second"
    assert ended.ended == pytest.approx(2.1)


def test_nobody_else_is_asked_when_the_calls_time_is_over(make: Make) -> None:
    whole = {"total": 10.0}
    silent = {name: Place(always("silence")) for name in ("first", "second")}
    world = make("", {"timeout": whole}, whole, **silent)
    (ended,) = world.calls("main", 1, 1.0)
    assert (ended.word, ended.ended) == ("RequestTimeoutError", 10.0)
    assert [place.arrivals for place in world.places.values()] == [[0.0], [5.0]]


def test_nobody_else_is_asked_after_the_first_token(make: Make) -> None:
    world = make(first=Place(always("cut")), second=Place())
    ended = world.calls("main", 4, 60.0, stream=True)
    partial = "".join(PLAIN.pieces[:3])
    assert all(isinstance(e.outcome, StreamInterruptedError) for e in ended)
    assert {e.outcome.partial_text for e in ended} == {partial}
    assert len(world.places["second"].arrivals) == 0


@pytest.mark.slow
def test_an_outage_of_a_minute_is_seen_by_nobody(make: Make) -> None:
    first = Place(during(10, 70, "503"))
    world = make(first=first, second=Place())
    ended = world.calls("main", 12_000, 0.01)
    assert sum(e.well for e in ended) == 12_000
    out = [t for t in first.arrivals if 10 <= t < 70]
    assert len(out) <= 1.1 * 6000
    assert len([t for t in first.arrivals if 50 <= t < 100]) <= 1  # the probe that is in vain
    assert ended[-1].by == "first"


def every_third(*words: str) -> Behaviour:
    return lambda _now, nth: "ok" if (nth + 1) % 3 else words[nth // 3 % len(words)]


def test_a_flapping_backend_costs_no_answer_and_few_calls(make: Make) -> None:
    world = make(first=Place(every_third("503", "broken", "504")), second=Place())
    ended = world.calls("main", 900, 0.2)
    assert sum(e.well for e in ended) == 900
    assert world.arrivals <= 1.5 * 900


def test_a_flapping_stream_is_never_told_twice(make: Make) -> None:
    world = make(first=Place(every_third("cut", "503")), second=Place())
    ended = world.calls("main", 600, 0.2, stream=True)
    for call in ended:
        told = "".join(map(str, call.events))
        assert told == (PLAIN.text if call.well else "".join(PLAIN.pieces[:3]))
    assert sum(e.well for e in ended) >= 450
    assert world.arrivals <= 1.5 * 600


# M2: an outage is not multiplied.


@pytest.mark.slow
@pytest.mark.parametrize("word", ["503", "silence", "broken"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_full_outage_of_a_minute_is_not_multiplied(make: Make, word: str, count: int) -> None:
    world = make(**{f"p{i}": Place(always(word)) for i in range(count)})
    world.calls("main", 6000, 0.01)
    assert world.arrivals <= 1.1 * 6000 + 100


@pytest.mark.slow
@pytest.mark.parametrize("hangs", [5.0, 60.0])
def test_nor_is_it_where_attempts_hang_for_long(make: Make, hangs: float) -> None:
    patience = {"first_chunk": hangs, "idle": hangs, "total": hangs}
    silent = {f"p{i}": Place(always("silence")) for i in range(3)}
    world = make(timeout=patience, **silent)
    world.calls("main", 3000, 0.02)
    assert world.arrivals <= 1.1 * 3000 + 100


@pytest.mark.slow
def test_nor_is_it_by_five_hundred_clients_that_ask_again(make: Make) -> None:
    extra = table("routes.outer", {"targets": ["main", "c"]}) + provider_table("c")
    world = make(extra, a=Place(always("503")), b=Place(always("529")))
    world.places["c"] = Place(always("500"))
    offered = 0

    def client() -> Flow[None]:
        nonlocal offered
        while (yield NOW) < 60:
            offered += 1
            assert not (yield from world.ask("outer")).well
            yield Sleep(5.0)

    world.run((i / 100, client()) for i in range(500))
    assert offered > 500
    assert world.arrivals <= 1.1 * offered + 100


# M3: breakers.


def test_a_breaker_opens_after_five_in_a_row_and_lets_one_call_probe(make: Make) -> None:
    first = Place(always("500"))
    world = make(first=first, second=Place())
    world.calls("main", 600, 0.1)
    assert len([t for t in first.arrivals if t < 30]) == 5
    assert len(first.arrivals) == 6


def test_it_opens_at_half_of_twenty_in_ten_seconds(make: Make) -> None:
    first = Place(lambda _now, nth: "500" if nth % 2 else "ok")
    world = make(first=first, second=Place())
    world.calls("main", 60, 0.3)
    assert 20 <= len(first.arrivals) <= 22


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, deadline=None
)
@given(count=st.integers(2, 7))
def test_at_most_half_of_the_targets_are_out(make: Make, count: int) -> None:
    places = {f"p{i}": Place(always("503"), 0.01) for i in range(count)}
    world = make(route={"kind": "balance"}, **places)
    world.calls("main", 300, 0.05)
    asked = [any(t > 10 for t in place.arrivals) for place in places.values()]
    assert sum(asked) >= count - count // 2


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, deadline=None
)
@given(cooldown=st.floats(2, 40), down=st.floats(1, 1.9))
def test_a_target_that_is_well_again_is_back_within_its_cooldown_and_a_second(
    make: Make, cooldown: float, down: float
) -> None:
    first = Place(during(0, down, "503"))
    route = {"breaker": {"cooldown": cooldown}}
    world = make(route=route, first=first, second=Place())
    ended = world.calls("main", 500, 0.1)
    opened = first.arrivals[4] + first.latency
    assert next(e.began for e in ended if e.by == "first") <= opened + cooldown + 1
