"""Budgets of money: what counts for one, when it begins anew, and whether a call still fits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from attrs import frozen

from ..errors import ConfigError, QuotaExceededError
from ..manager.settings import BudgetSettings
from ..types import CallWarning, ConfigIssue
from .costs import EXACT, dollars, total
from .ledger_file import first_id

Execute = Callable[..., Any]
"""`sqlite3.Connection.execute`, inside a transaction."""

_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m", "total": ""}


@frozen(kw_only=True)
class Claim:
    """An attempt as budgets see it: whose it is, when it started, the most that it could cost."""

    provider: str
    kind: str
    model: str
    tags: tuple[str, ...] = ()
    started: datetime
    amount: Decimal | None = None

    @classmethod
    def of(cls, provider: str, kind: str, model: str, tags: str, started: str) -> Claim:
        """The claim of a row of the ledger that says this."""
        known = tuple(json.loads(tags))
        at = datetime.fromisoformat(started)
        return cls(provider=provider, kind=kind, model=model, tags=known, started=at)


@frozen
class Scope:
    """Whose costs a budget counts, and how long: what its counter in the ledger is kept by."""

    per: str
    provider: str | None = None
    model: str | None = None
    tag: str | None = None

    @property
    def key(self) -> str:
        """The counter's name."""
        return json.dumps([self.per, self.provider, self.model, self.tag], ensure_ascii=False)

    def period(self, at: datetime) -> str:
        """The hour, day or month (UTC) that *at* is in; nothing for all time."""
        return at.astimezone(UTC).strftime(_FORMATS[self.per])

    def starts(self, at: datetime) -> datetime | None:
        """When the period of *at* began; None for never."""
        start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return {
            "hour": start,
            "day": start.replace(hour=0),
            "month": start.replace(day=1, hour=0),
        }.get(self.per)

    def ends(self, at: datetime) -> datetime | None:
        """When the period of *at* is over; None for never."""
        start = self.starts(at)
        if start is None or self.per != "month":
            return start and start + timedelta(**{f"{self.per}s": 1})
        return (start + timedelta(days=32)).replace(day=1)

    def covers(self, claim: Claim) -> bool:
        """Whether the costs of *claim* count."""
        return (
            self.provider in (None, claim.provider, claim.kind)
            and (self.model is None or fnmatchcase(claim.model, self.model))
            and (self.tag is None or self.tag in claim.tags)
        )

    def __str__(self) -> str:
        whose = [f"{n} {v}" for n in ("provider", "model", "tag") if (v := getattr(self, n))]
        often = {"total": "in all", "hour": "an hour"}.get(self.per, f"a {self.per}")
        return f"{often} for {', '.join(whose)}" if whose else often


@lru_cache(maxsize=1024)
def _scope(key: str) -> Scope:
    return Scope(*json.loads(key))


def scope(budget: BudgetSettings) -> Scope:
    """What *budget* counts."""
    return Scope(budget.per, budget.provider, budget.model, budget.tag)


def check_budgets(budgets: Sequence[BudgetSettings]) -> None:
    """Raise what is wrong with *budgets*.

    Raises:
        ConfigError: a limit is no amount of money, or a period none that there is.
    """
    issues = []
    for at, budget in enumerate(budgets):
        limit: Any = budget.limit
        if not isinstance(limit, Decimal) or not limit.is_finite() or limit < 0:
            problem = f"must be an amount of dollars, not {limit!r}"
            issues.append(
                ConfigIssue(f"budgets[{at}].limit", problem, 'write Decimal("25.00"), say')
            )
        if budget.per not in _FORMATS:
            problem = f"must be one of {', '.join(_FORMATS)}, not {budget.per!r}"
            issues.append(ConfigIssue(f"budgets[{at}].per", problem))
    if issues:
        raise ConfigError("the budgets have problems:", issues)


def admit(
    execute: Execute, budgets: Sequence[BudgetSettings], claim: Claim
) -> tuple[CallWarning, ...]:
    """Warnings about the budgets that *claim* is within, or about to leave.

    Raises:
        QuotaExceededError: it could exceed a hard one; ``code`` is ``budget``.
    """
    warnings = []
    for budget in budgets:
        counted = scope(budget)
        if not counted.covers(claim):
            continue
        if claim.amount is None:
            said = f"nobody knows what {claim.model} costs at {claim.provider}"
            if budget.hard and budget.unpriced == "refuse":
                fix = 'install jackfield-prices, or set unpriced = "allow"'
                raise _refusal(f"{said}, and the budget {counted} refuses that: {fix}")
            warnings.append(CallWarning("budget", str(counted), f"{said}: it does not count"))
            continue
        spent = counter(execute, counted, claim.started)
        if EXACT.add(spent, claim.amount) <= budget.limit:
            continue
        said = (
            f"of {dollars(budget.limit)}, {dollars(spent)} are spent or reserved, "
            f"and this call could cost {dollars(claim.amount)}"
        )
        if budget.hard:
            until = counted.ends(claim.started)
            later = f", or wait until {until:%Y-%m-%d %H:%M} UTC" if until else ""
            fix = f"raise its limit, ask for less (max_tokens){later}"
            raise _refusal(f"the budget {counted} would be exceeded: {said}; {fix}")
        warnings.append(CallWarning("budget", str(counted), said))
    return tuple(warnings)


def _refusal(message: str) -> QuotaExceededError:
    return QuotaExceededError(message, code="budget", phase="limit")


def counter(execute: Execute, counted: Scope, at: datetime) -> Decimal:
    """What is spent or reserved of *counted* in the period of *at*; counted from the rows at first."""
    key, period = counted.key, counted.period(at)
    found = execute(
        "SELECT amount FROM counters WHERE budget = ? AND period = ?", (key, period)
    ).fetchone()
    if found is not None:
        return Decimal(found[0])
    amount = total(_spent(execute, counted, at))
    execute("DELETE FROM counters WHERE budget = ?", (key,))
    execute("INSERT INTO counters VALUES (?, ?, ?)", (key, period, str(amount)))
    return amount


def _spent(execute: Execute, counted: Scope, at: datetime) -> Iterator[Decimal]:
    """What each row that *counted* covers cost in the period of *at*, or has reserved."""
    rows = execute(
        "SELECT coalesce(amount, CASE status WHEN 'started' THEN reserved END),"
        " provider, kind, model, tags, started FROM attempts"
        " WHERE id >= ? AND currency = 'USD'",
        (first_id(start) if (start := counted.starts(at)) else "",),
    )
    for amount, *told in rows:
        claim = Claim.of(*told)
        same = counted.period(claim.started) == counted.period(at)
        if amount is not None and same and counted.covers(claim):
            yield Decimal(amount)


def shift(execute: Execute, claim: Claim, change: Decimal) -> None:
    """Add *change* to every counter that *claim* counts for, whoever's budget it is of."""
    if not change:
        return
    for key, period, amount in execute("SELECT budget, period, amount FROM counters").fetchall():
        counted = _scope(key)
        if counted.covers(claim) and counted.period(claim.started) == period:
            execute(
                "UPDATE counters SET amount = ? WHERE budget = ? AND period = ?",
                (str(EXACT.add(Decimal(amount), change)), key, period),
            )
