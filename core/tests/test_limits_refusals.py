"""Tokens are reserved and settled, calls that may not wait fail at once, and the state tells how things stand."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from core_limits import EPSILON, INPUT, Call, World, limits
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    ConfigError,
    EmbeddingRequest,
    GenerationParams,
    LLMError,
    MediaPart,
    Message,
    QuotaExceededError,
    RateLimitError,
    ReasoningPart,
    Timeout,
    ToolCall,
    ToolResult,
    TransportError,
    UnsupportedOperationError,
    Usage,
)
from jackfield.config import Config
from jackfield.flow import Flow, Sleep
from jackfield.middleware.tokens import FIRST, Guess, Outputs
from jackfield.operations import CompletionRequest

# Tokens.


def test_tokens_that_an_answer_did_not_need_are_given_back() -> None:
    world = World(limits(tokens="100/minute"))
    small = Usage(input_tokens=INPUT, output_tokens=5)
    world.run([Call(tokens=90, usage=small, seconds=1), *[Call(tokens=90, at=2)] * 2])
    assert [round(s.at) for s in world.starts] == [0, 2, 62]


def test_tokens_that_an_answer_needed_beyond_its_guess_are_charged_when_known() -> None:
    world = World(limits(tokens="100/minute"))
    large = Usage(input_tokens=INPUT, output_tokens=250)
    world.run([Call(tokens=20, usage=large, seconds=10), Call(tokens=60, at=5), Call(at=20)])
    assert [round(s.at) for s in world.starts] == [0, 5, 70]


def test_a_refused_call_costs_no_tokens_and_an_interrupted_one_all_of_its_own() -> None:
    for error, second in (
        (RateLimitError("no"), 1),
        (TransportError("?", maybe_executed=True), 60),
    ):
        world = World(limits(tokens="100/minute"))
        world.run([Call(tokens=90, error=error), Call(tokens=90, at=1)])
        assert [round(s.at) for s in world.starts] == [0, second]


def test_without_max_tokens_an_answer_is_reckoned_as_long_as_those_before() -> None:
    world = World(limits(tokens="1000/minute"))
    usage = Usage(input_tokens=INPUT, output_tokens=95)
    for _ in range(3):
        world.run([Call(tokens=100, usage=usage)])
    request = ChatRequest(model="m", messages="x")
    assert world.limits._outputs.guess(("p", "m"), request, 1000) == Guess(INPUT, 95)
    assert world.limits._outputs.guess(("p", "m"), request, 50) == Guess(INPUT, 50 - INPUT)
    assert world.limits._outputs.guess(("p", "new"), request, 1000) == Guess(INPUT, FIRST)


def test_all_that_a_model_reads_is_reckoned() -> None:
    long = "x" * 4000
    call, result = ToolCall("c", "f", '{"a": "' + long + '"}'), ToolResult("c", long)
    messages = [
        Message("user", "Hi"),
        Message("assistant", [ReasoningPart(long), call]),
        Message("tool", [result]),
    ]
    chat = ChatRequest(model="m", messages=messages)
    assert Outputs().guess(("p", "m"), chat, 10**6).input >= 3000
    text = CompletionRequest(model="m", prompt=long)
    assert Outputs().guess(("p", "m"), text, 10**6).input >= 1000
    picture = ChatRequest(model="m", messages=Message("user", MediaPart("image/png", b"x" * 10**6)))
    assert Outputs().guess(("p", "m"), picture, 10**6).input < 100


def test_no_call_makes_room_for_others() -> None:
    chat = ChatRequest(model="m", messages="x", params=GenerationParams(max_tokens=-1000))
    assert Outputs().guess(("p", "m"), chat, 10**6).output == 0


def test_what_was_not_sent_costs_nothing() -> None:
    refusals: list[LLMError] = [
        QuotaExceededError("a budget is spent", phase="limit"),
        ConfigError("no key"),
        UnsupportedOperationError("it cannot"),
    ]
    for error in refusals:
        world = World(limits(tokens="100/minute", requests="2/minute"))
        world.run([*[Call(tokens=90, error=error)] * 3, Call(tokens=90, at=1)])
        assert [round(s.at) for s in world.starts] == [0, 0, 0, 1]
    world = World(limits(requests="2/minute"))
    world.run([*[Call(error=RateLimitError("no"))] * 2, Call(at=1)])
    assert [round(s.at) for s in world.starts] == [0, 0, 60]


def test_embeddings_are_reckoned_at_four_bytes_a_token() -> None:
    request = EmbeddingRequest(model="m", inputs=["x" * 30, "é" * 5])
    assert Outputs().guess(("p", "m"), request, 100) == Guess(10, 0)


def test_a_call_larger_than_the_whole_window_fails_at_once_and_says_what_to_do() -> None:
    world = World(limits(tokens="900/minute"), p=limits(tokens="100/minute"))
    (outcome,) = world.run([Call(tokens=101)])
    assert isinstance(outcome, RateLimitError)
    assert (outcome.code, outcome.phase, outcome.retryable) == ("local_limit", "limit", False)
    assert "101 tokens" in str(outcome)
    assert "100/minute" in str(outcome)
    assert "raise providers.p.limits.tokens" in str(outcome)
    assert (world.driver.now, world.starts) == (0, [])


# Failing instead of waiting.


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"requests": "1/minute"}, "requests"),
        ({"concurrency": 1}, "concurrency"),
        ({"tokens": "100/minute"}, "tokens"),
    ],
)
def test_a_call_that_may_not_wait_fails_at_once_and_is_told_the_limit(
    given: dict[str, Any], holds: str
) -> None:
    world = World(None, p=limits(wait=0, **given))
    _, outcome = world.run([Call(seconds=30, tokens=90), Call(at=20, tokens=90)])
    assert isinstance(outcome, RateLimitError)
    assert (outcome.code, outcome.phase, outcome.provider) == ("local_limit", "limit", "p")
    assert f"raise providers.p.limits.{holds}" in str(outcome)
    if holds == "concurrency":
        assert outcome.retry_after is None
    else:
        assert outcome.retry_after == pytest.approx(40, abs=EPSILON)
    assert len(world.starts) == 1


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 3), st.integers(1, 12), st.floats(0, 200))
def test_a_call_fails_at_once_if_its_turn_is_known_to_come_too_late(
    amount: int, count: int, wait: float
) -> None:
    world = World(limits(requests=f"{amount}/minute", wait=wait))
    ended: dict[int, float] = {}

    def noted(number: int) -> Flow[Any]:
        try:
            return (yield from world.flow(Call(), number))
        finally:
            ended[number] = world.driver.now

    outcomes = world.driver.run_all([(0.0, noted(number)) for number in range(count)])
    for number, outcome in enumerate(outcomes):
        turn = number // amount * 60
        if turn <= wait - EPSILON:
            assert not isinstance(outcome, Exception)
            assert ended[number] == pytest.approx(turn, abs=EPSILON)
        elif turn > wait:
            assert isinstance(outcome, RateLimitError)
            assert ended[number] == 0
            assert outcome.retry_after is not None
            assert outcome.retry_after <= turn + EPSILON


def test_a_call_whose_turn_nobody_can_know_waits_as_long_as_it_may() -> None:
    world = World(limits(concurrency=1, wait=10))
    _, outcome = world.run([Call(seconds=30), Call(at=1)])
    assert isinstance(outcome, RateLimitError)
    assert "room comes when a call ends, and this call may wait 10 s" in str(outcome)
    assert "limits.wait" in str(outcome)


def test_no_call_waits_beyond_its_own_deadline() -> None:
    world = World(limits(requests="1/minute"))
    request = evolve(Call().request(1), timeout=Timeout(total=5))
    flows = [world.flow(Call()), world.backends["p"].call(request)]
    _, outcome = world.driver.run_all((0.0, flow) for flow in flows)
    assert isinstance(outcome, RateLimitError)
    assert "this call may wait 5 s" in str(outcome)
    assert outcome.retry_after == pytest.approx(60, abs=EPSILON)


def test_a_local_refusal_is_not_tried_again() -> None:
    world = World(limits(requests="1/second", wait=0))
    world.flow(Call()).close()
    world.backends["p"].config = Config()
    _, outcome = world.run([Call(), Call()])
    assert isinstance(outcome, RateLimitError)
    assert (outcome.attempts, len(world.starts)) == (1, 1)


# Settings, and how things stand.


def test_what_is_not_limited_is_left_alone() -> None:
    world = World(None, q=limits(requests="1/minute"))
    assert len(world.run([Call()] * 50)) == len(world.starts) == 50
    assert {s.at for s in world.starts} == {0.0}


def test_wrong_settings_are_refused_all_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        World(limits(requests="fast", models={"m": limits()}), p=limits(concurrency=-1))
    assert [issue.path for issue in caught.value.issues] == [
        "limits.requests",
        "limits.models",
        "providers.p.limits.concurrency",
    ]


def test_limits_can_be_set_anew_while_calls_wait() -> None:
    world = World(None, p=limits(requests="1/minute"))

    def change() -> Flow[None]:
        yield Sleep(30)
        world.limits.configure("p", limits(requests="100/minute"))

    calls = [world.flow(Call(at=at), n) for n, at in enumerate((0, 0, 40, 40))]
    starts = [(0.0, calls[0]), (0.0, calls[1]), (40.0, calls[2]), (40.0, calls[3])]
    world.driver.run_all([*starts, (0.0, change())])
    assert sorted((s.number, round(s.at)) for s in world.starts) == [
        (0, 0),
        (1, 60),
        (2, 40),
        (3, 40),
    ]


def test_the_state_tells_what_is_used_and_who_waits() -> None:
    own = limits(requests="2/minute", models={"m": limits(tokens="1000/minute", concurrency=5)})
    world = World(limits(concurrency=7), p=own)
    seen: list[Any] = []

    def look() -> Flow[None]:
        yield Sleep(1)
        seen.append(world.limits.state())

    flows = [(0.0, world.flow(Call(seconds=5, tokens=50))) for _ in range(3)]
    world.driver.run_all([*flows, (0.0, look())])
    assert [
        (s.provider, s.model, s.name, s.used, s.limit, s.available, s.waiting)
        for s in seen[0].limits
    ] == [
        (None, None, "concurrency", 2, 7, 5, 1),
        ("p", None, "requests", 2, 2, 0, 1),
        ("p", "m", "tokens", 100, 1000, 900, 1),
        ("p", "m", "concurrency", 2, 5, 3, 1),
    ]
