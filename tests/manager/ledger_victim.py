"""A program whose children make calls with a ledger until they are killed: run by the tests of crashes.

Arguments: the ledger's file, the server's address, the name of this program, its durability, how
many children, a seed; a name that begins with ``free`` has no budget. With the seed ``statements``
the n-th child kills itself before its n-th statement of SQL, the last ones much later; with a
number, each is killed at some moment.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import jackfield.transport  # noqa: F401  # here, and not in each child
from jackfield import Pricing, hookimpl
from jackfield.manager.settings import BudgetSettings, LedgerSettings
from jackfield.middleware import ledger_file, ledger_store
from jackfield.middleware.ledger import Ledger
from jackfield.plugins import PluginManager

PRICE = Pricing(input=Decimal("0.3"), output=Decimal("1.7"), source="a table of the test's")
BUDGET = BudgetSettings(limit=Decimal(1_000_000), per="total")


class Prices:
    """A plugin that knows one price for everything."""

    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing:
        return PRICE


def calls(
    hooks: PluginManager, settings: LedgerSettings, url: str, name: str, threads: int, told: int
) -> None:
    """Call for ever, each call with a model's name of its own; say to *told* when one is done."""
    hooks.register(Ledger(settings, [] if name.startswith("free") else [BUDGET]))
    config = {"base_url": url, "api_key": "made-up", "retry": {"attempts": 1}}
    backend = hooks.create("openai-compatible", config)

    def caller(number: int) -> None:
        for turn in range(1_000_000):
            backend.execute(f"{name}-{number}-{turn}", "Hi", {"max_tokens": 50})
            if not turn:
                os.write(told, b"x")

    started = [threading.Thread(target=caller, args=(n,), daemon=True) for n in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def die_before(statement: int) -> None:
    """Have this process kill itself before its SQL *statement* of that number."""
    connect, left = ledger_file.connect, statement

    def watched(path: Path, durability: str = "power") -> sqlite3.Connection:
        def count(_sql: str) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

        connection = connect(path, durability)
        connection.set_trace_callback(count)
        return connection

    vars(ledger_store)["connect"] = watched


def main() -> None:
    """Start one child after the other, and see each dead."""
    file, url, name, durability, children, seed = sys.argv[1:]
    settings = LedgerSettings(path=Path(file), durability=durability)  # type: ignore[arg-type]  # an argument
    chance, hooks = random.Random(seed), PluginManager()
    hooks.register(Prices())
    hooks.load_plugins()  # here, and not in each child
    hooks.provider_class("openai-compatible")
    one = seed == "statements"
    for number in range(int(children)):
        hear, tell = os.pipe()
        child = os.fork()
        if not child:
            if one:
                # Each statement of the first ones, then some in the middle of much gathered work.
                die_before(number + 1 if number < 50 else (number - 49) * 100)
            calls(hooks, settings, url, f"{name}-{number}", 1 if one else 4, tell)
            os._exit(1)  # nobody killed it
        if not one:
            if number % 2:  # while it calls; else while it begins, or soon after
                os.read(hear, 1)
            time.sleep(chance.uniform(0.001, 0.1))
            os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        os.close(hear)
        os.close(tell)
    print("done")  # noqa: T201  # for who started us


if __name__ == "__main__":
    main()
