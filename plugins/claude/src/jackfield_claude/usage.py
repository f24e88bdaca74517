"""How an answer ended and what it used, in common words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield import FinishReason, Usage

FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
    # The same conversation continues when the answer is sent back as it is.
    "pause_turn": FinishReason.OTHER,
    "compaction": FinishReason.OTHER,
}

EMPTY: Mapping[str, Any] = {}


def count(value: Any) -> int | None:
    """A token count, if *value* is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def parse_usage(wire: Mapping[str, Any]) -> Usage:
    """Usage in inclusive totals: the wire counts cached input beside the other input."""
    fresh = count(wire.get("input_tokens"))
    read = count(wire.get("cache_read_input_tokens"))
    written = count(wire.get("cache_creation_input_tokens"))
    details = wire.get("output_tokens_details")
    thought = details.get("thinking_tokens") if isinstance(details, Mapping) else None
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=count(wire.get("output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count(thought),
        raw=dict(wire),
    )
