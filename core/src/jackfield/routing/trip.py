"""One call on its way through a route: who is asked, what it costs, and when it is over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from attrs import evolve

from ..errors import LLMError, OverloadedError, StreamInterruptedError
from ..events import StreamRestart
from ..flow import NOW, RANDOM, Flow, Sleep
from ..requests import ChatRequest, Request
from ..retrying import Budget
from .breaker import Permit
from .streams import Prefix, Watch
from .targets import TargetState
from .verdicts import Verdict, judge

if TYPE_CHECKING:
    from .route import Route

LOG = logging.getLogger("jackfield.routing")


class Trip:
    """Asks *route*'s targets within *budget*; its *owner*, the outermost route, also asks again."""

    def __init__(
        self, route: Route, request: Request[Any], stream: bool, budget: Budget, owner: bool
    ) -> None:
        self.route, self.request, self.stream = route, request, stream
        self.budget, self.owner = budget, owner
        self.rounds = 1
        self.tried: dict[int, LLMError] = {}
        self.failures: list[tuple[str, LLMError]] = []
        self.broken: LLMError | None = None
        """The failure after which something had been delivered."""
        self.watch = Watch(None, None)
        chat = stream and isinstance(request, ChatRequest)
        continues = chat and route.config.stream == "continue_prefix"
        self.prefix = Prefix() if continues else None

    def go(self) -> Flow[Any]:
        """Ask until one answers, or nothing is left to try."""
        while True:
            now = yield NOW
            poor = self._poor()
            entered = self.route.enter(self.request, self.tried, now, (yield RANDOM), well=poor)
            if entered is None and poor:
                raise self._final(self.failures[-1][1])
            if entered is None:
                yield from self._pause(now)
                continue
            state, permit = entered
            try:
                request = self._prepared(state, now)
                try:
                    return (yield from self._ask(state, permit, request, now))
                except LLMError as error:
                    yield from self._failed(state, permit, error)
            finally:
                self.route.release(state, permit)

    def _poor(self) -> bool:
        """Whether only a target where all was well may be asked: that is free.

        Any other try but a call's first costs the route's quota, so that no outage is multiplied.
        """
        return bool(self.failures) and not self.route.quota.covers(self.failures[-1][1])

    def _prepared(self, state: TargetState, now: float) -> Request[Any]:
        """The request as the target is to have it, its try paid for; no time left is no try."""
        if self.failures:
            error = self.failures[-1][1]
            free = self.rounds == 1 and not state.breaker.streak
            spent = self.budget.attempts < 1 or now >= self.budget.deadline
            if spent or not (free or self.route.quota.take(error)):
                raise self._final(error)
        request, target = self.request, state.target
        if target.model is not None and target.model != request.model:
            request = evolve(request, model=target.model)
        if self.broken is not None and self.prefix is not None:
            assert isinstance(request, ChatRequest)
            continued = self.prefix.request(request, target.provider)
            if continued is None:
                self.broken.add_note(f"{target.name} cannot go on with what was delivered")
                raise self._final(self.broken)
            request = continued
        return request

    def _ask(
        self, state: TargetState, permit: Permit, request: Request[Any], started: float
    ) -> Flow[Any]:
        provider = state.target.provider
        mark = None
        if not hasattr(provider, "targets"):
            self.budget.attempts -= 1
            self.budget.made += 1
            mark = {"provider": provider.name, "attempts": self.budget.made}
        self.watch = watch = Watch(mark, self.prefix)
        flow = provider.call(request, stream=self.stream, budget=self.budget)
        result = yield from watch.relay(flow)
        ended = yield NOW
        first = ended if watch.first is None else watch.first
        tokens = getattr(getattr(result, "usage", None), "output_tokens", None)
        self.route.succeeded(state, permit, (started, first, ended), tokens)
        self.route.quota.give()
        return result

    def _failed(self, state: TargetState, permit: Permit, error: LLMError) -> Flow[None]:
        """Note a target's failure; raise it, unless somebody else may be asked."""
        verdict = judge(error)
        self.route.failed(state, permit, (yield NOW), verdict, error.retry_after)
        self.tried[state.index] = error
        self.failures.append((state.target.name, error))
        yield from self._go_on(error, verdict)
        if self.route.passes(verdict):
            LOG.warning(
                "%s: %s failed, asking the next: %s", self.route.name, state.target.name, error
            )
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
        return told
