"""A sliding window: at most so much in any stretch of time, and when more will fit."""

from __future__ import annotations

from collections import deque

from .rates import Rate

FINEST = 1024
"""Once so many starts are remembered, those within such a fraction of the window become one."""

SLACK = 1e-6
"""Seconds on top of a window, so that no rounding of a clock makes it shorter."""


class Entry:
    """Part of a window that is taken: by one start, or by several that count as the last of them."""

    __slots__ = ("amount", "at", "first", "home")

    def __init__(self, amount: int) -> None:
        self.amount = amount
        self.at = self.first = 0.0
        self.home: Entry | None = self
        """Where the amount counts now; None once it no longer does."""


class Window:
    """At most ``rate.amount`` in every half-open stretch of ``rate.seconds``.

    What is taken is *pending*, and counts, until it starts; a start counts for
    ``rate.seconds``. Starts come in the order of time. At most ``2 * FINEST + 1``
    are remembered: above `FINEST`, starts less than a thousandth of the window
    apart count as the last of them, which only delays what follows.
    """

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.used = 0
        self._log: deque[Entry] = deque()

    def expire(self, now: float) -> None:
        """Forget what no longer counts at *now*."""
        log, limit = self._log, now - self.rate.seconds - SLACK / 2
        while log and log[0].at <= limit:
            entry = log.popleft()
            self.used -= entry.amount
            entry.home = None

    def counted(self, now: float) -> int:
        """What is taken at *now*; nothing changes."""
        limit = now - self.rate.seconds
        return self.used - sum(e.amount for e in self._log if e.at <= limit)

    def when(self, amount: int, now: float) -> float:
        """The earliest time at which *amount* more has started, if nothing else does.

        More than the rate's takes several windows; then it is a lower bound.
        """
        self.expire(now)
        rounds, rest = divmod(amount - 1, self.rate.amount)
        excess, at = self.used + rest + 1 - self.rate.amount, now
        for entry in self._log:
            if excess <= 0:
                break
            excess -= entry.amount
            at = entry.at + self.rate.seconds + SLACK
        if excess > 0:  # held by what is pending: it starts now at the earliest
            at = now + self.rate.seconds + SLACK
        return at + rounds * (self.rate.seconds + SLACK)

    def take(self, amount: int) -> Entry:
        """Take *amount*, whether there is room or not; it is pending."""
        self.used += amount
        return Entry(amount)

    def start(self, entry: Entry, now: float) -> None:
        """Let the pending *entry* start."""
        log = self._log
        last = log[-1] if len(log) >= FINEST else None
        if last is not None and now - last.first < self.rate.seconds / FINEST:
            last.amount += entry.amount
            last.at, entry.home = now, last
            return
        entry.at = entry.first = now
        log.append(entry)

    def give_back(self, entry: Entry, amount: int) -> None:
        """Have *amount* of *entry* count no longer."""
        home = entry.home
        if home is not None and home.home is home:
            home.amount -= amount
            self.used -= amount
