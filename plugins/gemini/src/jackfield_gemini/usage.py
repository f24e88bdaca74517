"""How an answer ended and what it used, in common words.

Source: https://ai.google.dev/api/generate-content#FinishReason and
https://ai.google.dev/api/generate-content#UsageMetadata
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import fields

from jackfield import FinishReason, Usage

FILTERED = FinishReason.CONTENT_FILTER
FAILED = FinishReason.ERROR

FINISH_REASONS: Mapping[str, FinishReason] = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "SAFETY": FILTERED,
    "RECITATION": FILTERED,
    "BLOCKLIST": FILTERED,
    "PROHIBITED_CONTENT": FILTERED,
    "SPII": FILTERED,
    "IMAGE_SAFETY": FILTERED,
    "IMAGE_PROHIBITED_CONTENT": FILTERED,
    "IMAGE_RECITATION": FILTERED,
    # The model wanted something and could not say it: nothing of use came.
    "MALFORMED_FUNCTION_CALL": FAILED,
    "MALFORMED_RESPONSE": FAILED,
    "UNEXPECTED_TOOL_CALL": FAILED,
    "TOO_MANY_TOOL_CALLS": FAILED,
    "MISSING_THOUGHT_SIGNATURE": FAILED,
    "NO_IMAGE": FAILED,
    "IMAGE_OTHER": FAILED,
    "LANGUAGE": FinishReason.OTHER,
    "OTHER": FinishReason.OTHER,
}


NUMBERED = (
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"),
    *("LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL"),
    *("IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "IMAGE_PROHIBITED_CONTENT"),
    *("IMAGE_OTHER", "NO_IMAGE", "IMAGE_RECITATION", "MISSING_THOUGHT_SIGNATURE"),
)
"""The same words by their numbers, which some gateways ask the service for."""


def finish_word(told: str | int) -> str:
    """The word for how an answer ended; a number that is not known stays one."""
    known = isinstance(told, int) and 0 <= told < len(NUMBERED)
    return NUMBERED[told] if known else str(told)  # type: ignore[index]  # an int, just checked


def count(value: Any) -> int | None:
    """A count, if *value* is one; 64-bit ones come as texts."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _sum(*counts: int | None) -> int | None:
    known = [n for n in counts if n is not None]
    return sum(known) if known else None


def _audio(details: Any) -> int | None:
    told = [d for d in details if isinstance(d, Mapping)] if isinstance(details, list) else ()
    found = [d for d in told if d.get("modality") in ("AUDIO", 4)]
    return _sum(*(count(d.get("tokenCount")) for d in found))


def parse_usage(wire: Mapping[str, Any] | None) -> Usage:
    """Usage in inclusive totals.

    The wire counts thoughts beside the answer, and what server tools read beside
    the prompt; it leaves out a count of zero where the total says the rest.
    """
    wire = wire or {}
    thought = count(wire.get("thoughtsTokenCount"))
    read = _sum(count(wire.get("promptTokenCount")), count(wire.get("toolUsePromptTokenCount")))
    written = _sum(count(wire.get("candidatesTokenCount")), thought)
    total = count(wire.get("totalTokenCount"))
    if written is None and total is not None and read is not None:
        written = max(0, total - read)
    return Usage(
        input_tokens=read,
        output_tokens=written,
        cache_read_tokens=count(wire.get("cachedContentTokenCount")),
        reasoning_tokens=thought,
        audio_input_tokens=_audio(wire.get("promptTokensDetails")),
        audio_output_tokens=_audio(wire.get("candidatesTokensDetails")),
        raw=dict(wire),
    )


def add(used: Iterable[Usage]) -> Usage:
    """What several requests used together; what one of them did not tell is unknown."""
    found = list(used)
    total: dict[str, int | None] = {}
    for name in (f.name for f in fields(Usage) if f.name != "raw"):
        told = [getattr(usage, name) for usage in found]
        total[name] = None if None in told else sum(told)
    raws = [dict(usage.raw) for usage in found]
    return Usage(**total, raw={"requests": raws} if any(raws) else {})
