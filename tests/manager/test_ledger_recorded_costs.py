"""The ledger agrees with every recorded exchange that reports its own cost, and computed prices do to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import frozen

from jackfield import Usage, plugin_manager
from jackfield.manager.settings import LedgerSettings
from jackfield.middleware.costs import total
from jackfield.middleware.ledger import Ledger
from jackfield.middleware.usage import attempts
from jackfield_prices import price_model
from support.recordings import WIRE, Turn
from usage.test_recorded_usage import UNITS, documents, numbers
from wire.cases import CASES
from wire.takers import takers

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
CENT = Decimal("0.01")


def reported(turn: Turn) -> Decimal | None:
    """What the recorded answer itself says it cost, in dollars, read without our readers."""
    if turn.status >= 300 or not (turn.streamed or isinstance(turn.response.get("body"), dict)):
        return None
    told = [
        Decimal(str(number)) / UNITS[name]
        for document in documents(turn)
        for path, number in numbers(document)
        if (name := path.rpartition("usage.")[2]) in UNITS
    ]
    return told[-1] if told else None


COSTED = [
    turn
    for case in CASES
    for turn in case.turns
    if turn.request["method"] == "POST" and reported(turn) is not None
]
"""Every recorded call that says what it cost. A batch's state, fetched by GET, is no call of its own."""

TOO_LATE = {
    "err-in-stream--pydantic-ai--test-openrouter-stream-error": (
        "the cost, nothing, stands in the event of the error, where a broken stream is not read"
    )
}
"""Cases whose cost the ledger estimates, or does not know, though the recording says it; and why."""

SEARCHED = "a fee for each search comes to the tokens, and is nobody's price of tokens"
HOSTS = "the router chose among hosts, each with a price of its own"
HEARD = "sound has a price of its own, which the catalogue does not have for the router"
APART = {
    "audio-input--rig--audio-analysis-prompt": HEARD,
    "citations--pydantic-ai--test-openrouter-web-search-annotations": SEARCHED,
    "citations--pydantic-ai--test-openrouter-web-search-annotations-stream": SEARCHED,
    "citations--ruby-llm--chat-citations-with-openrouter-perplexity-sonar-returns-search-r": SEARCHED,
    "err-429--fantasy--multi-tool-streaming-kimi-k2": HOSTS,
    "err-429--fantasy--multi-tool-streaming-kimi-k2-siliconflow": HOSTS,
    "err-429--fantasy--unique-tool-call-ids": HOSTS,
    "parallel-tools--fantasy--multi-tool-4": HOSTS,
    "reasoning--ruby-llm--chat-web-search-with-openrouter-openai-gpt-5-2-searches-transpar": SEARCHED,
}
"""Cases whose computed cost is not what was reported, and why."""


@contextmanager
def booked(folder: str) -> Iterator[Ledger]:
    """A ledger around every provider that tests make."""
    ledger = Ledger(LedgerSettings(path=Path(folder, "ledger"), durability="process"))
    plugin_manager().register(ledger)
    try:
        yield ledger
    finally:
        plugin_manager().unregister(ledger)
        ledger.close()


def rows(turn: Turn) -> list[dict[str, Any]]:
    """What the ledger has of *turn*, replayed blocking and on the event loop."""
    if str(turn) not in _rows:
        _rows[str(turn)] = _replayed(turn)
    return _rows[str(turn)]


_rows: dict[str, list[dict[str, Any]]] = {}


def _replayed(turn: Turn) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder, booked(folder) as ledger:
        for taker in takers(turn):
            taker.blocking(turn)
            taker.on_loop(turn, "asyncio")
        return list(attempts(ledger.store))


@pytest.mark.parametrize("turn", COSTED, ids=str)
def test_the_ledger_has_the_cost_that_the_recording_reports(turn: Turn) -> None:
    found = rows(turn)
    assert len(found) >= 2
    if turn.case in TOO_LATE:
        assert {row["status"] for row in found} == {"error"}
        assert {row["source"] for row in found} <= {"estimated", "unknown"}
        return
    assert {row["source"] for row in found} == {"provider"}
    assert {Decimal(row["amount"]) for row in found} == {reported(turn)}


def test_there_are_recordings_that_report_their_cost() -> None:
    assert len(COSTED) >= 60
    assert {turn.provider for turn in COSTED} == {"openrouter", "xai"}


@frozen
class Compared:
    """A recorded cost, and what the catalogue of prices makes of the counts in the ledger."""

    turn: Turn
    told: Decimal
    computed: Decimal


def compared() -> list[Compared]:
    found = []
    for turn in COSTED:
        row, told = rows(turn)[0], reported(turn)
        model = row["answered"] or row["model"]
        price = price_model(provider=turn.provider, model=model)
        counts = {n: row[n] for n in row if n.endswith("_tokens")}
        cost: Decimal | None = price.cost(Usage(**counts)).amount if price else None
        if cost is not None and told is not None and row["source"] == "provider":
            found.append(Compared(turn, told, cost))
    return found


def test_computed_costs_agree_to_the_cent_and_below() -> None:
    pairs = compared()
    assert len(pairs) >= 50
    apart = {p.turn.case for p in pairs if abs(p.computed - p.told) > p.told / 1000}
    assert apart == APART.keys()
    cents = {p.turn.case for p in pairs if abs(p.computed - p.told) >= CENT}
    assert {APART[case] for case in cents} <= {SEARCHED}
    known = [p for p in pairs if p.turn.case not in APART]
    assert abs(total(p.computed for p in known) - total(p.told for p in known)) < CENT / 100
