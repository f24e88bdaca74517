"""A route's targets: who may be asked, and what is known of each from the calls before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from attrs import evolve, fields, frozen

from ..flow import Signal
from ..manager.settings import BreakerSettings
from ..provider import LLMProvider
from ..requests import (
    ChatRequest,
    EmbeddingRequest,
    Request,
    Timeout,
    TokenCountRequest,
    guess_tokens,
)
from .breaker import Breaker, Permit

ANSWER_TOKENS = 500
"""How long an answer is taken to be where the call sets no ``max_tokens``."""

_SMOOTHING, _STALE = 0.3, 120.0
_USUAL = Timeout()

LATELY = 0.5
"""For how many seconds a target that answered is taken to be well."""


@frozen
class RouteTarget:
    """A provider in a route. Without *model* the call's own is asked for; *weight* is its share."""

    provider: LLMProvider
    model: str | None = None
    weight: float = 1.0
    cost_multiplier: Decimal = Decimal(1)

    @property
    def name(self) -> str:
        """``PROVIDER/MODEL``, or the provider's name."""
        return f"{self.provider.name}/{self.model}" if self.model else self.provider.name


@frozen(kw_only=True)
class Candidate:
    """What a strategy knows of a target when it chooses.

    *occupancy* is how many calls it is working on; *last_used* a time of the
    driver's clock; *first_event* and *per_token* are smoothed seconds, None where
    nothing was measured lately; *failures* counts those in a row; *cost* is about
    what the call would cost there, in US dollars.
    """

    target: RouteTarget
    index: int
    occupancy: int = 0
    last_used: float | None = None
    failures: int = 0
    first_event: float | None = None
    per_token: float | None = None
    cost: Decimal | None = None

    @property
    def weight(self) -> float:
        """The target's share."""
        return self.target.weight


class TargetState:
    """What is known of a target; guarded by the route's lock."""

    def __init__(self, target: RouteTarget, index: int, breaker: BreakerSettings) -> None:
        self.target, self.index = target, index
        self.breaker = Breaker(breaker)
        self.occupancy = 0
        self.last_used: float | None = None
        self.cooling = float("-inf")
        """Until when it asked to be left alone."""
        self.limited = 0
        """How often in a row it did, without saying for how long."""
        self.dead_until = float("-inf")
        """Until when it is asked last, because its key was refused."""
        self.turns: int = getattr(target.provider, "turns", 1)
        """How many of its own could be asked one after the other: more than one, if it is a route."""
        self.heard = float("-inf")
        """When it last began to answer."""
        self.doubted: set[Permit] = set()
        """Calls that failed elsewhere and are here now, although nothing was heard of it lately."""
        self._news: Signal | None = None
        self._first: float | None = None
        self._token: float | None = None

    def can(self, request: Request[Any]) -> bool:
        """Whether it has the operation."""
        operations = self.target.provider.operations
        counts = isinstance(request, TokenCountRequest) and ChatRequest in operations
        return counts or type(request) in operations

    def free_at(self) -> float:
        """When it may be asked; a time that is over, if it may be now."""
        out = float("-inf") if self.breaker.opened is None else self.breaker.until
        return max(self.cooling, out)

    def answers(self, now: float) -> None:
        """Note that it is well."""
        self.heard = now
        self.doubted.clear()
        self.tell()

    def costless(self, before: Collection[int], now: float) -> bool:
        """Whether a further try of a call that asked those *before* is free here: nobody knows that it would fail."""
        known = self.breaker.streak or self.limited > 1 or self.dead_until > now
        return not known and self.index not in before

    def doubtful(self, now: float) -> bool:
        """Whether nothing was heard of it lately, good or bad."""
        return not self.breaker.streak and now - self.heard > LATELY

    def news(self) -> Signal:
        """What is raised when something is heard of it."""
        self._news = self._news or Signal()
        return self._news

    def tell(self) -> None:
        """Wake those who wait for news."""
        news, self._news = self._news, None
        if news is not None:
            news.set()

    def candidate(self, request: Request[Any], now: float, priced: bool) -> Candidate:
        """What a strategy may know; the cost is estimated only where it is asked for."""
        stale = self.last_used is None or now - self.last_used > _STALE
        return Candidate(
            target=self.target,
            index=self.index,
            occupancy=self.occupancy,
            last_used=self.last_used,
            failures=self.breaker.streak,
            first_event=None if stale else self._first,
            per_token=None if stale else self._token,
            cost=estimate_cost(self.target, request) if priced else None,
        )

    def measured(self, first: float, rest: float, tokens: int | None) -> None:
        """Take in a success: seconds to its first event, and for its *tokens* after that."""
        self._first = _smoothed(self._first, first)
        if rest > 0 and tokens:
            self._token = _smoothed(self._token, rest / tokens)

    def cool(self, now: float, hint: float | None) -> None:
        """Leave it alone for as long as it asked, or for longer each time it did not say."""
        self.limited += 1
        seconds = min(2.0 ** (self.limited - 1), 30.0) if hint is None else hint
        self.cooling = max(self.cooling, now + seconds)


def _smoothed(before: float | None, measured: float) -> float:
    return measured if before is None else before + _SMOOTHING * (measured - before)


def out(states: Sequence[TargetState], now: float) -> set[int]:
    """Indexes of the targets whose breaker keeps them out: the longest open, at most half of all.

    Those whose keys were refused are asked last in any case, and count for nothing.
    """
    states = [s for s in states if s.dead_until <= now]
    blocked = [s for s in states if s.breaker.blocks(now)]
    blocked.sort(key=lambda s: (s.breaker.opened, s.index))
    return {s.index for s in blocked[: len(states) // 2]}


def share_of(left: float, given: float | None, own: int, others: int) -> float | None:
    """For how many of *left* seconds a target with *own* turns may keep a call that *others* wait for."""
    if not others:
        return None
    return left * own / (own + others) if given is None else min(given, left)


def within(own: Timeout, told: Timeout) -> Timeout:
    """The timeouts of a target's *own*, none longer than what its route was *told*; *own* if that is nothing."""
    if told == _USUAL:
        return own
    names = [f.name for f in fields(Timeout) if getattr(told, f.name) != getattr(_USUAL, f.name)]
    return evolve(own, **{n: min(getattr(own, n), getattr(told, n)) for n in names})


def estimate_cost(target: RouteTarget, request: Request[Any]) -> Decimal | None:
    """About what *request* would cost at *target*, in US dollars; None where no price is known.

    Providers that need no key are at home, and cost nothing.
    """
    provider = target.provider
    pricing = provider.pricing(target.model or request.model)
    if pricing is None:
        return None if provider.info.api_key_required else Decimal(0)
    answer = 0
    if isinstance(request, ChatRequest):
        answer = request.params.max_tokens or ANSWER_TOKENS
    elif not isinstance(request, EmbeddingRequest):
        return None
    return (
        (guess_tokens(request) * pricing.input + answer * pricing.output)
        * target.cost_multiplier
        / 1_000_000
    )
