"""One call on its way through a route: who is asked, what it costs, and when it is over."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from ..errors import LLMError, OverloadedError, StreamInterruptedError
from ..events import StreamRestart
from ..flow import NOW, RANDOM, Flow, Signal, Sleep, Wait
from ..requests import ChatRequest, Request, Timeout
from ..retrying import Budget, RetryQuota
from .breaker import Permit
from .streams import Prefix, Watch
from .targets import TargetState, share_of, within
from .verdicts import Verdict, judge

if TYPE_CHECKING:
    from .route import Route

LOG = logging.getLogger("jackfield.routing")


@define
class RouteBudget(Budget):
    """A call's budget as routes hand it on: *quota* pays for further tries, a stream begins by *begin*.

    No target takes longer than the outermost route's *timeout*.
    """

    quota: RetryQuota = field(factory=RetryQuota)
    begin: float = float("inf")
    timeout: Timeout = field(factory=Timeout)


@frozen
class Asked:
    """A call before its next try: who was *tried*, and when its time, or that to begin a stream, ends.

    *again*: it failed elsewhere, in this round; *poor*: the quota is too empty for a further try.
    """

    tried: Mapping[int, LLMError]
    end: float
    again: bool = False
    poor: bool = False


class Trip:
    """Asks *route*'s targets within *budget*; its *owner*, the outermost route, also asks again."""

    def __init__(
        self, route: Route, request: Request[Any], stream: bool, budget: RouteBudget, owner: bool
    ) -> None:
        self.route, self.request, self.stream = route, request, stream
        self.budget, self.owner = budget, owner
        self.rounds = 1
        self.paid = 0
        """What the try on its way took from the quota."""
        self.tried: dict[int, LLMError] = {}
        self.failures: list[tuple[str, LLMError]] = []
        self.given_up: list[str] = []
        self.waited = False
        """Whether it has just heard of the target that it waited for: it asks who is known to be well."""
        self.broken: LLMError | None = None
        """The failure after which something had been delivered."""
        self.watch = Watch()
        chat = stream and isinstance(request, ChatRequest)
        continues = chat and route.config.stream == "continue_prefix"
        self.prefix = Prefix() if continues else None

    def go(self) -> Flow[Any]:
        """Ask until one answers, or nothing is left to try."""
        while True:
            now, chance = (yield NOW), (yield RANDOM)
            asked = self._asked()
            entered = self.route.enter(self.request, asked, now, chance)
            waited, self.waited = self.waited, False
            if entered is None and waited:
                continue
            if entered is None and asked.poor:
                raise self._final(self.failures[-1][1])
            if entered is None:
                yield from self._pause(now)
                continue
            state, permit, others, first = entered
            seconds = self._share(state, others, asked.end - now, first - now)
            if isinstance(permit, Signal):
                yield from self._await(permit, state.index, asked.end - now, seconds)
                continue
            try:
                request = self._prepared(state, permit, now)
                try:
                    return (yield from self._ask(state, permit, request, now, seconds))
                except LLMError as error:
                    yield from self._failed(state, permit, error, now, seconds)
            finally:
                self.route.release(state, permit)

    def _asked(self) -> Asked:
        """How things stand before the next try.

        A try is free at a target that answered lately, and so is one alone at a target of which
        nothing was heard. All others but a call's first cost, so that no outage is multiplied.
        """
        budget = self.budget
        end = min(budget.deadline, budget.begin)
        if not self.failures:
            return Asked(self.tried, end)
        poor = self.waited or not budget.quota.covers(self.failures[-1][1])
        return Asked(self.tried, end, again=self.rounds == 1, poor=poor)

    def _await(self, news: Signal, index: int, left: float, seconds: float | None) -> Flow[None]:
        """Wait until something is heard of the target that is to be asked, no longer than it might take to answer."""
        if left > 0 and (yield Wait(news, left if seconds is None else seconds)):
            self.waited = True
        elif left > 0 and seconds is not None:
            self.tried[index] = self.failures[-1][1]  # who else could be asked is
        else:
            raise self._final(self.failures[-1][1])

    def _share(self, state: TargetState, others: int, left: float, alone: float) -> float | None:
        """For how many of *left* seconds *state* may keep the call from *others*; None: as long as it likes.

        For as many as it is *alone*, because all others are out, it keeps the call from nobody.
        """
        once = self.stream and self.route.config.stream == "never"
        if once or self.budget.attempts <= 1:
            return None
        share = share_of(left, self.route.config.attempt_timeout, state.turns, others)
        return share if share is None else max(share, min(alone, left))

    def _prepared(self, state: TargetState, permit: Permit, now: float) -> Request[Any]:
        """The request as the target is to have it, its try paid for; no time left is no try."""
        self.paid = 0
        if self.failures:
            error = self.failures[-1][1]
            if self.budget.attempts < 1 or now >= self.budget.deadline:
                raise self._final(error)
            free = self.rounds == 1 and not state.breaker.streak
            if not free or permit in state.doubted:
                self.paid = self.budget.quota.price(error) if self.budget.quota.take(error) else 0
                if not (free or self.paid):
                    raise self._final(error)
        request, target = self.request, state.target
        if target.model is not None and target.model != request.model:
            request = evolve(request, model=target.model)
        if request.timeout is None and not hasattr(target.provider, "targets"):
            own = target.provider.config.timeout
            timeout = within(within(own, self.route.config.timeout), self.budget.timeout)
            request = request if timeout is own else evolve(request, timeout=timeout)
        if self.broken is not None and self.prefix is not None:
            assert isinstance(request, ChatRequest)
            continued = self.prefix.request(request, target.provider)
            if continued is None:
                self.broken.add_note(f"{target.name} cannot go on with what was delivered")
                raise self._final(self.broken)
            request = continued
        return request

    def _ask(
        self,
        state: TargetState,
        permit: Permit,
        request: Request[Any],
        started: float,
        seconds: float | None,
    ) -> Flow[Any]:
        provider = state.target.provider
        mark = None
        if not hasattr(provider, "targets"):
            self.budget.attempts -= 1
            self.budget.made += 1
            mark = {"provider": provider.name, "attempts": self.budget.made}
        budget = self.budget
        deadline, begin = budget.deadline, budget.begin
        if seconds is not None and self.stream:
            budget.begin = min(begin, started + seconds)
        elif seconds is not None:
            budget.deadline = min(deadline, started + seconds)
        self.watch = watch = Watch(
            mark, self.prefix, until=budget.begin, began=lambda at: self._began(state, at)
        )
        try:
            flow = provider.call(request, stream=self.stream, budget=budget)
            result = yield from watch.relay(flow)
        finally:
            budget.deadline = deadline
            budget.begin = begin if watch.first is None else float("inf")
        ended = yield NOW
        first = ended if watch.first is None else watch.first
        tokens = getattr(getattr(result, "usage", None), "output_tokens", None)
        self.route.succeeded(state, permit, (started, first, ended), tokens)
        self.budget.quota.give(self.paid or 1)
        return result

    def _began(self, state: TargetState, now: float) -> None:
        """Note that *state* began its stream."""
        self.budget.begin = float("inf")
        self.route.began(state, now)

    def _failed(
        self,
        state: TargetState,
        permit: Permit,
        error: LLMError,
        started: float,
        seconds: float | None,
    ) -> Flow[None]:
        """Note a target's failure; raise it, unless somebody else may be asked."""
        verdict, now = judge(error), (yield NOW)
        self.route.failed(state, permit, now, verdict, error.retry_after)
        self.tried[state.index] = error
        name = state.target.name
        if seconds is not None and now >= started + seconds:
            left = f"{name} had not answered in its {seconds:.3g} s of the call (attempt_timeout)"
            self.given_up.append(left)
        self.failures.append((name, error))
        yield from self._go_on(error, verdict)
        if self.route.passes(verdict):
            LOG.warning("%s: %s failed, asking the next: %s", self.route.name, name, error)
            return
        if verdict in (Verdict.RETRY, Verdict.LIMITED) and self.owner:
            self.tried.update(dict.fromkeys(range(len(self.route.targets)), error))
            return
        raise self._final(error)

    def _go_on(self, error: LLMError, verdict: Verdict) -> Flow[None]:
        """Raise *error* where the stream's contract says that it ends the call."""
        if not self.stream:
            return
        contract = self.route.config.stream
        delivered = self.watch.first is not None
        if contract == "never" or (delivered and contract == "before_first_token"):
            raise self._final(error)
        if not delivered:
            return
        interrupted = isinstance(error, StreamInterruptedError)
        if not interrupted or verdict in (Verdict.STOP, Verdict.NO_MODEL):
            raise self._final(error)
        self.broken = self.broken or error
        if contract == "restart_marked":
            told = StreamRestart(reason=error.message, provider=error.provider, model=error.model)
            yield [told]

    def _pause(self, now: float) -> Flow[None]:
        """Nobody may be asked now: wait until somebody may, or raise."""
        policy, deadline = self.route.config.retry, self.budget.deadline
        again = {i: e for i, e in self.tried.items() if e.retryable}
        over = self.tried.keys() - again.keys()
        until = self.route.available_in(self.request, over, now) or 0.0
        error = min(again.values(), key=lambda e: e.retry_after or 0.0, default=None)
        if self.tried and (error is None or not self.owner or self.broken is not None):
            raise self._final(self.failures[-1][1])
        if error is None:
            error = OverloadedError(
                f"every target of {self.route.name} is out: try again in {until:.0f} s",
                code="cooldown", retry_after=until, phase="limit", provider=self.route.name,
            )  # fmt: skip
        delay = policy.delay(self.rounds, error, (yield RANDOM)) if self.owner else None
        if delay is None or now + max(delay, until) >= deadline or until > policy.longest_hint:
            raise self._final(error)
        if self.budget.attempts < 1:
            raise self._final(error)
        LOG.warning("%s: round %d failed, again in %.1f s", self.route.name, self.rounds, delay)
        yield Sleep(max(delay, until))
        self.rounds += 1
        self.tried = {i: e for i, e in self.tried.items() if i not in again}

    def _final(self, error: LLMError) -> LLMError:
        """What the caller is told: *error*, or the one that broke the stream, with all the others."""
        told = self.broken or error
        if self.owner:
            told.attempts = self.budget.made
            for name, other in self.failures:
                if other is not told:
                    told.add_note(f"{name}: {type(other).__name__}: {other}")
            for said in self.given_up:
                told.add_note(said)
        return told
