"""Rate limits: calls wait their turn in fair order, or fail at once, and no window is exceeded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import field, frozen

from ..errors import (
    ConfigError,
    LLMError,
    ProviderError,
    RateLimitError,
    TransportError,
    UnsupportedOperationError,
)
from ..flow import NOW, Flow, HTTPResponse, Wait, Wrapper, tap
from ..hookspecs import hookimpl
from ..manager.settings import LimitSettings
from ..provider import LLMProvider
from ..requests import Request
from .gate import Gate, Scope, Ticket
from .learning import read_headers
from .rates import limit_issues
from .tokens import Guess, Outputs


@frozen(kw_only=True)
class LimitState:
    """One limit as it stands: *used* of *limit* now; *waiting* calls of its scope wait for something.

    *provider* and *model* are None where the limit is not of one. *name* is
    ``requests``, ``tokens`` or ``concurrency``; a rate counts in *seconds*.
    """

    provider: str | None
    model: str | None
    name: str
    limit: int
    seconds: int | None
    used: int
    waiting: int

    @property
    def available(self) -> int:
        """What is left."""
        return max(0, self.limit - self.used)


@frozen(kw_only=True)
class HoldState:
    """A provider's own limit that is spent for a model, for so many *seconds* more."""

    provider: str
    model: str
    seconds: float


@frozen(kw_only=True)
class LimitsState:
    """All limits as they stand, from the widest scope to the narrowest, and what providers told."""

    limits: tuple[LimitState, ...]
    holds: tuple[HoldState, ...]


@frozen
class _Plan:
    """What limits the calls of one provider."""

    scope: Scope | None
    models: Mapping[str, Scope] = field(factory=dict)


