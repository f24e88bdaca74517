"""Budgets: a hard one is never exceeded, by threads, processes or retries; a soft one warns."""

from __future__ import annotations

import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from core_ledger import PRICE, Elsewhere, booked
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ConfigError,
    Cost,
    Finish,
    GenerationParams,
    LLMError,
    Message,
    QuotaExceededError,
    RequestTimeoutError,
    ServerError,
    StreamStart,
    TextDelta,
    Usage,
    fold,
)
from jackfield.flow import Flow, Sleep
from jackfield.manager.settings import BudgetSettings, LedgerSettings
from jackfield.middleware.budgets import Claim, Scope, scope
from jackfield.middleware.costs import most_output, size, worst
from jackfield.middleware.ledger import Ledger
from jackfield.middleware.usage import attempts, cost_analysis
from jackfield.operations import RerankRequest
from jackfield.requests import ChatRequest, EmbeddingRequest, Request
from jackfield.testing import Answer, ScriptedProvider

NOON = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
Per = Literal["hour", "day", "month", "total"]


def scripted(ledger: Ledger, *answers: Any, name: str = "work", **config: Any) -> Elsewhere:
    return booked(Elsewhere, ledger, answers or ("Hi",), name, **config)


class Clock:
    """A wall clock that is set by hand."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> LedgerSettings:
    return LedgerSettings(path=tmp_path / "ledger.sqlite3", durability="process")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def asked(words: int = 1, limit: int = 1000) -> tuple[str, str, dict[str, Any]]:
    return "m", "word " * words, {"max_tokens": limit}


def cost_of(*call: Any) -> Decimal:
    """The most that a call could cost."""
    request = ScriptedProvider().chat_request(*call)
    amount = worst(request, "elsewhere", PRICE, 4096)
    assert amount is not None
    return amount


def spending(tokens: int) -> Answer:
    """An answer that used so many tokens each way."""
    return Answer("Hi", usage=Usage(input_tokens=1, output_tokens=tokens))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12), st.integers(0, 60_000))
def test_a_hard_budget_is_never_exceeded_and_refuses_only_what_could(
    used: list[int], micros: int
) -> None:
    limit = Decimal(micros) / 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        place = LedgerSettings(path=Path(folder, "ledger"), durability="process")
        ledger = Ledger(place, [BudgetSettings(limit=limit, per="total")])
        provider, spent = scripted(ledger, *map(spending, used)), Decimal(0)
        for tokens in used:
            if spent + cost_of(*asked()) > limit:
                with pytest.raises(QuotaExceededError, match="raise its limit") as caught:
                    provider.execute(*asked())
                assert (caught.value.code, caught.value.phase) == ("budget", "limit")
                break
            provider.execute(*asked())
            spent += (PRICE.input + tokens * PRICE.output) / 1_000_000
            assert spent <= limit
        assert cost_analysis(ledger.store).total_cost == spent
        ledger.close()


def test_thirty_two_threads_of_two_processes_do_not_exceed_it(file: LedgerSettings) -> None:
    """Two ledgers on one file are as two processes are: nothing but the file is shared."""
    room = 20 * cost_of(*asked()) + Decimal("0.000001")
    budget = BudgetSettings(limit=room, per="month")
    ledgers = [Ledger(file, [budget]), Ledger(file, [budget])]
    both = [scripted(ledger, spending(1000)) for ledger in ledgers]

    def caller(number: int) -> int:
        made = 0
        for _ in range(5):
            try:
                both[number % 2].execute(*asked())
                made += 1
            except QuotaExceededError:
                pass
        return made

    with ThreadPoolExecutor(32) as pool:
        made = sum(pool.map(caller, range(32)))
    cost = cost_analysis(ledgers[0].store).total_cost
    assert made == sum(len(provider.requests) for provider in both)
    assert room - cost_of(*asked()) < cost <= room
    assert made == cost / ((PRICE.input + 1000 * PRICE.output) / 1_000_000)
    for ledger in ledgers:
        ledger.close()


@pytest.mark.parametrize("durability", ["process", "power"])
def test_thirty_two_threads_spend_what_others_give_back_and_no_more(
    tmp_path: Path, durability: Any
) -> None:
    """Each call gives back most of what it had reserved: that counts as soon as it has answered."""
    each = (PRICE.input + 10 * PRICE.output) / 1_000_000
    budget = BudgetSettings(limit=cost_of(*asked()) + 99 * each, per="total")
    place = LedgerSettings(path=tmp_path / "ledger.sqlite3", durability=durability)
    ledger = Ledger(place, [budget])
    provider = scripted(ledger, spending(10))

    def caller(_number: int) -> None:
        for _ in range(20):
            with suppress(QuotaExceededError):
                provider.execute(*asked())

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(caller, range(32)))
    while True:  # alone now: what is left is spent to the last call that fits
        try:
            provider.execute(*asked())
        except QuotaExceededError:
            break
    with ledger.store.reading() as connection:
        (spent,) = connection.execute("SELECT amount FROM counters").fetchone()
    assert Decimal(spent) == cost_analysis(ledger.store).total_cost == 100 * each <= budget.limit
    ledger.close()


def test_what_failed_gives_back_what_it_had_reserved(file: LedgerSettings) -> None:
    ledger = Ledger(file, [BudgetSettings(limit=cost_of(*asked()), per="total")])
    down = Answer(error=ServerError("down"))
    provider = scripted(ledger, down, down, "Hi", retry={"attempts": 3, "initial": 0.0})
    assert provider.execute(*asked()).text == "Hi"
    with pytest.raises(QuotaExceededError):
        provider.execute(*asked())


def test_what_may_have_run_and_tells_no_tokens_counts_as_reserved(file: LedgerSettings) -> None:
    class Ranks(Elsewhere):
        operations = frozenset({RerankRequest})  # type: ignore[assignment]  # of this one alone

        def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
            self.requests.append(request)
            yield Sleep(0.0)
            raise RequestTimeoutError("late", phase="head", maybe_executed=True)

    ledger = Ledger(file, [BudgetSettings(limit=Decimal("0.05"), per="day")])
    provider = booked(Ranks, ledger, ())
    request = RerankRequest(model="m", query="q", documents=("d" * 4000,) * 2)
    failures = []
    for _ in range(4):
        with pytest.raises(LLMError) as caught:
            provider.run(request)
        failures.append(type(caught.value))
    assert failures == [RequestTimeoutError] * 2 + [QuotaExceededError] * 2
    for row in list(attempts(ledger.store))[:2]:
        assert (row["status"], row["estimated"], row["amount"]) == ("uncertain", 1, row["reserved"])
    ledger.close()


def test_a_wish_for_less_than_nothing_gives_no_budget_back(file: LedgerSettings) -> None:
    ledger = Ledger(file, [BudgetSettings(limit=Decimal(0), per="day")])
    asked = ChatRequest(model="m", messages="Hi", params=GenerationParams(max_tokens=-(10**6)))
    with pytest.raises(QuotaExceededError):
        scripted(ledger).run(asked)
    ledger.close()


@pytest.mark.parametrize(
    ("per", "later", "until"),
    [
        ("hour", timedelta(minutes=30), "2026-11-30 13:00"),
        ("day", timedelta(hours=12), "2026-12-01 00:00"),
        ("month", timedelta(hours=12), "2026-12-01 00:00"),
    ],
)
def test_a_budget_begins_anew_with_its_period(
    file: LedgerSettings, clock: Clock, per: Per, later: timedelta, until: str
) -> None:
    ledger = Ledger(file, [BudgetSettings(limit=cost_of(*asked()), per=per)], clock=clock)
    provider = scripted(ledger, spending(900))
    provider.execute(*asked())
    with pytest.raises(QuotaExceededError, match=f"raise its limit.*or wait until {until} UTC"):
        provider.execute(*asked())
    clock.now += later
    provider.execute(*asked())


@given(
    st.sampled_from(["hour", "day", "month"]),
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # the zone is given apart
)
def test_periods_follow_one_another_without_a_gap(per: str, at: datetime) -> None:
    counted = Scope(per)
    start, end = counted.starts(at), counted.ends(at)
    assert start is not None
    assert end is not None
    assert start <= at < end
    assert counted.period(start) == counted.period(at) != counted.period(end)
    assert counted.starts(end) == end


def test_a_budget_counts_what_it_names_and_nothing_else(file: LedgerSettings) -> None:
    none = Decimal(0)
    budgets = [
        BudgetSettings(limit=none, per="day", provider="theirs"),
        BudgetSettings(limit=none, per="day", model="big-*"),
        BudgetSettings(limit=none, per="day", tag="research"),
    ]
    ledger = Ledger(file, budgets)
    scripted(ledger).execute("small", "Hi", metadata={"tags": ["other"]})
    for name, model, tags in (("theirs", "m", []), ("w", "big-1", []), ("w", "m", ["research"])):
        with pytest.raises(QuotaExceededError, match=r"a day for (provider|model|tag) "):
            scripted(ledger, name=name).execute(model, "Hi", metadata={"tags": tags})
    assert len(list(attempts(ledger.store))) == 1


def test_a_budget_of_today_counts_what_was_spent_before_it_was_made(
    file: LedgerSettings, clock: Clock
) -> None:
    before = Ledger(file, clock=clock)
    provider = scripted(before, spending(500))
    provider.execute(*asked())
    clock.now += timedelta(minutes=5)
    provider.execute(*asked())
    spent = cost_analysis(before.store).total_cost
    limit = spent + cost_of(*asked()) - Decimal("0.000001")
    ledger = Ledger(file, [BudgetSettings(limit=limit, per="day")], clock=clock)
    with pytest.raises(QuotaExceededError):
        scripted(ledger).execute(*asked())


def test_who_keeps_no_budget_spends_of_others_all_the_same(
    file: LedgerSettings, clock: Clock
) -> None:
    budget = BudgetSettings(limit=cost_of(*asked()) * 2, per="day")
    keeper, spender = Ledger(file, [budget], clock=clock), Ledger(file, clock=clock)
    scripted(keeper, spending(900)).execute(*asked())
    scripted(spender, spending(900)).execute(*asked())
    with pytest.raises(QuotaExceededError):
        scripted(keeper).execute(*asked())


@pytest.mark.parametrize("stream", [False, True])
def test_a_soft_budget_lets_the_call_go_with_a_warning(
    file: LedgerSettings, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    soft = BudgetSettings(limit=Decimal("0.001"), per="month", hard=False)
    provider = scripted(Ledger(file, [soft]))
    with caplog.at_level(logging.WARNING, "jackfield"):
        for _ in range(3):
            if stream:
                events = list(provider.stream_execute(*asked()))
                response = fold(events)
            else:
                response = provider.execute(*asked())
            (warning,) = response.warnings
            assert (warning.kind, warning.subject) == ("budget", "a month")
            assert "of $0.001, " in warning.detail
    assert len(caplog.records) == 1


def test_a_warned_stream_folds_into_its_response(file: LedgerSettings) -> None:
    soft = BudgetSettings(limit=Decimal(0), per="month", hard=False)
    stream = scripted(Ledger(file, [soft])).stream_execute(*asked())
    events = list(stream)
    assert fold(events) == stream.response


def test_a_call_without_a_known_price_goes_with_a_warning_or_is_refused(
    file: LedgerSettings,
) -> None:
    limit = Decimal(0)
    allowing = scripted(Ledger(file, [BudgetSettings(limit=limit, per="day")]))
    response = allowing.execute("mystery", "Hi")
    assert "nobody knows what mystery costs at work" in response.warnings[0].detail
    refusing = BudgetSettings(limit=limit, per="day", unpriced="refuse")
    with pytest.raises(QuotaExceededError, match="install jackfield-prices"):
        scripted(Ledger(file, [refusing])).execute("mystery", "Hi")
    at_home = ScriptedProvider(hook=allowing._hook)
    assert at_home.execute("mystery", "Hi").text == "Hi"


def test_what_a_provider_says_it_cost_counts_though_nobody_knew_its_price(
    file: LedgerSettings,
) -> None:
    end = Finish(cost=Cost(amount=Decimal(5), source="provider"))
    ledger = Ledger(file, [BudgetSettings(limit=Decimal(5), per="day")])
    provider = scripted(ledger, Answer(events=(StreamStart(), TextDelta("Hi"), end)))
    provider.execute("mystery", "Hi")
    with pytest.raises(QuotaExceededError):
        provider.execute(*asked())


def test_all_that_is_wrong_with_budgets_is_said_at_once() -> None:
    wrong: Any = [
        BudgetSettings(limit=Decimal("NaN")),
        BudgetSettings(limit=Decimal(-1)),
        BudgetSettings(limit=Decimal(1), per="week"),  # type: ignore[arg-type]  # wrong on purpose
    ]
    with pytest.raises(ConfigError) as caught:
        Ledger(budgets=wrong)
    paths = [issue.path for issue in caught.value.issues]
    assert paths == ["budgets[0].limit", "budgets[1].limit", "budgets[2].per"]


@given(st.text(max_size=300), st.integers(0, 5))
def test_no_request_holds_more_tokens_than_it_is_taken_for(text: str, more: int) -> None:
    """A token is at least a byte of text."""
    messages = tuple(Message("user", text) for _ in range(more + 1))
    request = ChatRequest(model="m", messages=messages)
    assert size(request) >= (more + 1) * len(text.encode("utf-8", "surrogatepass"))


def test_the_most_that_an_answer_can_hold() -> None:
    own = {"elsewhere": {"max_completion_tokens": 700, "n": 3}}
    limited = ScriptedProvider().chat_request(*asked(limit=500))
    assert most_output("elsewhere", limited, 4096) == 500
    assert most_output("elsewhere", ChatRequest(model="m", messages="Hi"), 4096) == 4096
    several = ChatRequest(model="m", messages="Hi", provider_options=own)
    assert most_output("elsewhere", several, 4096) == 2100
    assert most_output("elsewhere", EmbeddingRequest(model="m", inputs="Hi"), 4096) == 0


def test_a_budgets_counter_is_known_by_what_it_counts() -> None:
    budget = BudgetSettings(limit=Decimal(1), per="hour", provider="p", tag="t")
    counted = scope(budget)
    assert str(counted) == "an hour for provider p, tag t"
    claim = Claim(provider="p", kind="k", model="m", tags=("t",), started=NOON)
    assert counted.covers(claim)
