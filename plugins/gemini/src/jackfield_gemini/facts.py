"""What Gemini's models take, as data: the first pattern that fits a model's name counts.

A name that no pattern knows is a newer model's.

Source: https://ai.google.dev/gemini-api/docs/thinking,
https://ai.google.dev/gemini-api/docs/openai#thinking and
https://ai.google.dev/gemini-api/docs/image-generation
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

Facts = Sequence[tuple[str, str]]

THINKING: Facts = (
    ("*gemini-1*", "none"),
    ("*gemini-2.0*", "none"),
    ("*gemini-2.5-*image*", "none"),
    ("*gemma*", "none"),
    ("*gemini-2.5-pro*", "budget of pro"),
    ("*gemini-2.5*", "budget"),
    ("*gemini-3-pro*", "low or high"),
    ("*gemini-3*pro*", "low to high"),
    ("*", "level"),
)
"""How a model is told how much to think."""

_BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
_LEVELS: Mapping[str, str] = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH"}

EFFORTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "none": ("", {}),
    "budget of pro": ("thinkingBudget", {**_BUDGETS, "xhigh": 32768, "max": 32768}),
    "budget": ("thinkingBudget", {"none": 0, **_BUDGETS}),
    "low or high": ("thinkingLevel", {"low": "LOW", "high": "HIGH"}),
    "low to high": ("thinkingLevel", _LEVELS),
    "level": ("thinkingLevel", {"minimal": "MINIMAL", **_LEVELS}),
}
"""The field for each of those ways, and the efforts that it takes."""

PICTURES: Facts = (("*gemini-2*", "shape"), ("*", "shape and size"))
"""What a model that draws is told of how large a picture is to be."""


def fact(table: Facts, model: str) -> str:
    """What *table* says of *model*."""
    return next(value for pattern, value in table if fnmatchcase(model.lower(), pattern))
