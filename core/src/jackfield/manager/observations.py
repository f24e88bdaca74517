"""What is seen of a provider, and what follows from it: states and incidents, without I/O."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import define, evolve, field, frozen

from ..errors import (
    AuthenticationError,
    ConfigError,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    StreamInterruptedError,
    TransportError,
    UnsupportedOperationError,
)
from .settings import HealthSettings

MOST = 1000
"""So many observations of a provider are kept, and so many incidents that are over."""

DEGRADED_BELOW = 0.9
"""A provider that answers is degraded while a smaller share of its attempts succeeded."""

_LOCAL = frozenset({"limit", "guardrail", "build", "config"})
_LONGEST = 300


class State(StrEnum):
    """How a provider stands; ``unknown`` means that nothing was seen of it lately."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNAUTHORIZED = "unauthorized"
    LIMITED = "limited"
    UNKNOWN = "unknown"


class Finding(StrEnum):
    """What one attempt shows: success, or the cause of its failure."""

    OK = "ok"
    DOWN = "down"
    UNAUTHORIZED = "unauthorized"
    LIMITED = "limited"


CAUSES = (Finding.DOWN, Finding.UNAUTHORIZED, Finding.LIMITED)


def find(error: LLMError, *, probe: bool = False) -> Finding | None:
    """What *error* shows of the backend; None for what is the caller's fault or our own refusal.

    A refused key (401, 402, 403) is no outage, and neither is a limit (429). At a
    *probe* a configuration that cannot be used counts as a refused key.
    """
    if isinstance(error, StreamInterruptedError):
        cause = error.__cause__
        return find(cause) if isinstance(cause, LLMError) else Finding.DOWN
    if probe and isinstance(error, ConfigError):
        return Finding.UNAUTHORIZED
    if error.phase in _LOCAL or isinstance(error, ConfigError | UnsupportedOperationError):
        return None
    if isinstance(error, AuthenticationError | PermissionDeniedError | QuotaExceededError):
        return Finding.UNAUTHORIZED
    if isinstance(error, RateLimitError):
        return Finding.LIMITED
    if isinstance(error, InvalidRequestError | NotFoundError):
        return None
    if isinstance(error, TransportError) and error.code == "pool":
        return None  # our own connections are all busy
    return Finding.DOWN


@frozen(kw_only=True)
class Observation:
    """The end of one attempt, or of a probe; *latency* and *first* (event) are seconds."""

    provider: str
    at: datetime
    finding: Finding
    model: str = ""
    error: str = ""
    latency: float | None = None
    first: float | None = None
    probe: bool = False


def describe(error: LLMError) -> str:
    """*error*'s class and message on one line, at most 300 characters."""
    said = f"{type(error).__name__}: {error.message}"
    return " ".join(said.split())[:_LONGEST]


@frozen(kw_only=True)
class Incident:
    """A time of failing with one *cause*: from its first failure until successes ended it.

    *observations* counts the failures with this cause. *closed* is None while it is open.
    """

    id: str
    provider: str
    cause: Finding
    opened: datetime
    closed: datetime | None = None
    observations: int = 0
    last_error: str = ""


@frozen(kw_only=True)
class Latency:
    """Percentiles in seconds, of attempts that succeeded; None where there were none."""

    p50: float | None = None
    p95: float | None = None


@frozen(kw_only=True)
class HealthStatus:
    """How a provider stands. It is true if the provider is healthy, or nothing is known of it.

    *success_rate* (limits left out), *latency* and *first_event* are of the last
    window; *models* are those whose state differs; *model_count* is how many the last
    probe listed; *incidents* are the open ones.
    """

    provider: str
    state: State = State.UNKNOWN
    success_rate: float | None = None
    latency: Latency = field(factory=Latency)
    first_event: Latency = field(factory=Latency)
    observations: int = 0
    seen: datetime | None = None
    last_error: str = ""
    models: Mapping[str, State] = field(factory=dict)
    model_count: int | None = None
    incidents: tuple[Incident, ...] = ()

    def __bool__(self) -> bool:
        return self.state in {State.HEALTHY, State.UNKNOWN}


