"""kill -9 in the middle of the ledger's writes, 100 times and more: nothing is lost, nothing charged twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jackfield.manager.settings import LedgerSettings
from jackfield.middleware.budgets import scope
from jackfield.middleware.ledger import Ledger
from jackfield.middleware.usage import attempts, usage
from jackfield.testing.faults import FaultServer
from manager.ledger_victim import BUDGET, PRICE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked on this system"),
]
VICTIM = Path(__file__).with_name("ledger_victim.py")
PATIENCE = 90.0
EACH = (21 * PRICE.input + 34 * PRICE.output) / 1_000_000
"""What a served call costs."""


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def run(file: Path, server: FaultServer, tag: str, programs: Sequence[tuple[str, ...]]) -> None:
    """Run the victims of *programs* side by side to their end."""
    url = server.url("openai", "ok", tag=tag)
    started = [
        subprocess.Popen(
            [sys.executable, str(VICTIM), str(file), url, *told], stdout=subprocess.PIPE
        )
        for told in programs
    ]
    for process in started:
        said, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, said) == (0, b"done\n")


def whole(file: Path, served: Counter[str]) -> list[dict[str, Any]]:
    """The rows of *file*, once it is sure that all that was *served* is there, once, at its price."""
    ledger = Ledger(LedgerSettings(path=file), [BUDGET])
    assert ledger.store.write(lambda store: store.recover()) == 0  # opening it did
    rows = list(attempts(ledger.store))
    booked = Counter(row["model"] for row in rows)
    assert set(booked.values()) == {1}
    assert set(served.values()) == {1}
    assert served.keys() <= booked.keys()
    assert {row["status"] for row in rows} == {"ok", "uncertain"}
    for row in rows:
        ended = row["status"] == "ok"
        assert row["model"] in served or not ended
        assert Decimal(row["amount"]) == (EACH if ended else Decimal(row["reserved"]))
        assert row["source"] == ("computed" if ended else "estimated")
    costs = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    assert usage(ledger.store)[0].cost == costs
    with ledger.store.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        key = (scope(BUDGET).key,)
        spent = connection.execute("SELECT amount FROM counters WHERE budget = ?", key).fetchone()
        assert spent is None or Decimal(spent[0]) == costs
    ledger.close()
    assert not file.with_name(f"{file.name}-running").exists()
    return rows


def models(server: FaultServer, tag: str) -> Counter[str]:
    return Counter(request.json["model"] for request in server.log.requests(tag))


@pytest.mark.parametrize("kind", ["budget", "free"])
def test_a_hundred_kills_at_any_moment(server: FaultServer, tmp_path: Path, kind: str) -> None:
    """With a budget every row goes into the tables at once, else into the journal of its process."""
    file = tmp_path / "ledger.sqlite3"
    programs = [(f"{kind}-a", "power", "50", "1"), (f"{kind}-b", "process", "50", "2")]
    run(file, server, f"kill-{kind}", programs)
    rows = whole(file, models(server, f"kill-{kind}"))
    ends = Counter(row["status"] for row in rows)
    assert ends["ok"] >= 50  # half of the children were killed after a call that was done
    assert ends["uncertain"] >= 1


@pytest.mark.parametrize("kind", ["budget", "free"])
def test_a_kill_before_each_statement_of_sql(
    server: FaultServer, tmp_path: Path, kind: str
) -> None:
    file, tag = tmp_path / "ledger.sqlite3", f"statement-{kind}"
    run(file, server, tag, [(kind, "process", "60", "statements")])
    rows = whole(file, models(server, tag))
    assert {row["status"] for row in rows} == {"ok", "uncertain"}
