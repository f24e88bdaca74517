"""What a route would do with a request, told without asking anybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from ..errors import LLMError
from ..provider import Explanation
from ..requests import Request
from .targets import TargetState, share_of

Order = Sequence[tuple[TargetState, bool]]
"""Targets, who would be asked first first, and whether each one's breaker keeps it out."""


@frozen(kw_only=True)
class Considered:
    """A target of a route, whether it would be asked, why, and with what.

    *seconds* is how long it may take to answer, or to begin a stream, if those before it do not.
    """

    target: str
    model: str
    kept: bool
    reason: str
    explanation: Explanation | None = None
    seconds: float | None = None


@frozen(kw_only=True)
class RouteExplanation(Explanation):
    """What the first target would be sent, and who else was *considered*, in order."""

    considered: tuple[Considered, ...] = ()


def consider(
    order: Order, request: Request[Any], now: float, given: float | None, passes: bool
) -> tuple[Considered, ...]:
    """What is to be told of each target, for a *request* that says its timeout.

    *given* is the route's ``attempt_timeout``; *passes* says whether a target that does not answer
    makes way for the next.
    """
    assert request.timeout is not None
    left = request.timeout.total
    reasons = [_reason(state, request, now, shut) for state, shut in order]
    waiting = sum(s.turns for (s, _), (kept, _) in zip(order, reasons, strict=True) if kept)
    found: list[Considered] = []
    for (state, _), (kept, reason) in zip(order, reasons, strict=True):
        waiting -= state.turns if kept else 0
        share = share_of(left, given, state.turns, waiting if passes else 0)
        seconds = left if share is None else share
        asked = evolve(request, timeout=evolve(request.timeout, total=seconds))
        told = reason
        if kept and share is not None:
            told += f"; after {share:.3g} s without an answer the next is asked"
            left -= share
        found.append(_considered(state, asked, kept, told, seconds))
    return tuple(found)


def _reason(state: TargetState, request: Request[Any], now: float, shut: bool) -> tuple[bool, str]:
    """Whether the target would be asked, and why."""
    if not state.can(request):
        return False, f"it has no {type(request).__name__}"
    if shut:
        left = max(state.breaker.until - now, 0.0)
        return False, f"it failed {state.breaker.streak} times in a row: out for {left:.0f} s more"
    if state.cooling > now:
        return False, f"it asked to be left alone for {state.cooling - now:.0f} s more"
    if state.dead_until > now:
        return True, "its key was refused a while ago: asked last"
    return True, f"ready, with {state.occupancy} calls on their way"


def _considered(
    state: TargetState, request: Request[Any], kept: bool, reason: str, seconds: float
) -> Considered:
    target = state.target
    asked = evolve(request, model=target.model) if target.model else request
    explanation = None
    if kept:
        try:
            explanation = target.provider.preview(asked)
        except LLMError as error:
            kept, reason = False, str(error)
    return Considered(
        target=target.name,
        model=asked.model,
        kept=kept,
        reason=reason,
        explanation=explanation,
        seconds=seconds if kept else None,
    )
