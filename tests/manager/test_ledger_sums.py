"""M6: what the ledger holds is what the server reported, exactly, over every dialect and through faults."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from faults.cases import KEY, MODEL, PACE, PROVIDERS
from jackfield import LLMError, LLMProvider, Pricing, hookimpl
from jackfield.manager.settings import LedgerSettings
from jackfield.middleware.ledger import Ledger
from jackfield.middleware.usage import attempts, usage
from jackfield.plugins import PluginManager
from jackfield.testing.faults import CATALOGUE, DIALECTS, FaultServer
from jackfield.testing.faults.plan import checked

PRICE = Pricing(
    input=Decimal("0.123456789"), output=Decimal("7.000000001"), source="a table of the test's"
)
REPORTED = {"input": 21, "output": 34}
"""The tokens of every healthy answer."""

PLANS = (
    *("ok", "every=2:503", "every=3:429", "every=2:400", "every=2:rst_in_head", "every=3:500"),
    *("every=3:cut_clean", "every=2:cut_rst", "every=3:not_json", "every=2:body_cut"),
)
"""Answers mixed with refusals, broken connections, broken streams, and what nobody can read."""

EXECUTED = {"cut_clean", "cut_rst", "not_json", "body_cut", "rst_in_head", "500", "503"}
"""Faults after which the work may have been done."""


class Prices:
    """A plugin that knows one price for everything."""

    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing:
        return PRICE


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=PACE) as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(LedgerSettings(path=tmp_path / "ledger.sqlite3", durability="process"))
    yield made
    made.close()


def provider(server: FaultServer, ledger: Ledger, dialect: str, plan: str, tag: str) -> LLMProvider:
    hooks = PluginManager()
    hooks.register(ledger)
    hooks.register(Prices())
    hooks.load_plugins()
    config: dict[str, Any] = {
        "base_url": server.url(dialect, plan, tag=tag),
        "api_key": KEY,
        "retry": {"attempts": 3, "initial": 0.001, "longest_hint": 0.5},
    }
    if dialect == "responses":
        config["api"] = "responses"
    return hooks.create(PROVIDERS[dialect], config, name=f"{dialect}-{plan}")


def met(server: FaultServer, plan: str, tag: str) -> list[str]:
    """The fault that each request met, in their order."""
    read = checked(plan, tag, CATALOGUE)
    return [read.fault(nth) for nth, _ in enumerate(server.log.requests(tag))]


def call(backend: LLMProvider, stream: bool) -> None:
    try:
        if stream:
            backend.stream_execute(MODEL, "A tale, please").drain()
        else:
            backend.execute(MODEL, "A tale, please")
    except LLMError:
        pass


async def acall(backend: LLMProvider, stream: bool) -> None:
    try:
        if stream:
            await backend.astream_execute(MODEL, "A tale, please").drain()
        else:
            await backend.aexecute(MODEL, "A tale, please")
    except LLMError:
        pass


def agree(ledger: Ledger, faults: list[str], concerned: Any) -> None:
    """The rows in *ledger* are those of *faults*, to the last digit."""
    rows = list(attempts(ledger.store))
    assert len(rows) == len(faults)
    healthy = sum(name == "ok" or not concerned(name) for name in faults)
    known = [r for r in rows if r["status"] == "ok"]
    assert len(known) == healthy
    assert sum(r["input_tokens"] for r in known) == healthy * REPORTED["input"]
    assert sum(r["output_tokens"] for r in known) == healthy * REPORTED["output"]
    each = REPORTED["input"] * PRICE.input + REPORTED["output"] * PRICE.output
    told = sum((Decimal(r["amount"]) for r in known), Decimal(0))
    assert told == healthy * each / 1_000_000
    guessed = [r for r in rows if r["estimated"]]
    assert len(guessed) == sum(name in EXECUTED and concerned(name) for name in faults)
    assert all(r["source"] == "estimated" and Decimal(r["amount"]) > 0 for r in guessed)
    free = [r for r in rows if r["status"] == "error" and not r["estimated"]]
    assert all((r["amount"], r["source"]) == ("0", "computed") for r in free)
    (whole,) = usage(ledger.store)
    assert whole.cost - whole.estimated_cost == told
    assert (whole.attempts, whole.open, whole.unknown) == (len(rows), 0, 0)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_ledger_is_what_the_server_reported(
    server: FaultServer, ledger: Ledger, dialect: str, stream: bool
) -> None:
    faults: list[str] = []
    backends = {}
    for plan in PLANS:
        tag = f"sum-{dialect}-{stream}-{plan.replace(':', '-')}"
        backends[tag] = plan, provider(server, ledger, dialect, plan, tag)
    jobs = [backend for _, backend in backends.values() for _ in range(7)]
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda backend: call(backend, stream), jobs))

    async def everyone() -> None:
        async with anyio.create_task_group() as group:
            for backend in jobs:
                group.start_soon(acall, backend, stream)

    anyio.run(everyone)
    for tag, (plan, _) in backends.items():
        faults += met(server, plan, tag)
    agree(ledger, faults, lambda name: CATALOGUE[name].concerns(dialect, stream=stream))
