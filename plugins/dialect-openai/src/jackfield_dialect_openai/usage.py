"""What the dialect's servers count and charge."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jackfield import Cost, Usage


def count(value: Any) -> int | None:
    """A token count, if *value* is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and value >= 0 else None


def _details(wire: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = wire.get(name)
    return found if isinstance(found, Mapping) else {}


def _first(*values: Any) -> int | None:
    return next((c for value in values if (c := count(value)) is not None), None)


def parse_usage(wire: Mapping[str, Any] | None) -> Usage:
    """Usage in inclusive totals.

    Some servers count reasoning beside the completion and not in it: their total tells,
    or that the part is larger than what it should be part of.
    """
    if not wire:
        return Usage()
    prompt, completion = (_details(wire, f"{p}_tokens_details") for p in ("prompt", "completion"))
    inputs = _first(wire.get("prompt_tokens"), wire.get("input_tokens"))
    outputs = _first(wire.get("completion_tokens"), wire.get("output_tokens"))
    reasoning = _first(completion.get("reasoning_tokens"), wire.get("reasoning_tokens"))
    if inputs is not None and outputs is not None and reasoning:
        total = count(wire.get("total_tokens"))
        apart = reasoning > outputs or total == inputs + outputs + reasoning
        outputs += reasoning if apart else 0
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        cache_read_tokens=_first(
            prompt.get("cached_tokens"),
            wire.get("cached_tokens"),
            wire.get("prompt_cache_hit_tokens"),
        ),
        cache_write_tokens=count(prompt.get("cache_write_tokens")),
        reasoning_tokens=reasoning,
        audio_input_tokens=count(prompt.get("audio_tokens")),
        audio_output_tokens=count(completion.get("audio_tokens")),
        raw=wire,
    )


def parse_cost(wire: Mapping[str, Any] | None) -> Cost | None:
    """The cost that the server itself reports, in USD; xAI's ticks are 10^-10 of one."""
    for name, unit in (("cost", 1), ("cost_in_usd_ticks", 10**10)):
        told = (wire or {}).get(name)
        if isinstance(told, int | float) and not isinstance(told, bool) and math.isfinite(told):
            return Cost(amount=Decimal(str(told)) / unit, source="provider")
    return None