def percentile(values: Collection[float], share: float) -> float | None:
    """The smallest of *values* that at least *share* of them do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]


def latency(values: Iterable[float | None]) -> Latency:
    """The percentiles of *values*, as far as they were measured."""
    known = [value for value in values if value is not None]
    return Latency(p50=percentile(known, 0.5), p95=percentile(known, 0.95))


def success_rate(seen: Collection[Observation]) -> float | None:
    """The share of successes; being limited is neither success nor failure."""
    counted = [o for o in seen if o.finding is not Finding.LIMITED]
    return sum(o.finding is Finding.OK for o in counted) / len(counted) if counted else None


def state_of(seen: Sequence[Observation], causes: Collection[Finding] = ()) -> State:
    """The state that *seen*, in its order, amounts to, while incidents with *causes* are open."""
    if not seen:
        return State(min(causes, key=CAUSES.index)) if causes else State.UNKNOWN
    last = seen[-1].finding
    if last is Finding.OK:
        rate = success_rate(seen) or 0.0
        return State.DEGRADED if causes or rate < DEGRADED_BELOW else State.HEALTHY
    alone = not any(o.finding is Finding.OK for o in seen)
    if alone or causes or last is Finding.LIMITED:
        return State(last)
    return State.DEGRADED


@define
class Record:
    """What is known of one provider; folds observations in their order.

    An incident opens with the n-th failure of a cause since the last success, and
    successes in a row close all. Not guarded: its owner has a lock.
    """

    provider: str
    settings: HealthSettings
    window: deque[Observation] = field(factory=lambda: deque(maxlen=MOST))
    open: dict[Finding, Incident] = field(factory=dict)
    grown: dict[str, Incident] = field(factory=dict)
    """Open ones with more failures than were written down, by their ids."""
    model_count: int | None = None
    last_error: str = ""
    _streaks: dict[Finding, tuple[int, datetime]] = field(factory=dict)
    _successes: int = 0

    def observe(self, seen: Observation) -> list[Incident]:
        """Take *seen* in; the incidents that it opened or closed."""
        self.window.append(seen)
        if seen.finding is Finding.OK:
            return self._succeeded(seen.at)
        self._successes = 0
        self.last_error = seen.error or self.last_error
        return self._failed(seen.finding, seen)

    def _succeeded(self, at: datetime) -> list[Incident]:
        self._streaks.clear()
        self._successes += 1
        if not self.open or self._successes < self.settings.successes:
            return []
        closed = [evolve(i, closed=max(i.opened, at)) for i in self.open.values()]
        self.open.clear()
        return closed

    def _failed(self, cause: Finding, seen: Observation) -> list[Incident]:
        if (known := self.open.get(cause)) is not None:
            count = known.observations + 1
            self.open[cause] = evolve(known, observations=count, last_error=seen.error)
            self.grown[known.id] = self.open[cause]
            return []
        count, began = self._streaks.get(cause, (0, seen.at))
        self._streaks[cause] = (count + 1, began)
        if count + 1 < self.settings.failures:
            return []
        del self._streaks[cause]
        self.open[cause] = Incident(
            id=uuid.uuid4().hex[:12],
            provider=self.provider,
            cause=cause,
            opened=began,
            observations=count + 1,
            last_error=seen.error,
        )
        return [self.open[cause]]

    def restore(self, checks: Iterable[Observation], incidents: Iterable[Incident]) -> None:
        """Go on from an earlier process: its last *checks* in their order, and open *incidents*."""
        for check in checks:
            self.observe(check)
        self.open = {incident.cause: incident for incident in incidents}

    def status(self, now: datetime) -> HealthStatus:
        """How the provider stands, by what was seen in the window that ends *now*."""
        since = now - timedelta(seconds=self.settings.window)
        recent = [o for o in self.window if o.at > since]
        state = state_of(recent, self.open)
        by_model: dict[str, list[Observation]] = {}
        for seen in recent:
            by_model.setdefault(seen.model, []).append(seen)
        states = {model: state_of(some) for model, some in by_model.items() if model}
        fine = [o for o in recent if o.finding is Finding.OK]
        return HealthStatus(
            provider=self.provider,
            state=state,
            success_rate=success_rate(recent),
            latency=latency(o.latency for o in fine),
            first_event=latency(o.first for o in fine),
            observations=len(recent),
            seen=self.window[-1].at if self.window else None,
            last_error=self.last_error,
            models={model: found for model, found in states.items() if found is not state},
            model_count=self.model_count,
            incidents=tuple(self.open.values()),
        )
