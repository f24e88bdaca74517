"""What a simulation found: a value, equal to the bit for equal seeds, and two of them compared."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import asdict, field, frozen

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

    requests: int = 0
    answers: int = 0
    share: float = 0.0
    failures: Mapping[str, int] = field(factory=dict)
    refused: int = 0
    waited: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


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
    of what is priced, *unpriced* how many requests are not. *ended* is when the last call was over.
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
        """Plain data, for JSON: money is exact text."""
        told = asdict(self, value_serializer=lambda _i, _f, v: _plain(v))
        return {**told, "failed": self.failed, "amplification": self.amplification}

    def to_json(self) -> str:
        """The same bytes for the same report."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1)


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _of(percentiles: Percentiles | None, name: str) -> float | None:
    return None if percentiles is None else getattr(percentiles, name)


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
        found = zip(
            measures(self.before, self.after), measures(self.after, self.before), strict=True
        )
        return tuple(Difference(name, unit, one, other) for (name, unit, one), (*_, other) in found)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        rows = [
            {"name": d.name, "unit": d.unit, "before": _plain(d.before), "after": _plain(d.after), "change": d.change}
            for d in self.differences
        ]  # fmt: skip
        return {"before": self.before.to_dict(), "after": self.after.to_dict(), "differences": rows}


def compare_reports(before: Report, after: Report) -> Comparison:
    """*before* and *after*, side by side.

    Raises:
        ValueError: they are of other traffic or another seed, which no difference would tell apart.
    """
    if (before.trace, before.seed, before.calls) != (after.trace, after.seed, after.calls):
        raise ValueError(
            "the reports are of different traces or seeds: simulate both with the same"
        )
    return Comparison(before, after)


def measures(report: Report, *others: Report) -> Iterator[tuple[str, str, Number]]:
    """Name, unit and value of what *report* says, with a row for all that it or *others* have."""
    every = (report, *others)
    yield "calls", "", report.calls
    yield "answered", "", report.successes
    yield "failed", "", report.failed
    for kind in sorted({kind for r in every for kind in r.failures}):
        yield f"  {kind}", "", report.failures.get(kind, 0)
    for title in ("first", "total"):
        found = getattr(report, title)
        if any(getattr(r, title) for r in every):
            for name in ("p50", "p90", "p99"):
                yield f"{title} {name}", "s", _of(found, name)
    yield (
        "cost",
        "$",
        report.cost if report.unpriced < report.requests or not report.requests else None,
    )
    if any(r.unpriced for r in every):
        yield "requests without a price", "", report.unpriced
    yield "input tokens", "", report.input_tokens
    yield "output tokens", "", report.output_tokens
    yield "requests to backends", "", report.requests
    yield "requests for each call", "", report.amplification
    yield "failovers", "", report.failovers
    yield "retries", "", report.retries
    yield "openings of breakers", "", report.openings
    yield "waited for limits", "s", report.waited
    yield "refused by limits", "", report.refused
    for target in sorted({target for r in every for target in r.targets}):
        yield f"answers of {target}", "%", round(100 * _share(report, target), 4)


def _share(report: Report, target: str) -> float:
    return report.targets[target].share if target in report.targets else 0.0


class HourTally:
    """What is counted of one hour while the simulation runs."""

    def __init__(self) -> None:
        self.calls = self.requests = 0
        self.cost = Decimal(0)
        self.first, self.total = array("d"), array("d")

    def report(self, hour: int) -> HourReport:
        """The count."""
        return HourReport(
            hour=hour,
            calls=self.calls,
            successes=len(self.total),
            requests=self.requests,
            cost=self.cost,
            total=Percentiles.of(self.total),
        )


class TargetTally:
    """What is counted of one target while the simulation runs."""

    def __init__(self) -> None:
        self.requests = self.answers = self.refused = self.input = self.output = 0
        self.waited = 0.0
        self.cost: Decimal | None = None
        self.failures: dict[str, int] = {}

    def report(self, successes: int) -> TargetReport:
        """The count; so many calls were answered in all."""
        return TargetReport(
            requests=self.requests,
            answers=self.answers,
            share=round(self.answers / successes, DIGITS) if successes else 0.0,
            failures=dict(sorted(self.failures.items())),
            refused=self.refused,
            waited=round(self.waited, DIGITS),
            input_tokens=self.input,
            output_tokens=self.output,
            cost=self.cost,
        )
