"""Limits are learnt from what providers answer, and obeyed until they are whole again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from core_limits import EPSILON, PATIENT, Call, World, limits
from core_toy import KEY, Toy, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ChatResponse, RateLimitError
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import HTTPRequest
from jackfield.manager.settings import LimitSettings
from jackfield.middleware.gate import Gate, Scope
from jackfield.middleware.learning import CAP, Told, read_headers
from jackfield.middleware.limits import HoldState, Limits
from jackfield.plugins import PluginManager

OK = Scripted(pieces=((0.0, whole("Hello")),), delay=0.1)


def answers(headers: Mapping[str, str], status: int = 200, delay: float = 0.1) -> Scripted:
    body = whole("Hello") if status == 200 else b'{"error": {"message": "no"}}'
    return Scripted(status=status, headers=dict(headers), delay=delay, pieces=((0.0, body),))


class Server:
    """Gives each call in turn its answer, then `OK`; notes when they came."""

    def __init__(self, *scripts: Scripted | Callable[[float], Scripted]) -> None:
        self._scripts = list(scripts)
        self.came: list[float] = []

    def __call__(self, request: HTTPRequest, now: float) -> Scripted:
        self.came.append(round(now, 3))
        script = self._scripts.pop(0) if self._scripts else OK
        return script(now) if callable(script) else script


def run(server: Server, *starts: float, **given: Any) -> list[Any]:
    """The outcomes of calls that start at *starts*, of a provider whose limits are only learnt."""
    settings = LimitSettings(**{"wait": PATIENT, **given})
    limits = Limits(None, {"toy": settings}, clock=lambda: driver.now)
    manager = PluginManager()
    manager.register(limits)
    driver = VirtualDriver(server)
    config = {"base_url": "https://toy.example", "api_key": KEY, "retry": {"attempts": 1}}
    toy = Toy({**config, "timeout": 100_000}, hook=manager.hook)
    request = toy.chat_request("m", "Hi")
    return driver.run_all([(at, toy.call(request)) for at in starts])


SPENT = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}


def test_after_the_last_request_that_is_left_calls_wait_for_the_reset() -> None:
    server = Server(answers(SPENT))
    assert all(isinstance(outcome, ChatResponse) for outcome in run(server, 0, 1, 2))
    assert server.came[0] == 0
    assert server.came[1] == 20.1
    # The others follow when the one that went first was answered.
    assert server.came[2] == 20.2


def test_without_learning_nobody_waits() -> None:
    server = Server(answers(SPENT))
    run(server, 0, 1, learn=False)
    assert server.came == [0, 1]


def test_a_refusal_with_a_hint_makes_the_others_wait() -> None:
    server = Server(answers({"retry-after": "30"}, 429))
    first, second, third = run(server, 0, 1, 2)
    assert isinstance(first, RateLimitError)
    assert first.code != "local_limit"
    assert isinstance(second, ChatResponse)
    assert isinstance(third, ChatResponse)
    assert server.came == [0, 30.1, 30.2]


def test_who_leaves_before_it_starts_does_not_end_a_pause() -> None:
    gate, scopes = Gate(), (Scope("p", "p", LimitSettings(concurrency=2)),)
    key = ("p", "m")
    one, two = (gate.enter(key, scopes, 0, 1e9) for _ in range(2))
    assert gate.turn(one, 0.0)
    assert gate.turn(two, 0.0)
    waits = gate.enter(key, scopes, 0, 1e9)
    assert not gate.turn(waits, 0.0)
    gate.leave(two)  # the third is let go, and has not woken yet
    gate.refused(one, 30.0, 1.0)
    gate.leave(waits)
    assert not gate.turn(gate.enter(key, scopes, 0, 1e9), 1.0)


def test_a_refusal_without_a_hint_makes_nobody_wait() -> None:
    server = Server(answers({}, 429))
    run(server, 0, 1)
    assert server.came == [0, 1]


def test_a_hint_in_a_refusals_body_counts_as_one_in_its_headers() -> None:
    error = RateLimitError("slow down", retry_after=30.0)
    world = World(None, p=limits(learn=True))
    world.run([Call(error=error), Call(at=1), Call(at=1, model="other")])
    assert [(s.number, round(s.at)) for s in world.starts] == [(0, 0), (2, 1), (1, 30)]


def test_who_may_not_wait_so_long_fails_at_once_and_is_told_why() -> None:
    server = Server(answers(SPENT))
    _, second = run(server, 0, 1, wait=5)
    assert isinstance(second, RateLimitError)
    assert second.code == "local_limit"
    assert second.retry_after == pytest.approx(19.1, abs=EPSILON)
    assert "toy/m is spent, as the provider told" in str(second)
    assert server.came == [0]


def test_what_is_left_is_shared_by_those_who_come_at_once() -> None:
    left = {"x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "20s"}
    server = Server(answers(left), *[answers({}, delay=30)] * 2)
    run(server, 0, *[1] * 5)
    assert server.came == [0, 1, 1, *[20.1] * 3]


def test_calls_on_their_way_count_as_if_the_answer_had_not_counted_them() -> None:
    left = {"x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "20s"}
    server = Server(answers({}, delay=30), answers(left))
    run(server, 0, 0, 1, 1)
    assert server.came == [0, 0, 1, 20.1]


def test_a_limit_that_stays_spent_is_tried_once_in_each_pause() -> None:
    server = Server(*[answers(SPENT)] * 4)
    run(server, *[0] * 1, *[1] * 4)
    assert server.came == [0, 20.1, 40.2, 60.3, 80.4]


def test_whoever_goes_first_after_a_pause_and_gets_no_answer_holds_up_nobody_for_longer() -> None:
    server = Server(answers(SPENT), answers({}, delay=1000))
    run(server, 0, 1, 2)
    assert server.came == [0, 20.1, 40.1]


def test_a_good_answers_retry_after_is_not_meant() -> None:
    server = Server(answers({"retry-after": "30", "x-ratelimit-remaining": "5"}))
    run(server, 0, 1)
    assert server.came == [0, 1]


def test_the_state_tells_what_a_provider_told() -> None:
    world = World(None, p=limits(learn=True))
    world.run([Call(error=RateLimitError("slow down", retry_after=30.0))])
    hold = HoldState(provider="p", model="m", seconds=30.0)
    assert world.limits.state().holds == (hold,)


TELLING: list[tuple[dict[str, str], Told | None]] = [
    ({}, None),
    (SPENT, Told(0, 20)),
    ({**SPENT, "x-ratelimit-reset-requests": "6m0s"}, Told(0, CAP)),
    ({**SPENT, "x-ratelimit-reset-requests": "soon"}, None),
    ({"x-ratelimit-remaining-requests": "0"}, None),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1.5s"}, Told(0, 1.5)),
    ({"x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": "1.5s"}, None),
    ({"x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "0"}, None),
    ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "2"}, Told(3, 2)),
    (
        {
            "anthropic-ratelimit-requests-remaining": "4",
            "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:09Z",
            "date": "Thu, 01 Jan 2026 00:00:00 GMT",
        },
        Told(4, 9),
    ),
]


@pytest.mark.parametrize(("headers", "told"), TELLING)
def test_headers_are_read(headers: dict[str, str], told: Told | None) -> None:
    assert read_headers(headers) == told


NAMES = [
    *("x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "date"),
    *(
        f"x-ratelimit-{w}-{k}"
        for w in ("limit", "remaining", "reset")
        for k in ("requests", "tokens")
    ),
]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.text() | st.sampled_from(["0", "1", "9" * 40, "1s"]))
)
def test_no_header_breaks_anything(headers: dict[str, str]) -> None:
    told = read_headers(headers)
    assert told is None or (told.left >= 0 and 0 <= told.seconds <= CAP)
