"""What Claude's models take, as data: the first pattern that fits a model's name counts.

A name that no pattern knows is a newer model's, or that of another vendor's model
behind a server that speaks this protocol.

Source: https://docs.claude.com/en/docs/build-with-claude/extended-thinking,
https://docs.claude.com/en/docs/build-with-claude/structured-outputs and
https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

Facts = Sequence[tuple[str, str]]
Ranges = Mapping[str, tuple[float, float]]

THINKING: Facts = (
    ("*claude-[234]*", "budget"),
    ("*claude-*-4[-.][0125]*", "budget"),
    ("*claude-[a-z]*[a-z]-4", "budget"),
    ("*claude-*-4[@:]*", "budget"),
    ("*claude-*", "adaptive"),
    ("*", "budget"),
)
"""Whether a model thinks within a token budget, or as much as an effort word says."""

FORMATS: Facts = (
    ("*claude-[234]*", "tool"),
    ("*claude-*-4[-.][02]*", "tool"),
    ("*claude-[a-z]*[a-z]-4", "tool"),
    ("*claude-*-4[@:]*", "tool"),
    ("*claude-*", "schema"),
    ("*", "tool"),
)
"""Whether a model takes a JSON Schema for its answer, or must be made to call a tool with it."""

SAMPLING: Facts = (
    ("*claude-[234]*", "free"),
    ("*claude-*-4[-.][0-6]*", "free"),
    ("*claude-[a-z]*[a-z]-4", "free"),
    ("*claude-*-4[@:]*", "free"),
    ("*claude-*", "fixed"),
    ("*", "free"),
)
"""Whether a model takes a temperature and the like; those after Claude Opus 4.6 refuse them."""

EFFORTS: Mapping[str, tuple[str, int]] = {
    "minimal": ("low", 1024),
    "low": ("low", 2048),
    "medium": ("medium", 8192),
    "high": ("high", 16384),
    "xhigh": ("xhigh", 24576),
    "max": ("max", 27904),
}
"""A common effort word as the API's word, and as a budget that fits each thinking model."""

MIN_BUDGET = 1024

MAX_TOKENS = 4096
"""What is asked for where the caller says nothing (the API wants a number); every model has it."""

THINKING_ALLOWS: Ranges = {
    "temperature": (1, 1),
    "top_p": (0.95, 1),
    "top_k": (0, -1),
}
"""The ranges in which sampling may be set while thinking: ``top_k`` in none."""

FIXED_ALLOWS: Ranges = {"temperature": (1, 1), "top_p": (0.99, 1), "top_k": (0, -1)}
"""What models whose sampling is fixed take all the same: what changes nothing."""


def fact(table: Facts, model: str) -> str:
    """What *table* says of *model*."""
    return next(value for pattern, value in table if fnmatchcase(model.lower(), pattern))
