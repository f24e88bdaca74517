"""The scenario of a simulation as data: how each backend behaves, read from a file or from code."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal

from attrs import field, frozen

from ..config import Issues, known_settings, structure
from ..errors import ConfigError
from ..manager.documents import Document, open_document
from ..manager.settings import Bounds, RateForm
from ..types import ConfigIssue

ErrorKind = Literal["server", "overloaded", "transport", "timeout", "rate_limit", "authentication"]
OutageKind = Literal[
    "server", "overloaded", "transport", "timeout", "rate_limit", "authentication", "slow"
]

_NORMAL = NormalDist()
_P99 = _NORMAL.inv_cdf(0.99)
_PARTS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[wdhms])+")
LONGEST = 366 * 86_400.0


def parse_duration(text: str) -> float:
    """The seconds that *text* says: ``90s``, ``1h30m``, ``2d``, ``1w``; at most a year.

    Raises:
        ValueError("problem: fix"): it says none.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"must be a duration, not {text[:40]!r}: write 90s, 1h30m, 2d or 1w")
    parts = re.findall(r"([\d.]+)([wdhms])", text)
    seconds = sum(float(number) * _PARTS[unit] for number, unit in parts)
    if seconds > LONGEST:
        raise ValueError(f"is longer than a year, {text[:40]!r}: write less")
    return seconds


class _DurationForm:
    """A field's ``check``: a duration, as `parse_duration` reads it."""

    def __call__(self, value: Any) -> None:
        if isinstance(value, str):
            parse_duration(value)


def _number(default: Any, **bounds: float) -> Any:
    return field(default=default, metadata={"check": Bounds(**bounds)})


def _duration(default: str | None) -> Any:
    return field(default=default, metadata={"check": _DurationForm()})


_RATE: Mapping[str, Any] = {"check": RateForm()}
_MONEY: Mapping[str, Any] = {"check": Bounds(least=0, most=1_000_000)}
_COUNT = 10**9


@frozen(kw_only=True)
class Latency:
    """``{ median = 0.5, p99 = 2.0 }``: seconds, lognormal; without *p99* always the median."""

    median: float = field(metadata={"check": Bounds(above=0, most=86_400)})
    p99: float | None = _number(None, above=0, most=86_400)

    def sample(self, chance: float) -> float:
        """The seconds below which the share *chance* of all lies."""
        if self.p99 is None or self.p99 == self.median:
            return self.median
        sigma = math.log(self.p99 / self.median) / _P99
        return self.median * math.exp(sigma * _NORMAL.inv_cdf(chance))


@frozen(kw_only=True)
class Price:
    """``price = { input = 3, output = 15 }``: US dollars for a million tokens."""

    input: Decimal = field(metadata=_MONEY)
    output: Decimal = field(metadata=_MONEY)


@frozen(kw_only=True)
class ServiceLimits:
    """``[backends.NAME.limits]``: what the service allows each key; what is beyond it gets a 429.

    *requests* and *tokens* are rates, ``"100/minute"``; the refusal says in how many
    seconds there is room. *concurrency* is how many calls it works on at once.
    """

    requests: str | None = field(default=None, metadata=_RATE)
    tokens: str | None = field(default=None, metadata=_RATE)
    concurrency: int | None = _number(None, least=1, most=_COUNT)


@frozen(kw_only=True)
class Outage:
    """``[[backends.NAME.outages]]``: the service fails from *start*, for *duration* or to the end.

    *share* of the calls that arrive then fail, as *kind* says: ``timeout`` answers
    nothing, ``slow`` takes *factor* times as long, all others fail *after* so many
    seconds, perhaps with *retry_after*. With *key*, only the first, second … key of the
    provider is meant.
    """

    start: str = _duration("0s")
    duration: str | None = _duration(None)
    kind: OutageKind = "server"
    share: float = _number(1.0, above=0, most=1)
    after: float = _number(0.1, least=0, most=86_400)
    factor: float = _number(5.0, above=0, most=1000)
    retry_after: float | None = _number(None, least=0, most=86_400)
    key: int | None = _number(None, least=1, most=1000)

    @property
    def window(self) -> tuple[float, float]:
        """From when until when, in seconds of the simulation."""
        start = parse_duration(self.start)
        end = math.inf if self.duration is None else start + parse_duration(self.duration)
        return start, end


@frozen(kw_only=True)
class ModelSettings:
    """``[backends.NAME.models."MODEL"]``: what one model has of its own."""

    first: Latency | None = None
    token: Latency | None = None
    price: Price | None = None


@frozen(kw_only=True)
class BackendSettings:
    """``[backends.NAME]``: how the service behind ``[providers.NAME]`` of the routes behaves.

    *first* is how long an answer takes to begin, *token* how long each token of it
    takes. On more than *capacity* calls at once it works more slowly, in proportion.
    The share *failure_rate* of calls fails as *failure* says, the share *break_rate* of answers
    breaks in the middle. *prefill*: it can go on with an answer that broke elsewhere. Without
    *price* its costs are unknown. *models* have some of these of their own.
    """

    first: Latency = Latency(median=0.5, p99=2.0)
    token: Latency = Latency(median=0.02, p99=0.05)
    capacity: int | None = _number(None, least=1, most=_COUNT)
    limits: ServiceLimits = ServiceLimits()
    failure_rate: float = _number(0.0, least=0, most=1)
    failure: ErrorKind = "server"
    break_rate: float = _number(0.0, least=0, most=1)
    prefill: bool = False
    price: Price | None = None
    outages: tuple[Outage, ...] = ()
    models: Mapping[str, ModelSettings] = field(factory=dict)


@frozen(kw_only=True)
class Scenario:
    """A whole scenario file: *backends* by the names of the providers that they stand for."""

    backends: Mapping[str, BackendSettings] = field(factory=dict)


def read_scenario(path: str | os.PathLike[str]) -> Scenario:
    """The scenario in the file at *path*, TOML or JSON.

    Raises:
        ConfigError: with one issue for every mistake: file, line, what, and how to mend it.
    """
    file = Path(path).expanduser()
    return _read(open_document(file, None, "name a scenario"), f"{file} has problems:")


def load_scenario(tables: Mapping[str, Any]) -> Scenario:
    """As `read_scenario`, for data from code.

    Raises:
        ConfigError: with one issue for every mistake.
    """
    return _read(Document(tables=tables), "the scenario has problems:")


def _read(document: Document, problem: str) -> Scenario:
    found: Issues = []
    known = known_settings(Scenario, document.tables, "", None, found)
    wrong, more = {issue.path for issue in found}, list[ConfigIssue]()
    scenario = structure(Scenario, known, more)
    found += [issue for issue in more if issue.path not in wrong]
    if scenario is not None:
        found += _rules(scenario)
    found.sort(key=document.line)
    issues = [*document.issues, *map(document.located, found)]
    if scenario is None or issues:
        raise ConfigError(problem, issues)
    return scenario


def _rules(scenario: Scenario) -> Iterator[ConfigIssue]:
    """What is wrong beyond types: no percentile is below the median."""
    for name, backend in scenario.backends.items():
        path = f"backends[{name!r}]"
        tables: dict[str, BackendSettings | ModelSettings] = {path: backend}
        tables |= {f"{path}.models[{model!r}]": own for model, own in backend.models.items()}
        for place, table in tables.items():
            for part in ("first", "token"):
                latency = getattr(table, part)
                if latency and latency.p99 is not None and latency.p99 < latency.median:
                    yield ConfigIssue(f"{place}.{part}.p99", "is below the median", "give more")
