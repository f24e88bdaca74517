"""What a simulation found: a value, equal to the bit for equal seeds, and two of them compared."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import asdict, frozen

DIGITS = 6
"""Decimals of the seconds in a report."""


@frozen(kw_only=True)
class Percentiles:
    """Seconds: by the nearest rank, half, nine in ten and 99 in 100 took at most that."""

    p50: float
    p90: float
    p99: float
    longest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Percentiles | None:
        """Those of *values*; None where there is none."""
        if not values:
            return None
        ranked, count = sorted(values), len(values)
        ranks = (-(-count * share // 100) - 1 for share in (50, 90, 99, 100))
        p50, p90, p99, longest = (round(ranked[rank], DIGITS) for rank in ranks)
        return cls(p50=p50, p90=p90, p99=p99, longest=longest)


@frozen(kw_only=True)
class TargetReport:
    """What one target was asked and did.

    *requests* reached it; *refused* were kept back by limits of our own, *waited* is how many
    seconds all together waited for those. *answers* are whole ones, *share* is their part of all
    calls that were answered. *cost* (US dollars) is None where the scenario has no price.
    """

    requests: int
    answers: int
    share: float
    failures: Mapping[str, int]
    refused: int
    waited: float
    input_tokens: int
    output_tokens: int
    cost: Decimal | None


@frozen(kw_only=True)
class HourReport:
    """The calls that came in one *hour* of the simulation, counted from 0; *total* is how long answers took."""

    hour: int
    calls: int
    successes: int
    requests: int
    cost: Decimal
    total: Percentiles | None


@frozen(kw_only=True)
class Report:
    """What became of the *calls* of a trace under one policy, *name*.

    *failures* are counted by the class of the error. *first* is how long streamed answers took
    to begin, *total* how long all answers took. *requests* reached backends, *refused* were kept
    back by limits of our own; *failovers* went to another target after one had failed,
    *retries* to the same again. *openings* is how often a breaker opened. *cost* (US dollars) is
    of what is priced, *unpriced* how many requests were read and are not. *cached* answers came from the
    cache, or with an identical call. *refused_by_budgets* are attempts that a hard budget kept back, *over_budget*
    those that a soft one did not. These three are None where the policy has no such table. *ended* is when
    the last call was over.
    """

    name: str
    trace: str
    seed: int
    calls: int
    successes: int
    failures: Mapping[str, int]
    first: Percentiles | None
    total: Percentiles | None
    input_tokens: int
    output_tokens: int
    cost: Decimal
    unpriced: int
    requests: int
    refused: int
    waited: float
    failovers: int
    retries: int
    openings: int
    ended: float
    targets: Mapping[str, TargetReport]
    hours: tuple[HourReport, ...]
    cached: int | None = None
    refused_by_budgets: int | None = None
    over_budget: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """Calls that were not answered."""
        return self.calls - self.successes

    @property
    def amplification(self) -> float:
        """Requests that reached backends, for each call."""
        return round(self.requests / self.calls, DIGITS) if self.calls else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON: money is exact text; of a cache and budgets only where the policy has them."""
        told = {**_told(self), "failed": self.failed, "amplification": self.amplification}
        absent = {name for *_, name in _WHERE_THERE if told[name] is None}
        return {name: value for name, value in told.items() if name not in absent}

    def to_json(self) -> str:
        """The same bytes for the same report."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1)


def _told(value: Any) -> dict[str, Any]:
    """The fields of *value* as plain data, money as exact text."""
    return asdict(value, value_serializer=_plain)


def _plain(_of: Any, _field: Any, value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


Number = int | float | Decimal | None


@frozen
class Difference:
    """One measure of two reports: *name*, its *unit*, and what each has; None is unknown."""

    name: str
    unit: str
    before: Number
    after: Number

    @property
    def change(self) -> float | None:
        """By which part of *before* it changed; None where that cannot be told."""
        if self.before is None or self.after is None or not self.before:
            return None
        return round(float(self.after) / float(self.before) - 1, DIGITS)


@frozen
class Comparison:
    """Two policies under the same traffic and the same luck."""

    before: Report
    after: Report

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Measure by measure."""
        ours, theirs = _measures(self.before, self.after), _measures(self.after, self.before)
        return tuple(Difference(*one, other[2]) for one, other in zip(ours, theirs, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        rows = [{**_told(d), "change": d.change} for d in self.differences]
        return {"before": self.before.to_dict(), "after": self.after.to_dict(), "differences": rows}


def compare_reports(before: Report, after: Report) -> Comparison:
    """*before* and *after*, side by side.

    Raises:
        ValueError: they are of different traffic or luck, which no difference would tell apart.
    """
    if (before.trace, before.seed, before.calls) != (after.trace, after.seed, after.calls):
        raise ValueError(
            "the reports are of different traces or seeds: simulate both with the same"
        )
    return Comparison(before, after)


_COUNTS = (
    ("requests without a price", "", "unpriced"),
    ("input tokens", "", "input_tokens"),
    ("output tokens", "", "output_tokens"),
    ("requests to backends", "", "requests"),
    ("requests for each call", "", "amplification"),
    ("failovers", "", "failovers"),
    ("retries", "", "retries"),
    ("openings of breakers", "", "openings"),
    ("waited for limits", "s", "waited"),
    ("refused by limits", "", "refused"),
)
_WHERE_THERE = (
    ("answers from the cache", "", "cached"),
    ("refused by budgets", "", "refused_by_budgets"),
    ("over soft budgets", "", "over_budget"),
)


def _measures(report: Report, other: Report) -> Iterator[tuple[str, str, Number]]:
    """Name, unit and value of what *report* says, with a row for all that it or *other* has."""
    yield from (("calls", "", report.calls), ("answered", "", report.successes))
    yield "failed", "", report.failed
    for kind in sorted(report.failures.keys() | other.failures.keys()):
        yield f"  {kind}", "", report.failures.get(kind, 0)
    for title in ("first", "total"):
        for name in ("p50", "p90", "p99"):
            yield f"{title} {name}", "s", getattr(getattr(report, title), name, None)
    cost = None if report.unpriced else report.cost
    each = None if cost is None or not report.successes else round(cost / report.successes, DIGITS)
    yield from (("cost", "$", cost), ("cost of an answer", "$", each))
    yield from ((title, unit, getattr(report, name)) for title, unit, name in _COUNTS)
    for title, unit, name in _WHERE_THERE:
        if (getattr(report, name), getattr(other, name)) != (None, None):
            yield title, unit, getattr(report, name) or 0
    for target in sorted(report.targets.keys() | other.targets.keys()):
        answered = report.targets[target].share if target in report.targets else 0.0
        yield f"answers of {target}", "%", round(100 * answered, 4)


def told_number(value: Number, unit: str) -> str:
    """*value* as a person reads it."""
    if value is None:
        return "unknown"
    if unit == "$":
        return f"${value:,.2f}" if value >= 1 else f"${value:.4f}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{0 if value >= 1000 else 2}f}{' ' if unit == 's' else ''}{unit}"


def told_change(found: Difference) -> str:
    """How the second differs from the first."""
    if found.unit == "%" and found.before is not None and found.after is not None:
        return f"{float(found.after) - float(found.before):+.2f} points"
    if found.before == found.after:
        return "="
    return "" if found.change is None else f"{found.change:+.1%}"


class Tally:
    """What is counted of a target, or of an hour, while the simulation runs."""

    def __init__(self) -> None:
        self.calls = self.requests = self.answers = self.refused = self.input = self.output = 0
        self.waited, self.cost, self.unpriced = 0.0, Decimal(0), 0
        self.failures: Counter[str] = Counter()
        self.first, self.total = array("d"), array("d")

    def of_hour(self, hour: int) -> HourReport:
        """The count of an hour."""
        counted = {n: getattr(self, n) for n in ("calls", "requests", "cost")}
        found = Percentiles.of(self.total)
        return HourReport(hour=hour, successes=len(self.total), total=found, **counted)

    def of_target(self, successes: int) -> TargetReport:
        """The count of a target; so many calls were answered in all."""
        return TargetReport(
            requests=self.requests,
            answers=self.answers,
            share=round(self.answers / successes, DIGITS) if successes else 0.0,
            failures=dict(sorted(self.failures.items())),
            refused=self.refused,
            waited=round(self.waited, DIGITS),
            input_tokens=self.input,
            output_tokens=self.output,
            cost=None if self.unpriced else self.cost,
        )
