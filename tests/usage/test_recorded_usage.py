"""Every kind of token that a recorded answer counts is in its usage: cached, written, thought, heard, spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from support.recordings import WIRE, Turn
from support.speakers import SPEAKERS, said

pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}")

WORDS = {
    "cache_read_tokens": (
        r"cached_tokens|cache_read_input_tokens|cachedContentTokenCount|prompt_cache_hit_tokens"
    ),
    "cache_write_tokens": r"cache_creation_input_tokens|cache_write_tokens",
    "reasoning_tokens": r"reasoning_tokens|thoughtsTokenCount|thinking_tokens",
    "audio_input_tokens": r"(?:prompt|input)_tokens_details\.audio_tokens",
    "audio_output_tokens": r"(?:completion|output)_tokens_details\.audio_tokens",
}
"""The words of all wires for each kind of token, found by reading the recordings."""

MODALITIES = {
    "audio_input_tokens": "promptTokensDetails",
    "audio_output_tokens": "candidatesTokensDetails",
}
"""Gemini's lists of counts by modality."""

ITS_OWN = r"(?:prompt|completion|input|output)_tokens"
"""A total that a wire tells itself."""


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Each number in *value* that was measured, by its path."""
    if isinstance(value, dict):
        if value.get("modality") == "AUDIO" and "tokenCount" in value:
            yield f"{path}.AUDIO", value["tokenCount"]
        for key, item in value.items():
            yield from numbers(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


def documents(turn: Turn) -> list[Any]:
    """The JSON documents of the answer."""
    return turn.data() if turn.streamed else [turn.response.get("body")]


def counted(turn: Turn) -> dict[str, float]:
    """The last count of each kind of token in the recording."""
    found: dict[str, float] = {}
    for path, number in (pair for d in documents(turn) for pair in numbers(d)):
        for field, words in WORDS.items():
            by_modality = path.endswith(f"{MODALITIES.get(field)}.AUDIO")
            if by_modality or re.search(rf"\.(?:{words})$", path):
                found[field] = number
    return found


@pytest.mark.parametrize("way", SPEAKERS)
def test_each_kind_of_token_that_is_told_is_read(way: str) -> None:
    for one in said(way):
        usage = one.answer.usage
        read = {field: getattr(usage, field) or 0 for field in WORDS}
        told = {**dict.fromkeys(WORDS, 0), **counted(one.turn)}
        assert read == told, f"{one}: {usage.raw}"


@pytest.mark.parametrize("way", SPEAKERS)
def test_totals_include_their_parts(way: str) -> None:
    """OpenTelemetry's rule, unless the wire itself tells a total that is less."""
    for one in said(way):
        usage = one.answer.usage
        own = {
            number
            for document in documents(one.turn)
            for path, number in numbers(document)
            if re.search(rf"usage\.{ITS_OWN}$", path)
        }
        for total, parts in (
            (usage.input_tokens, (usage.cache_read_tokens, usage.cache_write_tokens)),
            (usage.input_tokens, (usage.audio_input_tokens,)),
            (usage.output_tokens, (usage.reasoning_tokens, usage.audio_output_tokens)),
        ):
            whole = total is None or sum(part or 0 for part in parts) <= total
            assert whole or total in own, f"{one}: {usage}"


def test_the_recordings_have_every_kind_of_token() -> None:
    found = {field for way in SPEAKERS for one in said(way) for field in counted(one.turn)}
    assert found == set(WORDS)


UNITS = {"cost": 1, "cost_in_usd_ticks": 10**10}
"""A provider's own words for a cost, and how many of its units are a dollar."""


@pytest.mark.parametrize("way", SPEAKERS)
def test_a_cost_that_the_provider_tells_is_read(way: str) -> None:
    for one in said(way):
        told = [
            Decimal(str(number)) / UNITS[name]
            for document in documents(one.turn)
            for path, number in numbers(document)
            if (name := path.rpartition("usage.")[2]) in UNITS
        ]
        if told:
            assert (one.answer.cost.amount, one.answer.cost.source) == (told[-1], "provider")
