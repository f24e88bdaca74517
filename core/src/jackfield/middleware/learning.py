"""What the answers of a provider tell about its own limits, and obeying it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ..failures import duration, spent
from .rates import LONGEST

CAP = 60.0
"""Seconds for which a reset is obeyed: it says when a limit is whole again, and most refill steadily."""


INF = float("inf")


@frozen
class Told:
    """For so many *seconds*, *left* further requests are taken."""

    left: int
    seconds: float


def read_headers(headers: Mapping[str, str]) -> Told | None:
    """What the rate-limit *headers* of an answer tell; names are in lower case.

    Requests or tokens of which nothing is left count until their reset. What
    services say in ``retry-after`` beside a good answer is not meant.
    """
    if (seconds := spent(headers)) is not None:
        return Told(0, min(seconds, CAP))
    told = [t for name in headers if (t := _requests(name, headers)) is not None]
    return min(told, key=lambda t: t.left, default=None)


def _requests(name: str, headers: Mapping[str, str]) -> Told | None:
    """What the header *name* tells, if it counts requests and a reset belongs to it."""
    if "ratelimit" not in name or "remaining" not in name:
        return None
    if not (name.endswith("remaining") or "requests" in name) or "tokens" in name:
        return None
    left, reset = headers[name].strip(), headers.get(name.replace("remaining", "reset"))
    if reset is None or not left.isdecimal() or len(left) > 18:
        return None
    seconds = duration(reset, headers)
    return None if seconds is None else Told(int(left), min(seconds, CAP))


class Hold:
    """What is left of a provider's own limit for one model, as far as its answers told.

    Until ``until`` at most ``left`` calls start. Where nothing was left, one call
    goes first when that time is over: the others follow when it was answered, or
    when it has been on its way as long again.
    """

    __slots__ = ("_before", "_newest", "_pause", "_probe", "flying", "left", "until")

    def __init__(self) -> None:
        self.until, self.left = 0.0, INF
        self.flying = 0
        """Calls on their way without an answer."""
        self._pause, self._probe = 0.0, 0
        self._newest = self._before = 0
        """The last call that started, and the last one before the pause."""

    def when(self, now: float) -> float:
        """The time from which on a call may start."""
        if now >= self.until and not self._pause:
            self.left = INF
        return now if self.left > 0 or now >= self.until else self.until

    def start(self, number: int, now: float) -> None:
        """The call *number* starts."""
        self.flying, self._newest = self.flying + 1, number
        if self.left > 0:
            self.left -= 1
        else:
            self.until, self._probe = now + self._pause, number

    def cancel(self, number: int) -> None:
        """The call *number* does not start after all."""
        if number == self._probe:
            self.until = 0.0
        elif number > self._before:
            self.left += 1

    def answer(self, number: int, told: Told | None, now: float) -> None:
        """The call *number* was taken; its answer *told* something or nothing."""
        probe = number == self._probe
        if told is None or not told.seconds:
            if probe:
                self._pause, self.left = 0.0, INF
        elif not told.left:
            self.pause(told.seconds, now)
        elif probe or not self._pause or now >= self.until:
            # Whether the calls on their way were counted already is unknown: they are, once more.
            self._pause, self.until = 0.0, now + told.seconds
            self.left = told.left - self.flying

    def pause(self, seconds: float, now: float) -> None:
        """Nothing is left for so many *seconds*."""
        before = self.until if self._pause else 0.0
        self._before, self._probe = self._newest, 0  # what those who started before took is void
        self._pause, self.left = min(seconds, LONGEST), 0
        self.until = max(before, now + self._pause)

    def blank(self, now: float) -> bool:
        """Whether there is nothing to remember."""
        return not self.flying and self.when(now) <= now and self.left == INF
