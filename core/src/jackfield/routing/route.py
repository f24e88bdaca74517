"""A provider made of providers: asks one target after the other, within one retry budget."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypeVar, cast

from attrs import evolve, field, frozen

from ..config import Config
from ..errors import ConfigError, LLMError
from ..flow import NOW, Flow
from ..flow import now as read_clock
from ..manager.settings import BreakerSettings, StreamContract
from ..provider import Explanation, LLMProvider
from ..requests import ChatRequest, ModelListRequest, Request, TokenCountRequest
from ..retrying import Budget
from ..types import ConfigIssue, ModelInfo
from .breaker import Permit
from .targets import RouteTarget, TargetState, out
from .trip import Trip
from .verdicts import Verdict

R = TypeVar("R")

DEAD_SECONDS = 300.0
"""How long a target whose key was refused is asked last."""


@frozen(kw_only=True)
class RouteConfig(Config):
    """What every route is told.

    *targets* are `RouteTarget`s or providers. *stream* says what happens when a
    stream breaks: ``never`` (a streamed call is tried once), ``before_first_token``
    (others are asked while nothing was delivered), ``restart_marked`` (they are
    asked, and a `StreamRestart` tells the consumer), ``continue_prefix`` (a target
    that can goes on with what was delivered). *dead_key*: a refused key fails the
    call, or passes it on. *retry* is the budget of the whole call.
    """

    targets: tuple[Any, ...] = field(default=(), metadata={"literal": True})
    stream: StreamContract = "before_first_token"
    dead_key: Literal["fail", "fail_over"] = "fail"
    breaker: BreakerSettings = field(factory=BreakerSettings)


@frozen(kw_only=True)
class Considered:
    """A target of a route, whether it would be asked, why, and with what."""

    target: str
    model: str
    kept: bool
    reason: str
    explanation: Explanation | None = None


@frozen(kw_only=True)
class RouteExplanation(Explanation):
    """What the first target would be sent, and who else was *considered*, in order."""

    considered: tuple[Considered, ...] = ()


class Route(LLMProvider):
    """Base of the routes; derived classes say who comes next."""

    Config: ClassVar[type[Any]] = RouteConfig
    passes_on: ClassVar[frozenset[Verdict]] = frozenset(Verdict) - {
        Verdict.STOP,
        Verdict.DEAD_KEY,
        Verdict.NO_MODEL,
    }
    """After which failures the next target is asked at once."""

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config, **options)
        self.targets = _parse_targets(self.name, self.config.targets)
        self._states = [TargetState(t, i, self.config.breaker) for i, t in enumerate(self.targets)]
        self._lock = threading.RLock()  # a call that is collected while it is held is released
        self.quota = self._quota
        if self.config.dead_key == "fail_over":
            self._passes = self.passes_on | {Verdict.DEAD_KEY}
        else:
            self._passes = self.passes_on

    @classmethod
    def of(cls, *targets: RouteTarget | LLMProvider, **config: Any) -> Self:
        """A route over *targets*; further words are its configuration's."""
        name = config.pop("name", None)
        return cls({"targets": targets, **config}, name=name)

    @property
    def operations(self) -> frozenset[type[Request[Any]]]:
        """What any of the targets can do, and to list their models."""
        every = (t.provider.operations for t in self.targets)
        return frozenset({ModelListRequest}).union(*every)

    @property
    def leaves(self) -> int:
        """How many targets there are, those of routes inside counted one by one."""
        providers = (t.provider for t in self.targets)
        return sum(p.leaves if isinstance(p, Route) else 1 for p in providers)

    def choose(
        self, free: Sequence[TargetState], request: Request[Any], now: float, chance: float
    ) -> TargetState:
        """Who of *free*, in the order of the targets, is to be asked; called under the route's lock."""
        return free[0]

    # The call.

    def attempts(self, request: Request[R], stream: bool, budget: Budget | None) -> Flow[R]:
        """*request*, by one target after the other; the outermost route's budget is everybody's."""
        started = yield NOW
        if isinstance(request, ModelListRequest):
            return cast("R", (yield from self._models(request)))
        timeout = request.timeout or self.config.timeout
        if budget is None:
            tries = self.config.retry.attempts - 1 + self.leaves
            budget, owner = Budget(tries, started + timeout.total), True
        else:
            owner = False
        trip = Trip(self, request, stream, budget, owner)
        return cast("R", (yield from trip.go()))

    def _models(self, request: ModelListRequest) -> Flow[Sequence[ModelInfo]]:
        """The models that the targets were given; where one was not, all that its provider has."""
        found: dict[str, ModelInfo] = {}
        failure: LLMError | None = None
        for target in self.targets:
            if target.model is not None:
                models: Sequence[ModelInfo] = [ModelInfo(id=target.model)]
            else:
                try:
                    models = yield from target.provider.call(request)
                except LLMError as error:
                    failure, models = error, ()
            for model in models:
                found.setdefault(model.id, model)
        if failure is not None and not found:
            raise failure
        return list(found.values())

    # The targets' state: each of these holds the lock.

    def enter(
        self,
        request: Request[Any],
        tried: Mapping[int, LLMError],
        now: float,
        chance: float,
        well: bool = False,
    ) -> tuple[TargetState, Permit] | None:
        """The next target, one whose last call went *well*, and its permit; None where none may be asked."""
        with self._lock:
            able = [s for s in self._states if s.index not in tried and _can(s, request)]
            if well:
                able = [s for s in able if not s.breaker.streak]
            shut = out(self._states, now)
            free = [s for s in able if s.index not in shut and s.cooling <= now]
            free = [s for s in free if s.dead_until <= now] or free
            if not free:
                return None
            chosen = self.choose(free, request, now, chance)
            chosen.occupancy += 1
            chosen.last_used = now
            return chosen, chosen.breaker.enter(now)

    def succeeded(
        self, state: TargetState, permit: Permit, times: tuple[float, float, float], tokens: Any
    ) -> None:
        """Note that a target answered: when it was asked, began and ended, and with how many tokens."""
        started, first, ended = times
        with self._lock:
            state.breaker.leave(permit, ended, failed=False)
            state.limited, state.dead_until = 0, float("-inf")
            state.measured(first - started, ended - first, tokens)

    def failed(
        self,
        state: TargetState,
        permit: Permit,
        now: float,
        verdict: Verdict,
        hint: float | None,
    ) -> None:
        """Note that a target failed; *hint* is for how many seconds it asks to be left alone."""
        with self._lock:
            if verdict in (Verdict.RETRY, Verdict.FAIL_OVER):
                state.breaker.leave(permit, now, failed=True)
            elif verdict in (Verdict.STOP, Verdict.DEAD_KEY, Verdict.NO_MODEL):  # it is not down
                state.breaker.leave(permit, now, failed=False)
            if verdict is Verdict.LIMITED:
                state.cool(now, hint)
            elif verdict in (Verdict.DEAD_KEY, Verdict.NO_MONEY) and self.passes(verdict):
                state.dead_until = now + DEAD_SECONDS

    def release(self, state: TargetState, permit: Permit) -> None:
        """Note that a target's call is over, whatever came of it."""
        with self._lock:
            state.occupancy -= 1
            state.breaker.release(permit)

    def available_in(
        self, request: Request[Any], over: Collection[int], now: float
    ) -> float | None:
        """Seconds until a target that is not *over* may be asked; None if there is none."""
        with self._lock:
            shut = out(self._states, now)
            times = [
                max(s.cooling, s.breaker.until if s.index in shut else now)
                for s in self._states
                if s.index not in over and _can(s, request)
            ]
        return min(times) - now if times else None

    def passes(self, verdict: Verdict) -> bool:
        """Whether the next target is asked after a failure of this kind."""
        return verdict in self._passes

    # What can be told without calling.

    def check_config(self) -> Sequence[ConfigIssue]:
        """What is wrong with its targets, where none of them can be asked."""
        each = [(t.name, t.provider.check_config()) for t in self.targets]
        if not all(issues for _, issues in each):
            return ()
        return [evolve(i, path=f"{name}: {i.path}") for name, issues in each for i in issues]

    def preview(self, request: Request[Any]) -> Explanation:
        """What would be sent to whom, and why; a `RouteExplanation`."""
        now = self._driver.run(read_clock())
        with self._lock:
            shut = out(self._states, now)
            order = self._order(request, now)
        considered = tuple(
            _considered(s, request, _reason(s, request, now, s.index in shut)) for s in order
        )
        first = next((c.explanation for c in considered if c.kept and c.explanation), None)
        shown = first or Explanation(provider=self.name, model=request.model)
        return shown.told_as(RouteExplanation, considered=considered)

    def _order(self, request: Request[Any], now: float) -> list[TargetState]:
        """All targets, who would be asked first first."""
        return list(self._states)


