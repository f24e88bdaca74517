"""A provider made of providers: asks one target after the other, within one retry budget."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypeVar, cast

from attrs import evolve, field, frozen

from ..config import Config
from ..errors import ConfigError, LLMError
from ..flow import NOW, Flow, Signal
from ..flow import now as read_clock
from ..manager.settings import Bounds, BreakerSettings, StreamContract
from ..provider import Explanation, LLMProvider
from ..requests import ModelListRequest, Request, Timeout
from ..retrying import Budget
from ..types import ConfigIssue, ModelInfo
from .breaker import Permit
from .explained import RouteExplanation, consider
from .targets import LATELY, RouteTarget, TargetState, out, share_of, within
from .trip import Asked, RouteBudget, Trip
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
    call, or passes it on. *retry* is the budget of the whole call. *attempt_timeout* is for how
    many seconds a target may keep a call from the others, which could be asked in its place,
    before it answers or its stream begins; None: for an equal share of the time that is left.
    """

    targets: tuple[Any, ...] = field(default=(), metadata={"literal": True})
    stream: StreamContract = "before_first_token"
    dead_key: Literal["fail", "fail_over"] = "fail"
    attempt_timeout: float | None = field(
        default=None, metadata={"check": Bounds(above=0, most=7 * 86400)}
    )
    breaker: BreakerSettings = field(factory=BreakerSettings)


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
        if self.config.dead_key == "fail_over":
            self._passes = self.passes_on | {Verdict.DEAD_KEY}
        else:
            self._passes = self.passes_on
        self._hands_on = self.passes(Verdict.RETRY)
        self.turns = sum(s.turns for s in self._states) if self._hands_on else 1

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
        own: Timeout = self.config.timeout
        timeout = request.timeout or own
        if isinstance(request, ModelListRequest):
            return cast("R", (yield from self._models(request, timeout, started + timeout.total)))
        if budget is None:
            tries = self.config.retry.attempts - 1 + self.leaves
            end, owner = started + timeout.total, True
            budget = RouteBudget(tries, end, quota=self._quota, timeout=own)
        else:
            owner = False
            if not isinstance(budget, RouteBudget):  # of a caller that is no route
                budget = RouteBudget(budget.attempts, budget.deadline, quota=self._quota)
        before = budget.timeout, budget.deadline
        if request.timeout is None and not owner:
            budget.timeout = within(budget.timeout, own)
            if own.total != Timeout().total:
                budget.deadline = min(budget.deadline, started + own.total)
        try:
            return cast("R", (yield from Trip(self, request, stream, budget, owner).go()))
        finally:
            budget.timeout, budget.deadline = before

    def _models(
        self, request: ModelListRequest, timeout: Timeout, end: float
    ) -> Flow[Sequence[ModelInfo]]:
        """The models that the targets were given; where one was not, all that its provider has.

        A target that hangs does so for its share of the time that there is until *end*.
        """
        found: dict[str, ModelInfo] = {}
        waiting = sum(target.model is None for target in self.targets)
        failure: LLMError | None = None
        for target in self.targets:
            if target.model is not None:
                models: Sequence[ModelInfo] = [ModelInfo(id=target.model)]
            else:
                waiting, left = waiting - 1, end - (yield NOW)
                share = share_of(left, self.config.attempt_timeout, 1, waiting)
                total = left if share is None else share
                try:
                    asked = evolve(request, timeout=evolve(timeout, total=total))
                    models = yield from target.provider.call(asked)
                except LLMError as error:
                    failure, models = error, ()
            for model in models:
                found.setdefault(model.id, model)
        if failure is not None and not found:
            raise failure
        return list(found.values())

    # The targets' state: each of these holds the lock.

    def enter(
        self, request: Request[Any], asked: Asked, now: float, chance: float
    ) -> tuple[TargetState, Permit | Signal, int, float] | None:
        """The next target, its permit, how many others could be asked, and from when; None where none may be.

        If the call is *poor*, a target is asked only where the last call went well; and where
        nothing was heard lately, one such call asks, and the others have, in place of a permit,
        the signal that something was.
        """
        with self._lock:
            could = [s for s in self._states if s.can(request)]
            able, shut = [s for s in could if s.index not in asked.tried], out(could, now)
            free = [s for s in able if s.index not in shut and s.cooling <= now]
            if asked.poor:
                free = [s for s in free if s.costless(asked.before, now)]
            free = [s for s in free if s.dead_until <= now] or free
            if not free:
                return None
            chosen = self.choose(free, request, now, chance)
            others, first = 0, now
            if self._hands_on and len(able) > 1:
                times = {s: s.free_at() if s.index in shut else s.cooling for s in able}
                rest = [s for s in able if s is not chosen and times[s] < asked.end]
                others = sum(s.turns for s in rest)
                first = min((times[s] for s in rest), default=now)
            again = bool(asked.before) and chosen.index not in asked.before
            doubtful = again and chosen.doubtful(now)
            if doubtful and asked.poor and chosen.doubted:
                return chosen, chosen.news(), others, first
            chosen.occupancy += 1
            chosen.last_used = now
            permit = chosen.breaker.enter(now)
            if doubtful:
                chosen.doubted.add(permit)
            return chosen, permit, others, first

    def began(self, state: TargetState, permit: Permit, now: float) -> None:
        """Note that a target answers; whoever asks it next need not wait for the end of that."""
        with self._lock:
            state.answers(now)
            state.breaker.release(permit)

    def succeeded(
        self, state: TargetState, permit: Permit, times: tuple[float, float, float], tokens: Any
    ) -> None:
        """Note that a target answered: when it was asked, began and ended, and with how many tokens."""
        started, first, ended = times
        with self._lock:
            state.breaker.leave(permit, ended, failed=False)
            state.limited, state.dead_until = 0, float("-inf")
            state.answers(ended)
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
            state.doubted.discard(permit)
            if verdict in (Verdict.RETRY, Verdict.FAIL_OVER):
                state.breaker.leave(permit, now, failed=True)
            elif verdict in (Verdict.STOP, Verdict.DEAD_KEY, Verdict.NO_MODEL):  # it is not down
                state.breaker.leave(permit, now, failed=False)
                state.answers(now)
            if verdict is Verdict.LIMITED:
                state.cool(now, hint)
            elif verdict is Verdict.RETRY and hint is not None:
                state.cooling = max(state.cooling, now + hint)
            elif verdict in (Verdict.DEAD_KEY, Verdict.NO_MONEY) and self.passes(verdict):
                state.dead_until = now + DEAD_SECONDS
            state.tell()

    def release(self, state: TargetState, permit: Permit) -> None:
        """Note that a target's call is over, whatever came of it."""
        with self._lock:
            state.occupancy -= 1
            state.breaker.release(permit)
            if permit in state.doubted:
                state.doubted.discard(permit)
                state.tell()

    def free_in(
        self, request: Request[Any], now: float, asked: Asked | None = None
    ) -> Mapping[int, float]:
        """Seconds until each target that has the operation may be asked, by its index; if *asked* is poor, for nothing.

        One whose probe is on its way may be as soon as that is answered: who waits looks again soon.
        """
        with self._lock:
            could = [s for s in self._states if s.can(request)]
            shut = out(could, now)
            times = {s: max(s.breaker.until, now + LATELY) for s in could if s.index in shut}
            if asked is not None and asked.poor:
                could = [s for s in could if s.costless({*asked.before, *asked.tried}, now)]
            return {s.index: max(s.cooling, times.get(s, now), now) - now for s in could}

    def limited(self, now: float) -> set[int]:
        """Indexes of the targets that asked to be left alone for now."""
        with self._lock:
            return {s.index for s in self._states if s.cooling > now}

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
            shut = out([s for s in self._states if s.can(request)], now)
            order = [(s, s.index in shut) for s in self._order(request, now)]
        order.sort(key=lambda pair: pair[0].dead_until > now)  # they are asked last
        timeout = request.timeout or self.config.timeout
        patience = self.config.attempt_timeout, self._hands_on
        considered = consider(order, evolve(request, timeout=timeout), now, *patience)
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
