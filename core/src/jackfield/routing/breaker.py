"""The circuit breaker: when a target is left alone, and when it is tried again."""

from __future__ import annotations

from collections import deque

from attrs import frozen

from ..manager.settings import BreakerSettings


@frozen(eq=False)
class Permit:
    """A call that passed a breaker: when, and whether it is the one that probes."""

    at: float
    probe: bool


class Breaker:
    """Counts one target's failures; the times are of a driver's clock, in seconds.

    Closed, it lets every call pass. Open, none, until its cooldown is over; then
    one call probes the target (half-open): its success closes the breaker, its
    failure opens it again for twice as long. Not thread-safe: the route's lock guards it.
    """

    def __init__(self, settings: BreakerSettings | None = None) -> None:
        self.settings = settings or BreakerSettings()
        self.streak = 0
        """Failures in a row."""
        self.opened: float | None = None
        """Since when it is open."""
        self.times = 0
        """How often it opened, ever."""
        self._openings = 0
        self._probe: Permit | None = None
        self._recent: deque[tuple[float, bool]] = deque()
        self._failed = 0
        """How many of the recent ones failed."""

    @property
    def until(self) -> float:
        """When an open breaker lets a probe pass."""
        settings = self.settings
        assert self.opened is not None
        doubled = settings.cooldown * 2.0 ** min(self._openings - 1, 30)
        return self.opened + min(doubled, max(settings.longest, settings.cooldown))

    def blocks(self, now: float) -> bool:
        """Whether a call may not pass now."""
        return self.opened is not None and (self._probe is not None or now < self.until)

    def enter(self, now: float) -> Permit:
        """Note that a call passes, whether or not the breaker would have blocked it."""
        permit = Permit(now, self.opened is not None and not self.blocks(now))
        if permit.probe:
            self._probe = permit
        return permit

    def leave(self, permit: Permit, now: float, failed: bool) -> None:
        """Note how a call ended; not at all where that says nothing about the target."""
        self.streak = self.streak + 1 if failed else 0
        self._note(now, failed)
        if self.opened is None:
            if failed and self._tripped():
                self._open(now)
        elif permit.probe and failed:
            self._open(now)
        elif not failed and permit.at > self.opened:
            self.opened, self._openings = None, 0
            self._recent.clear()
            self._failed = 0

    def release(self, permit: Permit) -> None:
        """Note that a call is over or has begun to be answered: another may probe."""
        if self._probe is permit:
            self._probe = None

    def _open(self, now: float) -> None:
        self.opened, self._openings, self.times = now, self._openings + 1, self.times + 1

    def _note(self, now: float, failed: bool) -> None:
        recent, window = self._recent, self.settings.window
        recent.append((now, failed))
        self._failed += failed
        while recent[0][0] <= now - window:
            self._failed -= recent.popleft()[1]

    def _tripped(self) -> bool:
        settings = self.settings
        if self.streak >= settings.failures:
            return True
        count = len(self._recent)
        return count >= settings.minimum and self._failed >= settings.rate * count
