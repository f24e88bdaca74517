"""Rates as people write them, ``"100/minute"``, and what is wrong with limits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from ..manager.settings import LimitSettings
from ..types import ConfigIssue

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_SHORT = {"s": "second", "sec": "second", "min": "minute", "m": "minute", "h": "hour", "d": "day"}
_RATE = re.compile(r"\s*([0-9]+(?:_[0-9]+)*)\s*/\s*([a-z]+)\s*")
_FORM = 'write a whole number per second, minute, hour or day, such as "100/minute"'

MOST = 10**12
"""The largest amount of a rate."""

LONGEST = 86400.0
"""Seconds that a call may be told to wait for its turn."""


@frozen
class Rate:
    """At most *amount* in any *seconds*."""

    amount: int
    seconds: int

    def __str__(self) -> str:
        unit = next(u for u, seconds in _SECONDS.items() if seconds == self.seconds)
        return f"{self.amount}/{unit}"


def parse_rate(text: Any) -> Rate:
    """The rate that *text* says: ``"100/minute"``; s, sec, m, min, h and d are short for units.

    Raises:
        ValueError: it says none; the message reads on from a field's name, and says how to mend it.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise ValueError(f"must have a unit, not {text!r}: {_FORM}")
    if not isinstance(text, str):
        raise ValueError(f"must be text, not {type(text).__name__}: {_FORM}")
    if (found := _RATE.fullmatch(text)) is None:
        raise ValueError(f"must be a rate, not {text[:40]!r}: {_FORM}")
    digits, unit = found[1].replace("_", ""), _SHORT.get(found[2], found[2])
    if unit not in _SECONDS:
        raise ValueError(f"has the unknown unit {found[2][:20]!r}: {_FORM}")
    amount = int(digits[:20])
    if not 1 <= amount <= MOST:
        raise ValueError(f"must be from 1 to {MOST} in its unit, not {digits[:20]}: {_FORM}")
    return Rate(amount, _SECONDS[unit])


def limit_issues(path: str, limits: LimitSettings, *, models: bool = True) -> Iterator[ConfigIssue]:
    """What is wrong with *limits*, which stand at *path*; a provider's alone may have *models*."""
    for name in ("requests", "tokens"):
        if (given := getattr(limits, name)) is not None:
            try:
                parse_rate(given)
            except ValueError as error:
                problem, _, fix = str(error).partition(": ")
                yield ConfigIssue(f"{path}.{name}", problem, fix)
    if limits.concurrency is not None and not _whole(limits.concurrency):
        problem = f"must be a whole number from 1 on, not {limits.concurrency!r}"
        yield ConfigIssue(f"{path}.concurrency", problem, "leave it out for no limit")
    if not _number(limits.wait) or not 0 <= limits.wait <= LONGEST:
        problem = f"must be from 0 to {LONGEST:.0f} seconds, not {limits.wait!r}"
        yield ConfigIssue(f"{path}.wait", problem, "write 0 to fail at once")
    if limits.models and not models:
        fix = 'write [providers.NAME.limits.models."MODEL"]'
        yield ConfigIssue(f"{path}.models", "stands under a provider's limits", fix)
        return
    for name, inner in limits.models.items():
        yield from limit_issues(f'{path}.models."{name}"', inner, models=False)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