class Limits:
    """Middleware that keeps attempts within limits: of *everything*, and of *providers* by name.

    In every half-open stretch of time that is as long as a rate's unit, at most the
    rate's amount starts. The clock is the drivers'; *clock* is its double for `state`.

    Raises:
        ConfigError: settings are wrong; every problem is listed.
    """

    def __init__(
        self,
        everything: LimitSettings | None = None,
        providers: Mapping[str, LimitSettings] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        issues = list(limit_issues("limits", everything, models=False)) if everything else []
        for name, settings in (providers or {}).items():
            issues += limit_issues(_path(name), settings)
        if issues:
            raise ConfigError("the limits have problems:", issues)
        self._clock = clock
        self._gate = Gate()
        self._outputs = Outputs()
        self._everything: Scope | None = None
        if everything is not None:
            self._everything = Scope("all providers", "limits", everything)
        self._plans: dict[str, _Plan] = {}
        for name, settings in (providers or {}).items():
            self.configure(name, settings)

    def configure(self, provider: str, settings: LimitSettings | None) -> None:
        """Have *settings* be the limits of *provider* from now on; their counts begin anew.

        Raises:
            ConfigError: they are wrong; every problem is listed.
        """
        if settings is None:
            self._plans.pop(provider, None)
            return
        path = _path(provider)
        if issues := list(limit_issues(path, settings)):
            raise ConfigError("the limits have problems:", issues)
        models = {
            name: Scope(f"{name} of {provider}", f'{path}.models."{name}"', own)
            for name, own in settings.models.items()
        }
        self._plans[provider] = _Plan(Scope(provider, path, settings), models)

    @hookimpl
    def wrap_attempt(
        self, provider: LLMProvider, request: Request[Any], deadline: float
    ) -> Wrapper | None:
        """Have the attempt wait its turn."""
        plan = self._plans.get(provider.name, _Plan(None))
        scopes = [plan.models.get(request.model), plan.scope, self._everything]
        known = tuple(scope for scope in scopes if scope is not None)
        learn = bool(known) and (plan.scope or known[-1]).settings.learn
        limiting = tuple(s for s in known if s.windows or s.settings.concurrency)
        if not limiting and not learn:
            return None
        wait = min(scope.settings.wait for scope in known)
        call = _Call(self._gate, self._outputs, (provider.name, request.model), limiting, learn)
        return partial(call.limited, request, wait, deadline)

    def state(self) -> LimitsState:
        """Each limit's use and who waits, for status pages."""
        now = self._clock()
        found: list[LimitState] = []
        if self._everything is not None:
            found += _state(self._gate, self._everything, None, None, now)
        for name, plan in list(self._plans.items()):
            if plan.scope is not None:
                found += _state(self._gate, plan.scope, name, None, now)
            for model, scope in plan.models.items():
                found += _state(self._gate, scope, name, model, now)
        holds = [
            HoldState(provider=provider, model=model, seconds=at - now)
            for (provider, model), at in self._gate.holds(now).items()
        ]
        return LimitsState(limits=tuple(found), holds=tuple(holds))


def _path(provider: str) -> str:
    return f"providers.{provider}.limits"


def _state(
    gate: Gate, scope: Scope, provider: str | None, model: str | None, now: float
) -> list[LimitState]:
    used, waiting = gate.usage(scope, now)
    found = []
    for name, amount in used.items():
        rate = scope.windows[name].rate if name in scope.windows else None
        found.append(
            LimitState(
                provider=provider,
                model=model,
                name=name,
                limit=int(scope.concurrency) if rate is None else rate.amount,
                seconds=None if rate is None else rate.seconds,
                used=amount,
                waiting=waiting,
            )
        )
    return found


@frozen
class _Call:
    """One attempt inside its limits."""

    gate: Gate
    outputs: Outputs
    key: tuple[str, str]
    scopes: tuple[Scope, ...]
    learn: bool

    def limited(
        self, request: Request[Any], wait: float, deadline: float, flow: Flow[Any]
    ) -> Flow[Any]:
        """*flow*, once it is its turn."""
        try:
            guess = self._guess(request)
            now = yield NOW
            ticket = self.gate.enter(self.key, self.scopes, guess.total, min(now + wait, deadline))
            try:
                yield from self._turn(ticket, now)
                result = yield from (tap(flow, partial(self._seen, ticket)) if self.learn else flow)
                self._ended(ticket, guess, result, (yield NOW))
                return result
            except LLMError as error:
                if ticket.started:
                    self._failed(ticket, guess, error, (yield NOW))
                raise
            finally:
                self.gate.leave(ticket)
        finally:
            flow.close()

    def _guess(self, request: Request[Any]) -> Guess:
        """The tokens to reserve.

        Raises:
            RateLimitError: they are more than a limit can ever give.
        """
        limits = [(s.windows["tokens"].rate, s) for s in self.scopes if "tokens" in s.windows]
        if not limits:
            return Guess(0, 0)
        rate, scope = min(limits, key=lambda pair: pair[0].amount)
        guess = self.outputs.guess(self.key, request, rate.amount)
        if guess.total > rate.amount:
            raise self._refusal(
                f"the call is reckoned at {guess.total} tokens, more than the limit of {rate} tokens for "
                f"{scope.title} ever gives: shorten it, lower max_tokens, or raise {scope.path}.tokens"
            )
        return guess

    def _turn(self, ticket: Ticket, now: float) -> Flow[None]:
        """Wait until *ticket* may start.

        Raises:
            RateLimitError: it cannot in time.
        """
        if self.gate.turn(ticket, now):
            return
        at, scope, name = self.gate.outlook(ticket)
        if at > ticket.until or now >= ticket.until:
            raise self._late(ticket.until - now, at - now, scope, name)
        since = now
        while not self.gate.turn(ticket, now):
            if now >= ticket.until:
                at, scope, name = self.gate.outlook(ticket)
                raise self._late(now - since, at - now, scope, name)
            yield Wait(ticket.signal, max(0.0, ticket.alarm - now))
            now = yield NOW

    def _late(self, patience: float, ahead: float, scope: Scope | None, name: str) -> LLMError:
        """The error for a call that may wait for *patience* seconds, and would for *ahead* at least."""
        if scope is None:
            what = f"{'/'.join(filter(None, self.key))} is spent, as the provider told"
            fix = "try again then, or ask another provider or model"
        else:
            limit = scope.windows[name].rate if name in scope.windows else scope.concurrency
            what = f"the limit of {limit} {name} for {scope.title} is reached"
            fix = f"try again then, raise {scope.path}.{name}, or have calls wait longer ({scope.path}.wait)"
        when = f"room comes in {ahead:.3g} s" if ahead > 0 else "room comes when a call ends"
        message = f"{what}: {when}, and this call may wait {max(0.0, patience):.3g} s; {fix}"
        return self._refusal(message, ahead if ahead > 0 else None)

    def _refusal(self, message: str, ahead: float | None = None) -> RateLimitError:
        # Whoever retries would wait after all; a route may ask somebody else.
        facts: dict[str, Any] = {"code": "local_limit", "phase": "limit", "retryable": False}
        return RateLimitError(message, retry_after=ahead, **facts)

    def _seen(self, ticket: Ticket, _step: Any, outcome: Any) -> None:
        """Learn from an answer's headers; what a refusal says is in its error."""
        if isinstance(outcome, HTTPResponse) and outcome.status < 500 and outcome.status != 429:
            self.gate.told(ticket, read_headers(outcome.headers), outcome.at)

    def _ended(self, ticket: Ticket, guess: Guess, result: Any, now: float) -> None:
        usage = getattr(result, "usage", None)
        if self.learn and not ticket.answered:
            self.gate.told(ticket, None, now)
        self.outputs.add(self.key, usage)
        self.gate.settle(ticket, guess.used(usage), now)

    def _failed(self, ticket: Ticket, guess: Guess, error: LLMError, now: float) -> None:
        if error.phase == "limit" or isinstance(error, ConfigError | UnsupportedOperationError):
            self.gate.forgo(ticket)  # nothing was sent
            return
        if self.learn and isinstance(error, RateLimitError) and error.retry_after is not None:
            self.gate.refused(ticket, error.retry_after, now)
        if isinstance(error, ProviderError | TransportError) and not error.maybe_executed:
            self.gate.settle(ticket, 0, now)
        else:
            self.gate.settle(ticket, guess.used(getattr(error, "partial_usage", None)), now)
