"""One call on its way through a route: who is asked, what it costs, and when it is over."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from ..errors import LLMError, OverloadedError, RequestTimeoutError, StreamInterruptedError
from ..events import StreamRestart
from ..flow import NOW, RANDOM, Flow, Signal, Sleep, Wait
from ..requests import ChatRequest, Request, Timeout
from ..retrying import Budget, RetryQuota
from .breaker import Permit
from .streams import Prefix, Watch
from .targets import TargetState, share_of, within
from .verdicts import Verdict, judge, most_hopeful

if TYPE_CHECKING:
    from .route import Route

LOG = logging.getLogger("jackfield.routing")

_TICK = 0.001
"""Seconds that a call waits at the least, so that it is some time later."""


@define
class RouteBudget(Budget):
    """A call's budget as routes hand it on: *quota* pays for further tries, a stream begins by *begin*.

    No target takes longer than the *timeout* of the routes that it is in. *failures* of targets, and
    *given_up*, the notes on those that did not answer in time, are the whole call's.
    """

    quota: RetryQuota = field(factory=RetryQuota)
    begin: float = float("inf")
    timeout: Timeout = field(factory=Timeout)
    failures: list[tuple[str, LLMError]] = field(factory=list)
    given_up: list[str] = field(factory=list)


@frozen
class Asked:
    """A call before its next try: who was *tried*, and when its time, or that to begin a stream, ends.

    *before*: whom it has asked, in any round; *poor*: the quota is too empty for a further try.
    """

    tried: Mapping[int, LLMError]
    end: float
    before: Collection[int] = ()
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
        """Who failed, and is not asked again in this round."""
        self.due: dict[int, float] = {}
        """When each of them is to be asked again, once that is known."""
        self.since: dict[int, float] = {}
        """When each of them failed."""
        self.before: set[int] = set()
        """Who was asked, in any round."""
        self.failure: LLMError | None = None
        """The last one."""
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
            if entered is None:
                yield from self._pause(now, asked)
                continue
            state, permit, others, first = entered
            seconds = self._share(state, others, asked.end - now, first - now)
            if isinstance(permit, Signal):
                yield from self._await(permit, state, asked.end - now, seconds)
                continue
            try:
                if not self._paid(state, permit, now):
                    continue
                request = self._prepared(state)
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
        if self.failure is None:
            return Asked(self.tried, end)
        poor = self.waited or not budget.quota.covers(self.failure)
        return Asked(self.tried, end, before=self.before, poor=poor)

    def _await(
        self, news: Signal, state: TargetState, left: float, seconds: float | None
    ) -> Flow[None]:
        """Wait until something is heard of the target that is to be asked, no longer than it might take to answer."""
        if left > 0 and (yield Wait(news, left if seconds is None else seconds)):
            self.waited = True
        elif left > 0 and seconds is not None:  # who else could be asked is
            said = f"nothing was heard of {state.target.name} in {seconds:.3g} s"
            self.tried[state.index] = RequestTimeoutError(said, phase="limit")
        else:
            raise self._over((yield NOW))

    def _share(self, state: TargetState, others: int, left: float, alone: float) -> float | None:
        """For how many of *left* seconds *state* may keep the call from *others*; None: as long as it likes.

        For as many as it is *alone*, because all others are out, it keeps the call from nobody.
        """
        once = self.stream and self.route.config.stream == "never"
        if once or self.budget.attempts <= 1:
            return None
        share = share_of(left, self.route.config.attempt_timeout, state.turns, others)
        return share if share is None else max(share, min(alone, left))

    def _paid(self, state: TargetState, permit: Permit, now: float) -> bool:
        """Whether the try is free or paid for; not where others were quicker to take what the quota had."""
        self.paid = 0
        error = self.failure
        if error is None:
            return True
        if self.budget.attempts < 1 or now >= self.budget.deadline:
            raise self._over(now)
        free = state.costless(self.before, now)
        if (not free or permit in state.doubted) and self.budget.quota.take(error):
            self.paid = self.budget.quota.price(error)
        return free or self.paid > 0

    def _prepared(self, state: TargetState) -> Request[Any]:
        """The request as the target is to have it."""
        request, target = self.request, state.target
        if target.model is not None and target.model != request.model:
            request = evolve(request, model=target.model)
        if request.timeout is None and not hasattr(target.provider, "targets"):
            own = target.provider.config.timeout
            timeout = within(own, self.budget.timeout)
            request = request if timeout is own else evolve(request, timeout=timeout)
        if self.broken is not None and self.prefix is not None:
            assert isinstance(request, ChatRequest)
            request = self.prefix.request(request, target.provider)
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
            mark, self.prefix, until=budget.begin, began=lambda at: self._began(state, permit, at)
        )
        try:
            flow = provider.call(request, stream=self.stream, budget=budget)
            result = yield from watch.relay(flow)
        except GeneratorExit:  # the caller has had enough of it
            if watch.first is not None:
                self.budget.quota.give(self.paid or 1)
            raise
        finally:
            budget.deadline = deadline
            budget.begin = begin if watch.first is None else float("inf")
        ended = yield NOW
        first = ended if watch.first is None else watch.first
        tokens = getattr(getattr(result, "usage", None), "output_tokens", None)
        self.route.succeeded(state, permit, (started, first, ended), tokens)
        self.budget.quota.give(self.paid or 1)
        return result

    def _began(self, state: TargetState, permit: Permit, now: float) -> None:
        """Note that *state* began its stream."""
        self.budget.begin = float("inf")
        self.route.began(state, permit, now)

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
        self._note((state.index,), error, now, sent=verdict is not Verdict.REFUSED)
        name, budget = state.target.name, self.budget
        late = seconds is not None and now >= started + seconds
        if late and (not self.stream or self.watch.first is None):
            left = f"{name} had not answered in its {seconds:.3g} s of the call (attempt_timeout)"
            budget.given_up.append(left)
        if not any(known is error for _, known in budget.failures):  # of a route inside
            budget.failures.append((name, error))
        yield from self._go_on(error, verdict)
        if self.route.passes(verdict):
            LOG.warning("%s: %s failed, asking the next: %s", self.route.name, name, error)
            return
        if verdict in (Verdict.RETRY, Verdict.LIMITED) and self.owner:
            self._note(range(len(self.route.targets)), error, now)
            return
        raise self._final(error)

    def _note(self, indexes: Iterable[int], error: LLMError, now: float, sent: bool = True) -> None:
        """Note that these failed; what was not *sent* anywhere is no try that others would have to pay for."""
        for index in indexes:
            self.tried[index], self.since[index] = error, now
            self.due.pop(index, None)
            if sent:
                self.before.add(index)
        if sent:
            self.failure = error

    def _go_on(self, error: LLMError, verdict: Verdict) -> Flow[None]:
        """Raise *error* where the stream's contract says that it ends the call."""
        if not self.stream:
            return
        contract = self.route.config.stream
        delivered = self.watch.first is not None
        refused = verdict is Verdict.REFUSED  # nothing was sent
        if (contract == "never" and not refused) or (
            delivered and contract == "before_first_token"
        ):
            raise self._final(error)
        if not delivered:
            return
        interrupted = isinstance(error, StreamInterruptedError)
        if not interrupted or verdict in (Verdict.STOP, Verdict.NO_MODEL):
            raise self._final(error)
        self.broken = self.broken or error
        if self.prefix is not None:
            self._leave_out(self.prefix, self.broken)
        if contract == "restart_marked":
            told = StreamRestart(reason=error.message, provider=error.provider, model=error.model)
            yield [told]

    def _leave_out(self, prefix: Prefix, broken: LLMError) -> None:
        """Ask none of those who cannot go on with what was delivered."""
        for index, target in enumerate(self.route.targets):
            if index not in self.tried and not prefix.can(target.provider):
                self.tried[index] = broken
                broken.add_note(f"{target.name} cannot go on with what was delivered")

    def _pause(self, now: float, asked: Asked) -> Flow[None]:
        """Nobody may be asked now: wait until somebody may, or raise."""
        if self.tried and (not self.owner or self.broken is not None):
            raise self._over(now)
        policy, chance = self.route.config.retry, (yield RANDOM)
        waits: dict[int, float] = {}
        for index, seconds in self.route.free_in(self.request, now, asked).items():
            error = self.tried.get(index)
            round_ = 1 if error is None else self.rounds  # who was not asked is waited for in any
            delay = policy.delay(round_, error or self._cooldown(seconds), chance)
            if delay is None or seconds > policy.longest_hint:
                continue
            if error is not None:
                since = self.since.get(index, now)
                delay = self.due.setdefault(index, since + delay) - now
            wait = max(delay, seconds, _TICK)
            if now + wait < self.budget.deadline:
                waits[index] = wait
        if 1 < self.rounds == policy.attempts - 1:  # the last time is for those who said when
            waits = {i: w for i, w in waits.items() if i in self.route.limited(now)} or waits
        if not waits or not self.owner or self.budget.attempts < 1:
            raise self._over(now)
        wait = min(waits.values())
        LOG.warning("%s: nobody may be asked now, again in %.1f s", self.route.name, wait)
        yield Sleep(wait)
        again = {i for i in self.tried if waits.get(i, float("inf")) <= wait}
        self.rounds += bool(again)
        for index in again:
            del self.tried[index]
            self.due.pop(index)

    def _cooldown(self, seconds: float) -> LLMError:
        """What is said of targets that are all out, for so many *seconds*."""
        return OverloadedError(
            f"every target of {self.route.name} is out: try again in {seconds:.0f} s",
            code="cooldown", retry_after=seconds, phase="limit", provider=self.route.name,
        )  # fmt: skip

    def _over(self, now: float) -> LLMError:
        """What is told when nobody is left to ask: the most hopeful failure, and when any target may be asked again."""
        error = most_hopeful(e for e in (*self.tried.values(), self.failure) if e is not None)
        free = self.route.free_in(self.request, now).items()
        soon = min(
            (s for i, s in free if getattr(self.tried.get(i), "retryable", True)), default=0.0
        )
        if error is None:
            error = self._cooldown(soon)
        elif soon > 0 and judge(error) is Verdict.LIMITED:
            error.retry_after = soon
        return self._final(error)

    def _final(self, error: LLMError) -> LLMError:
        """What the caller is told: *error*, or the one that broke the stream, with all the others."""
        told = self.broken or error
        if self.owner:
            told.attempts = self.budget.made
            for name, other in self.budget.failures:
                if other is not told:
                    told.add_note(f"{name}: {type(other).__name__}: {other}")
            for said in self.budget.given_up:
                told.add_note(said)
        return told
