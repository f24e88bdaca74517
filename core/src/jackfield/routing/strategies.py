"""How a balancing route chooses among its targets: small classes, found by their names."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..errors import ConfigError
from ..requests import Request
from ..types import ConfigIssue
from .targets import Candidate


class Strategy(Protocol):
    """Chooses a target for each call. A route has one of its own, and asks it under its lock."""

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """One of *candidates*, of which there is at least one; *chance* is a number in [0, 1)."""
        ...


class RoundRobin:
    """Each in its turn."""

    def __init__(self) -> None:
        self._last = -1

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """The next in the order of the targets."""
        following = [c for c in candidates if c.index > self._last]
        chosen = min(following or candidates, key=lambda c: c.index)
        self._last = chosen.index
        return chosen


class Weighted:
    """Each as often as its weight says, as evenly spread as that can be (smooth round robin)."""

    def __init__(self) -> None:
        self._credit: dict[int, float] = {}

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """The one that its weight has earned the most."""
        credit = self._credit
        for candidate in candidates:
            earned = credit.get(candidate.index, 0.0) + candidate.weight
            credit[candidate.index] = earned
        chosen = max(candidates, key=lambda c: (credit[c.index], -c.index))
        credit[chosen.index] -= sum(c.weight for c in candidates)
        return chosen


class LeastLatency:
    """The one whose answer would be there first; who was not measured lately comes first."""

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """The least of: seconds to the first event, and for the tokens that may be asked for."""
        limit = getattr(getattr(request, "params", None), "max_tokens", None)
        tokens = min(limit or 200, 1000)

        def seconds(candidate: Candidate) -> float:
            if candidate.first_event is None:
                return -1.0 if candidate.occupancy == 0 else math.inf  # one measures, others wait
            return candidate.first_event + tokens * (candidate.per_token or 0.0)

        return min(candidates, key=lambda c: (seconds(c), c.occupancy, c.index))


class LeastBusy:
    """The one with the fewest calls on their way, for its weight."""

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """The least occupied; among equals the least recently used."""
        return min(candidates, key=lambda c: (c.occupancy / c.weight, _rested(c), c.index))


class LeastRecentlyUsed:
    """The one that has rested the longest."""

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """The least recently used; who was never used comes first."""
        return min(candidates, key=lambda c: (_rested(c), c.occupancy, c.index))


class Cheapest:
    """The one where this call costs least; who has no known price comes last."""

    priced = True
    """Candidates are to come with their cost, which takes time to estimate."""

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """The least estimated cost; among equals the least busy."""
        return min(
            candidates,
            key=lambda c: (c.cost is None, c.cost or 0, c.occupancy / c.weight, c.index),
        )


class RandomTwo:
    """The less busy of two that chance picks: as good as the least busy, without a herd."""

    def choose(
        self, candidates: Sequence[Candidate], request: Request[Any], chance: float
    ) -> Candidate:
        """The less busy of two; the only one, if it is."""
        count = len(candidates)
        if count == 1:
            return candidates[0]
        first, second = divmod(int(chance * count * (count - 1)), count - 1)
        pair = candidates[first], candidates[second + (second >= first)]
        return min(pair, key=lambda c: (c.occupancy / c.weight, c.index != pair[0].index))


def _rested(candidate: Candidate) -> float:
    return -math.inf if candidate.last_used is None else candidate.last_used


STRATEGIES: Mapping[str, Callable[[], Strategy]] = {
    "round_robin": RoundRobin,
    "weighted": Weighted,
    "least_latency": LeastLatency,
    "least_busy": LeastBusy,
    "least_recently_used": LeastRecentlyUsed,
    "cheapest": Cheapest,
    "random_two": RandomTwo,
}


def make_strategy(name: str) -> Strategy:
    """The strategy *name*, ours or an installed one.

    Raises:
        ConfigError: there is none of that name, or it cannot be made.
    """
    if name in STRATEGIES:
        return STRATEGIES[name]()
    from ..manifests import admitted, entries

    found = entries("strategies")
    if name not in found:
        names = [*STRATEGIES, *found]
        near = difflib.get_close_matches(name, names, 1)
        fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        issue = ConfigIssue("strategy", f"there is no {name!r}", fix)
        raise ConfigError("the route cannot be made:", [issue])
    try:
        made = admitted(found[name], "strategies")()
        choose = made.choose
    except Exception as error:
        issue = ConfigIssue("strategy", f"{name} cannot be loaded: {error}", "reinstall it")
        raise ConfigError("the route cannot be made:", [issue]) from error
    assert callable(choose)
    strategy: Strategy = made
    return strategy
