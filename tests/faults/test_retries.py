"""Rows 57 to 61, 70 and 75: how often a request is sent, and what the last error says."""

from __future__ import annotations

from typing import Any

import pytest

from faults.callers import on
from faults.cases import COLOURS, KEY, MODEL, PROMPT, PROVIDERS
from jackfield import (
    LLMError,
    LLMProvider,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamInterruptedError,
    create_provider,
)
from jackfield.testing.faults import DIALECTS, FaultServer

RETRY = {"attempts": 3, "initial": 0.01, "maximum": 0.02}
TIMEOUT = {"connect": 2.0, "first_chunk": 4.0, "idle": 4.0, "total": 20.0}


def provider(server: FaultServer, dialect: str, fault: str, tag: str, **retry: Any) -> LLMProvider:
    url = server.url(dialect, fault, tag=tag)
    config = {"base_url": url, "api_key": KEY, "timeout": TIMEOUT, "retry": RETRY | retry}
    return create_provider(PROVIDERS[dialect], config)


def answer(backend: LLMProvider, colour: str, *, stream: bool) -> str:
    """The text of one call in *colour*."""
    if colour == "sync":
        if not stream:
            return backend.execute(MODEL, PROMPT).text
        return "".join(backend.stream_execute(MODEL, PROMPT).text())

    async def call() -> str:
        if not stream:
            return (await backend.aexecute(MODEL, PROMPT)).text
        return "".join([str(event) async for event in backend.astream_execute(MODEL, PROMPT)])

    return str(on(colour, call))


each = pytest.mark.parametrize(
    ("dialect", "colour", "stream"),
    [(d, c, s) for d in DIALECTS for c in COLOURS for s in (True, False)],
)
modes = pytest.mark.parametrize(
    ("dialect", "stream"), [(d, s) for d in DIALECTS for s in (True, False)]
)


@each
@pytest.mark.parametrize(
    "plan",
    [
        "503,429,ok",
        "500,rst_no_head,ok",
        "fin_no_head,529,ok",
        "zero_bytes,502,ok",
        "408,loading,ok",
    ],
)
def test_a_call_succeeds_at_its_third_attempt(
    server: FaultServer, dialect: str, colour: str, stream: bool, plan: str
) -> None:
    if plan.startswith("zero_bytes") and not stream:
        plan = plan.replace("zero_bytes", "504")  # an empty body is an answer nobody can read
    tag = f"third-{dialect}-{colour}-{stream}"
    backend = provider(server, dialect, plan, tag)
    assert answer(backend, colour, stream=stream) == server.answer().text
    assert [r.fault for r in server.log.requests(tag)][-3:] == [plan] * 3


@each
def test_the_last_error_says_how_many_attempts_were_made(
    server: FaultServer, dialect: str, colour: str, stream: bool
) -> None:
    tag = f"spent-{dialect}-{colour}-{stream}"
    backend = provider(server, dialect, "429,500,503", tag)
    with pytest.raises(OverloadedError) as caught:
        answer(backend, colour, stream=stream)
    assert (caught.value.attempts, caught.value.status) == (3, 503)
    assert len(server.log.requests(tag)) == 3


@modes
@pytest.mark.parametrize(
    "fault",
    ["400", "401", "402", "403", "404", "413", "422", "no_retry", "redirect_307"],
)
def test_what_repeating_cannot_mend_is_sent_once(
    server: FaultServer, dialect: str, stream: bool, fault: str
) -> None:
    tag = f"once-{dialect}-{stream}-{fault}"
    with pytest.raises(LLMError) as caught:
        answer(provider(server, dialect, fault, tag), "sync", stream=stream)
    assert (caught.value.retryable, caught.value.attempts) == (False, 1)
    assert len(server.log.requests(tag)) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    "fault", ["cut_clean", "cut_rst", "error_overloaded", "bad_event", "cut_in_json"]
)
def test_a_mid_stream_break_is_not_retried_and_keeps_the_partial(
    server: FaultServer, dialect: str, colour: str, fault: str
) -> None:
    tag = f"broken-{dialect}-{colour}-{fault}"
    with pytest.raises(StreamInterruptedError) as caught:
        answer(provider(server, dialect, fault, tag), colour, stream=True)
    assert caught.value.partial_text == "".join(server.answer().pieces[:3])
    assert (caught.value.retryable, len(server.log.requests(tag))) == (False, 1)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("colour", COLOURS)
def test_a_stream_that_said_nothing_is_tried_again(
    server: FaultServer, dialect: str, colour: str
) -> None:
    tag = f"nothing-{dialect}-{colour}"
    backend = provider(server, dialect, "no_text,no_event,ok", tag)
    assert answer(backend, colour, stream=True) == server.answer().text
    assert len(server.log.requests(tag)) == 3


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_an_overloaded_error_as_first_event_is_tried_again(
    server: FaultServer, dialect: str
) -> None:
    backend = provider(server, dialect, "error_first,ok", f"first-{dialect}")
    assert answer(backend, "sync", stream=True) == server.answer().text


@modes
def test_a_hint_of_a_day_is_not_waited_for_but_told(
    server: FaultServer, dialect: str, stream: bool
) -> None:
    tag = f"day-{dialect}-{stream}"
    with pytest.raises(RateLimitError) as caught:
        answer(provider(server, dialect, "retry_after_long,ok", tag), "sync", stream=stream)
    assert (caught.value.retry_after, len(server.log.requests(tag))) == (86400.0, 1)


@modes
def test_a_hint_within_the_deadline_is_waited_for(
    server: FaultServer, dialect: str, stream: bool
) -> None:
    tag = f"hint-{dialect}-{stream}"
    backend = provider(server, dialect, "retry_after_503,ok", tag)
    assert answer(backend, "sync", stream=stream) == server.answer().text
    first, second = server.log.requests(tag)
    assert second.at - first.at >= 1.0  # the server's own hint, not a measurement


@modes
@pytest.mark.parametrize("fault", ["stale_reset", "stale_close"])
def test_a_stale_connection_costs_one_attempt(
    server: FaultServer, dialect: str, stream: bool, fault: str
) -> None:
    backend = provider(server, dialect, fault, f"stale-{dialect}-{stream}-{fault}")
    for _ in range(4):
        assert answer(backend, "sync", stream=stream) == server.answer().text


@pytest.mark.parametrize("colour", COLOURS)
def test_every_third_request_may_fail_without_a_caller_noticing(
    server: FaultServer, colour: str
) -> None:
    plans = ["every=3:503", "every=3:rst_no_head", "every=3:500"]
    for plan in plans:
        backend = provider(server, "openai", plan, f"flap-{colour}")
        texts = [answer(backend, colour, stream=bool(turn % 2)) for turn in range(6)]
        assert texts == [server.answer().text] * 6
    sent = len(server.log.requests(f"flap-{colour}"))
    assert sent <= 1.5 * 6 * len(plans)


def test_an_outage_spends_the_quota_and_then_each_call_is_sent_once(server: FaultServer) -> None:
    backend = provider(server, "openai", "503", "outage", initial=0.0001, maximum=0.0001)
    for _ in range(120):
        with pytest.raises(ProviderError):
            backend.execute(MODEL, PROMPT)
    # 500 tokens at 5 a retry: a hundred retries, however many calls.
    assert len(server.log.requests("outage")) == 120 + 100
