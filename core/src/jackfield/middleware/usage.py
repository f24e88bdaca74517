"""What the ledger adds up to: attempts, tokens and exact money, by provider, model, day or tag."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from ..errors import InvalidRequestError
from .costs import total
from .ledger_file import first_id, stamp
from .ledger_store import Store

GROUPS: Mapping[str, str] = {
    "provider": "provider",
    "kind": "kind",
    "model": "model",
    "operation": "operation",
    "tenant": "tenant",
    "status": "status",
    "tag": "tag.value",
    "month": "substr(started, 1, 7)",
    "day": "substr(started, 1, 10)",
    "hour": "substr(started, 1, 13)",
}
"""By what usage can be grouped; periods are UTC's, and a row with two tags counts under each."""

# What is under way counts as what was reserved for it: recovering it changes no sum.
_COST = "coalesce(amount, CASE status WHEN 'started' THEN reserved END)"
_GUESSED = "(source = 'estimated' OR status = 'started')"
_SUMS = (
    "count(*)",
    "sum(status IN ('error', 'uncertain'))",
    "sum(status = 'cancelled')",
    "sum(status = 'started')",
    "sum(estimated)",
    f"sum({_COST} IS NULL)",
    "sum(coalesce(input_tokens, 0))",
    "sum(coalesce(output_tokens, 0))",
    "sum(coalesce(cache_read_tokens, 0))",
    f"exact_sum({_COST})",
    f"exact_sum({_COST}, multiplier)",
    f"exact_sum(CASE WHEN {_GUESSED} THEN {_COST} END)",
)


@frozen(kw_only=True)
class UsageRow:
    """What a group of attempts came to; *group* holds its values in the order that was asked for.

    *cost* is the exact sum of what is known, *estimated_cost* the part of it that is
    guessed, *weighted_cost* the sum after the providers' multipliers. *unknown* attempts
    have a cost that nobody knows, *estimated* ones had their tokens guessed, *open*
    ones are under way. *failed* ones ended in an error, *cancelled* ones were left.
    """

    group: tuple[str | None, ...] = ()
    attempts: int = 0
    failed: int = 0
    cancelled: int = 0
    open: int = 0
    estimated: int = 0
    unknown: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cost: Decimal = Decimal(0)
    weighted_cost: Decimal = Decimal(0)
    estimated_cost: Decimal = Decimal(0)
    currency: str = "USD"


@frozen(kw_only=True)
class CostAnalysis:
    """What calls cost, in US dollars: in all, by provider, by model; exact sums of what is known.

    *weighted_cost* is after the providers' multipliers, *estimated_cost* the guessed part
    of *total_cost*; *unknown_calls* have a cost that nobody knows, or one of another currency.
    """

    total_cost: Decimal = Decimal(0)
    weighted_cost: Decimal = Decimal(0)
    estimated_cost: Decimal = Decimal(0)
    provider_costs: Mapping[str, Decimal] = field(factory=dict)
    model_costs: Mapping[str, Decimal] = field(factory=dict)
    calls: int = 0
    failed_calls: int = 0
    unknown_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


def usage(
    store: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    group_by: Sequence[str] = (),
    **only: str | None,
) -> list[UsageRow]:
    """What the attempts from *since* up to (not including) *until* came to, grouped and in order.

    *group_by* names some of `GROUPS`; *only* (``provider="claude"``) leaves others out.

    Raises:
        InvalidRequestError: there is no such grouping.
        LedgerError: the ledger cannot be read.
    """
    if wrong := [name for name in (*group_by, *only) if name not in GROUPS]:
        message = f"usage cannot be grouped by {wrong[0]!r}; it can by {', '.join(GROUPS)}"
        raise InvalidRequestError(message, param="group_by", phase="build")
    tests = [("attempts.id >= ?", first_id(since)), ("started >= ?", stamp(since))] if since else []
    tests += [("started < ?", stamp(until))] if until else []
    chosen = {name: value for name, value in only.items() if value is not None}
    tag = chosen.pop("tag", None)
    if tag is not None:
        tests.append(("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", tag))
    tests += [(f"{GROUPS[name]} = ?", value) for name, value in chosen.items()]
    columns = [GROUPS[name] for name in group_by]
    source = "attempts LEFT JOIN json_each(tags) AS tag" if "tag" in group_by else "attempts"
    where = " AND ".join(test for test, _ in tests) or "1"
    numbers = ", ".join(str(at + 1) for at in range(len(columns) + 1))
    query = (  # only our own words: values are bound
        f"SELECT {', '.join([*columns, 'currency', *_SUMS])} FROM {source}"  # noqa: S608
        f" WHERE {where} GROUP BY {numbers} ORDER BY {numbers}"
    )
    with store.reading() as connection:
        found = connection.execute(query, [value for _, value in tests]).fetchall()
    return [_row(row, len(columns)) for row in found]


def _row(row: Sequence[Any], groups: int) -> UsageRow:
    currency, *counts = row[groups : groups + 10]
    cost, weighted, guessed = (Decimal(value or 0) for value in row[groups + 10 :])
    names = ("attempts", "failed", "cancelled", "open", "estimated", "unknown")
    tokens = ("input_tokens", "output_tokens", "cache_read_tokens")
    return UsageRow(
        group=tuple(row[:groups]),
        currency=currency,
        cost=cost,
        weighted_cost=weighted,
        estimated_cost=guessed,
        **dict(zip((*names, *tokens), counts, strict=True)),
    )


def summed(rows: Sequence[UsageRow]) -> UsageRow:
    """*rows* of one currency as one: their exact sum."""
    counts = ("attempts", "failed", "cancelled", "open", "estimated", "unknown")
    tokens = ("input_tokens", "output_tokens", "cache_read_tokens")
    money = ("cost", "weighted_cost", "estimated_cost")
    added: dict[str, Any] = {n: sum(getattr(r, n) for r in rows) for n in (*counts, *tokens)}
    added |= {n: total(getattr(r, n) for r in rows) for n in money}
    return UsageRow(**added)


def cost_analysis(
    store: Store, since: datetime | None = None, until: datetime | None = None
) -> CostAnalysis:
    """What the attempts from *since* up to *until* cost.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    rows = usage(store, since, until, ("provider", "model"))
    dollars = [row for row in rows if row.currency == "USD"]
    whole, every = summed(dollars), summed(rows)
    return CostAnalysis(
        total_cost=whole.cost,
        weighted_cost=whole.weighted_cost,
        estimated_cost=whole.estimated_cost,
        provider_costs=_by(dollars, 0),
        model_costs=_by(dollars, 1),
        calls=every.attempts,
        failed_calls=every.failed,
        unknown_calls=whole.unknown + every.attempts - whole.attempts,
        input_tokens=every.input_tokens,
        output_tokens=every.output_tokens,
    )


def _by(rows: Sequence[UsageRow], place: int) -> dict[str, Decimal]:
    names = dict.fromkeys(row.group[place] or "" for row in rows)
    return {n: total(r.cost for r in rows if (r.group[place] or "") == n) for n in names}


def attempts(
    store: Store, since: datetime | None = None, until: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """Every row from *since* up to *until*, in the order of their start, as the file has it.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    ends = (stamp(since) if since else "", stamp(until) if until else "~")
    with store.reading() as connection:
        connection.row_factory = sqlite3.Row
        query = "SELECT * FROM attempts WHERE started >= ? AND started < ? ORDER BY id"
        for row in connection.execute(query, ends):
            yield dict(row)
