"""How an answer ended and what it used, in common words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield import FinishReason, Usage

FINISH_REASONS: Mapping[str, FinishReason] = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
    "ERROR": FinishReason.ERROR,
    "TIMEOUT": FinishReason.ERROR,
    # Those of version 1.
    "ERROR_LIMIT": FinishReason.LENGTH,
    "ERROR_TOXIC": FinishReason.CONTENT_FILTER,
    "USER_CANCEL": FinishReason.OTHER,
}

NOTHING: Mapping[str, Any] = {}


def count(value: Any) -> int | None:
    """A count, if *value* is one; the API may write it as 7.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == int(value) else None


def _inside(wire: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = wire.get(name)
    return found if isinstance(found, Mapping) else NOTHING


def parse_usage(wire: Mapping[str, Any] | None) -> Usage:
    """Usage in inclusive totals, of the tokens the model saw; what is billed where that is all.

    The wire counts an image's tokens beside those of texts. ``raw`` has everything,
    ``billed_units`` among it.
    """
    wire = wire or NOTHING
    tokens, billed = _inside(wire, "tokens"), _inside(wire, "billed_units")
    seen = tokens if count(tokens.get("input_tokens")) is not None else billed
    read, images = count(seen.get("input_tokens")), count(seen.get("image_tokens"))
    if seen is billed and images and read is not None and "output_tokens" in billed:
        images = None  # a chat's bill has its images among the input
    written = tokens if count(tokens.get("output_tokens")) is not None else billed
    return Usage(
        input_tokens=read if images is None else (read or 0) + images,
        output_tokens=count(written.get("output_tokens")),
        cache_read_tokens=count(wire.get("cached_tokens")),
        reasoning_tokens=count(tokens.get("reasoning_tokens")),
        raw=dict(wire),
    )
