"""Retries: how often, how long after, never past the deadline, never after the first event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from core_toy import DONE, STOP, Toy, event, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ChatResponse,
    InvalidRequestError,
    LLMError,
    Message,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    StreamInterruptedError,
    Timeout,
    TransportError,
)
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import HTTPRequest
from jackfield.retrying import RetryQuota

ASK = ChatRequest(model="m", messages=[Message("user", "Hi")])
OK = Scripted(pieces=((0.0, whole("Hello")),))
STREAM = Scripted(pieces=tuple((0.0, chunk) for chunk in streamed("Hello")))


def status(code: int, delay: float = 0.0, **headers: str) -> Scripted:
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return Scripted(status=code, delay=delay, headers=named, pieces=((0.0, b"{}"),))


class Server:
    """Answers with *answers* in turn, the last for ever; notes when it was asked."""

    def __init__(self, *answers: Scripted) -> None:
        self.answers = list(answers)
        self.asked: list[float] = []

    def __call__(self, _request: HTTPRequest, at: float) -> Scripted:
        self.asked.append(at)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def toy(**config: Any) -> Toy:
    return Toy({"base_url": "https://toy.example", "api_key": "made-up", **config})


def call(
    server: Server, *, stream: bool = False, seed: int = 0, provider: Toy | None = None
) -> Any:
    """What a call gives, and the virtual time at its end."""
    driver = VirtualDriver(server, seed=seed)
    try:
        outcome: Any = driver.run((provider or toy()).call(ASK, stream=stream))
    except LLMError as error:
        outcome = error
    return outcome, driver.now


RETRIED = [408, 409, 425, 429, 500, 502, 503, 504, 529]
REFUSED = [400, 401, 402, 403, 404, 405, 413, 418, 422, 451, 501]


@pytest.mark.parametrize("code", RETRIED)
def test_a_status_that_waiting_may_mend_is_tried_again(code: int) -> None:
    server = Server(status(code), status(code), OK)
    answer, _ = call(server)
    assert answer.text == "Hello"
    assert len(server.asked) == 3


@pytest.mark.parametrize("code", REFUSED)
def test_a_status_that_waiting_does_not_mend_is_not(code: int) -> None:
    server = Server(status(code), OK)
    error, _ = call(server)
    assert isinstance(error, LLMError)
    assert not error.retryable
    assert (len(server.asked), error.attempts) == (1, 1)


@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
def test_the_policy_says_how_many_attempts_are_made(attempts: int) -> None:
    server = Server(status(503))
    error, _ = call(server, provider=toy(retry={"attempts": attempts}))
    assert isinstance(error, OverloadedError)
    assert len(server.asked) == error.attempts == attempts


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_pauses_are_full_jitter_below_a_doubling_limit(seed: int, attempts: int) -> None:
    server = Server(status(503))
    policy = RetryPolicy(attempts=attempts)
    call(server, seed=seed, provider=toy(retry=policy))
    gaps = [b - a for a, b in zip(server.asked, server.asked[1:], strict=False)]
    assert len(gaps) == attempts - 1
    for n, gap in enumerate(gaps):
        assert 0 <= gap <= min(policy.initial * 2**n, policy.maximum)


@given(st.floats(0, 60), st.integers(0, 1000))
def test_a_servers_hint_is_obeyed_with_at_most_a_quarter_on_top(hint: float, seed: int) -> None:
    server = Server(status(429, retry_after=f"{hint:.3f}"), OK)
    answer, _ = call(server, seed=seed)
    assert answer.text == "Hello"
    waited = server.asked[1] - server.asked[0]
    assert hint - 0.001 <= waited <= hint * 1.25 + 0.001


def test_a_hint_longer_than_the_longest_is_not_waited_for() -> None:
    error, at = call(Server(status(429, retry_after="86400"), OK))
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.attempts, at) == (86400.0, 1, 0)


@given(st.floats(0.1, 30), st.floats(0, 40), st.integers(0, 1000))
def test_no_call_outlives_its_deadline(total: float, delay: float, seed: int) -> None:
    server = Server(status(503, delay=delay))
    provider = toy(retry={"attempts": 20}, timeout=Timeout(total=total))
    error, at = call(server, seed=seed, provider=provider)
    assert isinstance(error, LLMError)
    assert at <= total


def test_a_veto_of_the_server_is_obeyed_both_ways() -> None:
    server = Server(status(500, x_should_retry="false"), OK)
    assert isinstance(call(server)[0], ServerError)
    server = Server(status(400, x_should_retry="true"), OK)
    assert call(server)[0].text == "Hello"


def test_402_is_retried_only_with_a_hint() -> None:
    assert isinstance(call(Server(status(402), OK))[0], QuotaExceededError)
    assert call(Server(status(402, retry_after="1"), OK))[0].text == "Hello"


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_that_breaks_before_the_answer_is_tried_again(stream: bool) -> None:
    broken = Scripted(pieces=(), cut=True)
    server = Server(broken, STREAM if stream else OK)
    assert call(server, stream=stream)[0].text == "Hello"


def test_silence_is_tried_again_within_the_deadline() -> None:
    provider = toy(timeout={"total": 100, "first_chunk": 30})
    silent = Scripted(pieces=((1000.0, b"x"),))
    server = Server(silent, STREAM)
    answer, at = call(server, stream=True, provider=provider)
    assert answer.text == "Hello"
    assert 30 <= at <= 31


@pytest.mark.parametrize(
    "rest",
    [
        (),
        (b'data: {"error": {"message": "busy", "code": 503}}\n\n',),
        (b"data: {broken\n\n",),
    ],
    ids=["cut", "error", "broken"],
)
def test_after_the_first_event_nothing_is_tried_again(rest: tuple[bytes, ...]) -> None:
    pieces = tuple((0.0, c) for c in (event({"content": "Once"}), *rest))
    server = Server(Scripted(pieces=pieces), STREAM)
    error, _ = call(server, stream=True)
    assert isinstance(error, StreamInterruptedError)
    assert error.partial_text == "Once"
    assert not error.retryable
    assert error.maybe_executed
    assert len(server.asked) == 1


def test_an_error_as_the_first_event_is_tried_again() -> None:
    busy = b'data: {"error": {"message": "busy", "code": "503"}}\n\n'
    server = Server(Scripted(pieces=((0.0, busy),)), STREAM)
    assert call(server, stream=True)[0].text == "Hello"
    assert len(server.asked) == 2


def test_a_stream_that_ends_before_any_text_is_tried_again() -> None:
    nothing = event({"role": "assistant"})
    server = Server(Scripted(pieces=((0.0, nothing),)), STREAM)
    assert call(server, stream=True)[0].text == "Hello"


def test_keep_alives_do_not_put_the_timeouts_off() -> None:
    beats = tuple((10.0, b": still here\n\n") for _ in range(50))
    provider = toy(retry={"attempts": 1}, timeout={"first_chunk": 60, "idle": 60, "total": 600})
    error, at = call(Server(Scripted(pieces=beats)), stream=True, provider=provider)
    assert isinstance(error, RequestTimeoutError)
    assert at == 60
    pieces = ((0.0, event({"content": "Once"})), *beats)
    error, at = call(Server(Scripted(pieces=pieces)), stream=True, provider=provider)
    assert isinstance(error, StreamInterruptedError)
    assert (error.partial_text, at) == ("Once", 60)


def test_a_slow_stream_lives_as_long_as_content_comes() -> None:
    words = [event({"content": f"{n} "}) for n in range(10)]
    pieces = tuple((50.0, chunk) for chunk in (*words, STOP + DONE))
    answer, at = call(Server(Scripted(pieces=pieces)), stream=True)
    assert answer.text == "0 1 2 3 4 5 6 7 8 9 "
    assert at == 550


def test_the_quota_is_paid_in_retries_and_refilled_by_successes() -> None:
    quota = RetryQuota(capacity=20)
    busy, late = OverloadedError("busy"), RequestTimeoutError("late")
    assert [quota.take(busy), quota.take(late), quota.take(busy)] == [True, True, True]
    assert not quota.take(busy)
    for _ in range(5):
        quota.give()
    assert quota.take(busy)
    assert not quota.take(busy)


def test_an_outage_does_not_multiply_requests() -> None:
    server = Server(status(503))
    provider = toy()
    driver = VirtualDriver(server)
    outcomes = driver.run_all([(float(n), provider.call(ASK)) for n in range(1000)])
    assert all(isinstance(o, OverloadedError) for o in outcomes)
    assert len(server.asked) <= 1000 + 500 // 5


def test_a_retry_pays_the_quota_only_if_it_is_made() -> None:
    provider = toy(timeout=1, retry={"attempts": 3})
    server = Server(status(429, retry_after="30"))
    for _ in range(300):
        call(server, provider=provider)
    assert len(server.asked) == 300
    answer, _ = call(Server(status(503), OK), provider=toy())
    assert answer.text == "Hello"


@pytest.mark.parametrize(
    "error",
    [AuthenticationError("no"), InvalidRequestError("no"), TypeError("a bug")],
)
def test_what_no_attempt_can_mend_is_raised_at_once(error: Exception) -> None:
    class Failing(Toy):
        def build(self, call: Any) -> HTTPRequest:
            raise error

    provider = Failing({"base_url": "https://toy.example", "api_key": "made-up"})
    with pytest.raises(type(error)):
        VirtualDriver(Server(OK)).run(provider.call(ASK))


def test_a_call_may_bring_its_own_timeout() -> None:
    request = evolve(ASK, timeout=Timeout(total=7, first_chunk=5))
    driver = VirtualDriver(Server(Scripted(status=None, delay=1e9)))
    with pytest.raises(RequestTimeoutError):
        driver.run(toy(retry={"attempts": 1}).call(request))
    assert driver.now == 7


def test_the_last_error_tells_the_attempts() -> None:
    check: Callable[[Any], bool] = lambda e: e.attempts == 3  # noqa: E731  # pytest's parameter
    with pytest.raises(TransportError, check=check):
        VirtualDriver(Server(Scripted(cut=True))).run(toy().call(ASK))


def test_a_response_comes_with_no_trace_of_failed_attempts() -> None:
    answer, _ = call(Server(status(503), OK))
    assert isinstance(answer, ChatResponse)
    assert answer.warnings == ()
