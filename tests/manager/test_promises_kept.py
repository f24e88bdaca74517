"""M4 to M7 over a whole manager: limits, cache, ledger and balance keep their numbers, in virtual time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import TextDelta
from jackfield.flow import Flow, Sleep
from jackfield.middleware.usage import usage
from jackfield.testing.faults.answers import answer as named_answer
from manager.worlds import (
    PLAIN,
    Make,
    Place,
    World,
    always,
    everything,
    provider_table,
    table,
    tally,
)

# M4: limits.


def most(starts: list[float], seconds: float) -> int:
    """The most of *starts* in any half-open stretch of so many *seconds*."""
    starts = sorted(starts)
    count = first = 0
    for last, at in enumerate(starts):
        while at - starts[first] >= seconds:
            first += 1
        count = max(count, last - first + 1)
    return count


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None
)
@given(st.lists(st.floats(0, 6), min_size=1, max_size=80), st.integers(1, 12))
def test_no_window_holds_more_than_its_limit(make: Make, times: list[float], limit: int) -> None:
    rates = {"requests": f"{limit}/second", "tokens": "3000/minute", "wait": 3600.0, "learn": False}
    extra = table("providers.a.limits", rates)
    long = {"total": 7200.0}
    world = make(extra, {"timeout": long}, long, a=Place(latency=0.3))
    flows = [(t, world.ask("main", params={"max_tokens": 100})) for t in times]
    ended = world.run(flows)
    assert all(e.well for e in ended)
    starts = world.places["a"].arrivals
    assert most(starts, 1) <= limit
    assert most(starts, 60) * 55 <= 3000  # each answer is of 55 tokens


def test_calls_start_in_the_order_in_which_they_came(make: Make) -> None:
    extra = table("providers.a.limits", {"requests": "20/second", "learn": False})
    long = {"total": 600.0}
    world = make(extra, {"timeout": long}, long, a=Place(latency=0.2))
    ended = world.calls("main", 400, 0.0)
    said = [r.body or b"" for r in world.places["a"].sent]
    assert [f'Question {i + 1}"'.encode() in body for i, body in enumerate(said)] == [True] * 400
    waits = [e.ended - e.began - 0.2 for e in ended]
    ideal = [i // 20 * 1.0 for i in range(400)]
    assert sorted(waits)[395] <= 2 * sorted(ideal)[395]
    assert all(state.waiting == 0 for state in world.manager.around.limits.state().limits)


# M5: the cache.


def test_a_hundred_identical_calls_at_once_ask_once(make: Make) -> None:
    world = make(first=Place(always("503")), second=Place())
    flows = [(i / 1000, world.ask("main", messages="The same")) for i in range(100)]
    ended = world.run(flows)
    assert {e.word for e in ended} == {PLAIN.text}
    assert len(world.places["second"].arrivals) == 1
    told = Counter(e.outcome.provider_metadata["jackfield"].get("cache") for e in ended)
    assert told == {None: 1, "joined": 99}


@pytest.mark.parametrize("word", ["503", "400", "filtered", "broken", "cut"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_what_is_no_whole_answer_is_never_kept(make: Make, word: str, stream: bool) -> None:
    place = Place(lambda now, _: word if now < 100 else "ok")
    world = make(a=place)
    for at in (0.0, 50.0):
        world.run([(at, world.ask("a", messages="The same", stream=stream))])
    before = len(place.arrivals)
    (ended,) = world.run([(200.0, world.ask("a", messages="The same", stream=stream))])
    assert (ended.word, len(place.arrivals)) == (PLAIN.text, before + 1)
    assert world.manager.around.cache is not None
    assert world.manager.around.cache.statistics.hits == 0


def test_nor_is_what_its_caller_left(make: Make) -> None:
    world = make(a=Place(latency=1.0))
    flow = world.ask("a", messages="The same", stream=True)

    def leave() -> Flow[None]:
        yield Sleep(0.5)
        flow.close()

    world.driver.run_all([(0.0, leave())])
    for _ in range(2):
        world.run([(10.0, world.ask("a", messages="The same", stream=True))])
    assert len(world.places["a"].arrivals) == 1


VARIATIONS: list[dict[str, Any]] = [
    {},
    {"model": "other"},
    {"messages": "Another"},
    {"metadata": {"tenant": "t1"}},
    {"metadata": {"tenant": "t2"}},
    {"provider_options": {"openai-compatible": {"user": "u"}}},
    {"tools": ({"name": "f", "parameters": {}},)},
    *({"params": {name: value}} for name, value in [
        ("temperature", 0.5), ("temperature", 0.6), ("max_tokens", 5), ("seed", 1),
        ("top_p", 0.5), ("stop", ("x",)), ("frequency_penalty", 0.5), ("presence_penalty", 0.5),
    ]),
]  # fmt: skip


def test_whoever_asks_for_something_else_gets_an_answer_of_ones_own(make: Make) -> None:
    url = "https://a.example/v1"
    extra = provider_table("b", url=url, api_key="another-pelican-1b2c3d4e")
    world = make(extra, a=Place())
    for name in ("a", "b", "main"):
        for given_ in VARIATIONS:
            fields = {"messages": "The same", **given_}
            for _ in range(2):
                world.run([(world.driver.now, world.ask(name, **fields))])
    assert len(world.places["a"].arrivals) == 3 * len(VARIATIONS)
    assert world.manager.around.cache is not None
    assert world.manager.around.cache.statistics.hits == 3 * len(VARIATIONS)


# M6: the ledger.


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None
)
@given(st.lists(st.sampled_from(["ok", "503", "400", "429", "402"]), min_size=1, max_size=40))
def test_there_is_a_row_for_every_request_and_the_tokens_are_the_answers(
    make: Make, words: list[str]
) -> None:
    first = Place(lambda _now, nth: words[nth % len(words)])
    world = make(first=first, second=Place())
    ledger = world.manager.around.ledger
    assert ledger is not None
    before = next(iter(usage(ledger.store)), None)
    ended = world.calls("main", 30, 1.0)
    (whole,) = usage(ledger.store)
    answered = sum(e.well for e in ended)
    attempts, tokens = (before.attempts, before.output_tokens) if before else (0, 0)
    assert whole.attempts - attempts == world.arrivals
    assert whole.output_tokens - tokens == 34 * answered
    assert whole.open == 0


# M7: balance.


@pytest.mark.slow
@pytest.mark.parametrize("weights", [(1, 1), (3, 2, 1), (97, 2, 1), (5, 4, 3, 2, 1)])
def test_weights_are_met_within_two_percent_over_ten_thousand(
    make: Make, weights: tuple[int, ...]
) -> None:
    names = [f"p{i}" for i in range(len(weights))]
    targets = [{"target": n, "weight": w} for n, w in zip(names, weights, strict=True)]
    route = {"kind": "balance", "strategy": "weighted", "targets": targets}
    world = make(route=route, **{name: Place() for name in names})
    counted = tally(world.calls("main", 10_000, 0.01))
    for name, weight in zip(names, weights, strict=True):
        assert abs(counted[name] / 10_000 - weight / sum(weights)) <= 0.02


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_twenty_thousand_deltas_pass_a_whole_manager_each_for_itself(
    tmp_path: Path, dialect: str
) -> None:
    text = provider_table("a", dialect) + table("routes.main", {"targets": ["a"]})
    world = World(tmp_path, text + everything(tmp_path), a=Place(answer=named_answer("tiny")))
    (ended,) = world.run([(0.0, world.ask("main", stream=True))])
    deltas = [e.text for e in ended.events if isinstance(e, TextDelta)]
    assert deltas == list(named_answer("tiny").pieces)
    world.close()
