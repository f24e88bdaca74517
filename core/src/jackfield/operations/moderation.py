"""Moderation: whether texts and images break a provider's rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from ..requests import Request
from ..types import CallWarning, Cost, Json, MediaPart, Usage


@frozen(kw_only=True)
class ModerationResult:
    """The verdict on one input; categories have the provider's names, scores are 0 to 1."""

    flagged: bool
    categories: Mapping[str, bool] = field(factory=dict)
    scores: Mapping[str, float] = field(factory=dict)


@frozen(kw_only=True)
class ModerationResponse:
    """One verdict for each input, in their order; one for all where they were judged together."""

    id: str = ""
    model: str = ""
    results: tuple[ModerationResult, ...]
    usage: Usage = field(factory=Usage)
    cost: Cost = field(factory=Cost)
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)

    @property
    def flagged(self) -> bool:
        """Whether any input is flagged."""
        return any(r.flagged for r in self.results)


def _inputs(inputs: Any) -> tuple[str | MediaPart, ...]:
    if isinstance(inputs, str | MediaPart) or not isinstance(inputs, Iterable):
        return (inputs,)
    return tuple(inputs)


@frozen(kw_only=True)
class ModerationRequest(Request[ModerationResponse]):
    """Ask whether *inputs* (texts, images) break the rules."""

    inputs: tuple[str | MediaPart, ...] = field(converter=_inputs)