def _parse_targets(name: str, given: Sequence[Any]) -> tuple[RouteTarget, ...]:
    """*given* as targets.

    Raises:
        ConfigError: there is none, or some are none.
    """
    issues: list[ConfigIssue] = []
    targets: list[RouteTarget] = []
    for index, target in enumerate(given):
        if isinstance(target, LLMProvider):
            target = RouteTarget(target)  # noqa: PLW2901  # the short form of the same
        if isinstance(target, RouteTarget) and 0 < target.weight < float("inf"):
            targets.append(target)
        elif isinstance(target, RouteTarget):
            fix = "make it a number above 0"
            issues.append(ConfigIssue(f"targets[{index}]", f"has the weight {target.weight}", fix))
        else:
            what = f"is {type(target).__name__}, no provider"
            issues.append(ConfigIssue(f"targets[{index}]", what, "pass a provider or RouteTarget"))
    if not given:
        issues.append(ConfigIssue("targets", "there is none", "pass at least one provider"))
    if issues:
        raise ConfigError(f"the route {name} cannot be made:", issues)
    return tuple(targets)


def _can(state: TargetState, request: Request[Any]) -> bool:
    operations = state.target.provider.operations
    counts = isinstance(request, TokenCountRequest) and ChatRequest in operations
    return counts or type(request) in operations


def _reason(state: TargetState, request: Request[Any], now: float, shut: bool) -> tuple[bool, str]:
    """Whether the target would be asked, and why."""
    if not _can(state, request):
        return False, f"it has no {type(request).__name__}"
    if shut:
        left = max(state.breaker.until - now, 0.0)
        return False, f"it failed {state.breaker.streak} times in a row: out for {left:.0f} s more"
    if state.cooling > now:
        return False, f"it asked to be left alone for {state.cooling - now:.0f} s more"
    if state.dead_until > now:
        return True, "its key was refused a while ago: asked last"
    return True, f"ready, with {state.occupancy} calls on their way"


def _considered(state: TargetState, request: Request[Any], told: tuple[bool, str]) -> Considered:
    kept, reason = told
    target = state.target
    asked = evolve(request, model=target.model) if target.model else request
    explanation = None
    if kept:
        try:
            explanation = target.provider.preview(asked)
        except LLMError as error:
            kept, reason = False, str(error)
    return Considered(
        target=target.name, model=asked.model, kept=kept, reason=reason, explanation=explanation
    )
