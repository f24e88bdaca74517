"""What batches of providers' own cost is booked: a row for each answer, at their price, and once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jackfield import (
    ChatRequest,
    OverloadedError,
    Pricing,
    ProviderManager,
    QuotaExceededError,
    hookimpl,
)
from jackfield.manager.batch import run_batch
from jackfield.manager.settings import BudgetSettings, LedgerSettings
from jackfield.middleware.ledger import Ledger
from jackfield.middleware.tally import Tally
from jackfield.middleware.usage import attempts, cost_analysis, usage
from jackfield.operations.jobs import BatchResultsRequest
from jackfield.plugins import PluginManager
from manager.batch_services import Claude, OpenAI, Service

PRICE = Pricing(input=Decimal(3), output=Decimal(15), source="a table")
LINE = (2 * PRICE.input + 3 * PRICE.output) / 2_000_000
"""What an answer of the services costs in a batch."""
SERVICES = [OpenAI, Claude]


class Prices:
    """A plugin that knows what models cost, except those called ``mystery``."""

    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing | None:
        return None if model == "mystery" else PRICE


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(LedgerSettings(path=tmp_path / "ledger.sqlite3"))
    yield made
    made.close()


def booked(service: Service, counting: Any) -> Any:
    """A provider of *service* whose calls *counting* sees."""
    hooks = PluginManager()
    hooks.register(counting)
    hooks.register(Prices())
    provider = service.provider()
    provider.join("work", hooks.hook)
    return provider


def chats(count: int, model: str = "m", **more: Any) -> list[ChatRequest]:
    return [ChatRequest(model=model, messages=f"text {n}", **more) for n in range(count)]


def answers(ledger: Ledger) -> list[dict[str, Any]]:
    return [r for r in attempts(ledger.store) if r["operation"] == "ChatRequest"]


@pytest.mark.parametrize("kind", SERVICES)
def test_each_answer_has_a_row_at_half_the_price(kind: type[Service], ledger: Ledger) -> None:
    service = kind(failing={"text 1"})
    asked = chats(3, metadata={"tags": ["night"], "tenant": "acme"})
    outcome = run_batch(booked(service, ledger), asked, native=True)
    rows = answers(ledger)
    assert sorted((r["status"], Decimal(r["amount"])) for r in rows) == [
        ("error", 0),
        ("ok", LINE),
        ("ok", LINE),
    ]
    assert {(r["model"], r["tags"], r["tenant"], r["provider"]) for r in rows} == {
        ("m", '["night"]', "acme", "work")
    }
    ended = [r for r in rows if r["status"] == "ok"]
    assert {(r["source"], r["price"]) for r in ended} == {
        ("computed", "a table, 0.5 of it for batches")
    }
    assert outcome.progress.cost == cost_analysis(ledger.store).total_cost == 2 * LINE


def test_asking_how_a_batch_stands_is_nobodys_use(ledger: Ledger) -> None:
    run_batch(booked(OpenAI(), ledger), chats(2), native=True)
    found = {row.group: row.attempts for row in usage(ledger.store, group_by=("operation",))}
    assert found == {("BatchCreateRequest",): 1, ("ChatRequest",): 2}


@pytest.mark.parametrize("kind", SERVICES)
def test_what_it_could_cost_is_reserved_until_it_is_known(
    kind: type[Service], ledger: Ledger, tmp_path: Path
) -> None:
    ledger.budgets = (BudgetSettings(limit=Decimal("0.11"), per="total"),)
    service, asked = kind(), chats(3)
    service.outages = 10
    provider = booked(service, ledger)
    with pytest.raises(OverloadedError):
        run_batch(provider, asked, native=True, checkpoint=tmp_path / "checkpoint")
    reserved = usage(ledger.store)[0]
    assert reserved.cost == reserved.estimated_cost > 3 * 4096 * PRICE.output / 2_000_000
    refused = run_batch(provider, asked, native=True)
    assert {type(r.error) for r in refused} == {QuotaExceededError}
    run_batch(provider, asked, native=True, checkpoint=tmp_path / "checkpoint")
    assert usage(ledger.store)[0].cost == 3 * LINE
    with ledger.store.reading() as connection:
        (spent,) = connection.execute("SELECT amount FROM counters").fetchone()
    assert Decimal(spent) == 3 * LINE


@pytest.mark.parametrize("kind", SERVICES)
def test_a_batch_whose_results_are_read_again_is_booked_once(
    kind: type[Service], ledger: Ledger, tmp_path: Path
) -> None:
    """As after a crash between its booking and its checkpoint; another process reads it then."""
    service, path = kind(), tmp_path / "checkpoint"
    service.outages = 10
    with pytest.raises(OverloadedError):
        run_batch(booked(service, ledger), chats(4), native=True, checkpoint=path)
    handed_in = path.read_bytes()
    run_batch(booked(service, ledger), chats(4), native=True, checkpoint=path)
    path.write_bytes(handed_in)
    other = Ledger(ledger.settings)
    outcome = run_batch(booked(service, other), chats(4), native=True, checkpoint=path)
    assert [r.resumed for r in outcome] == [False] * 4
    assert len(answers(other)) == 4
    assert cost_analysis(other.store).total_cost == 4 * LINE
    other.close()


def test_a_batch_that_comes_to_nothing_gives_back_what_it_had_reserved(ledger: Ledger) -> None:
    service = OpenAI()
    service.ends = "failed"
    run_batch(booked(service, ledger), chats(2), native=True)
    assert cost_analysis(ledger.store).total_cost == 0


def test_a_price_that_nobody_knows_is_unknown(ledger: Ledger) -> None:
    run_batch(booked(OpenAI(), ledger), chats(2, "mystery"), native=True)
    assert {(r["amount"], r["source"], r["output_tokens"]) for r in answers(ledger)} == {
        (None, "unknown", 3)
    }


def test_without_a_ledger_the_answers_are_added_up_once() -> None:
    service, tally = OpenAI(), Tally()
    provider = booked(service, tally)
    run_batch(provider, chats(3), native=True)
    assert tally.analysis().total_cost == 3 * LINE
    provider.run(BatchResultsRequest(job_id="batch_1"))
    assert tally.analysis().total_cost == 3 * LINE


def test_finding_out_who_serves_a_model_is_nobodys_use(tmp_path: Path) -> None:
    class Listing(OpenAI):
        def serve(self, method: str, path: str, *more: Any) -> tuple[int, Any]:
            if path.endswith("models"):
                return 200, {"object": "list", "data": [{"id": "m", "object": "model"}]}
            return super().serve(method, path, *more)

    for settings in ({}, {"ledger": {"path": tmp_path / "ledger.sqlite3"}}):
        service = Listing()
        config = {"provider": "openai", "api_key": "made-up", "fetch_models": True}
        driver: Any = service.driver
        with ProviderManager({"providers": {"a": config}, **settings}, driver=driver) as manager:
            assert manager.auto_execute("m", "Hi").text == "Hi!"
            assert manager.around.costs().calls == 1
