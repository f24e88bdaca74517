"""OpenRouter's list of models: prices, modalities and parameters of each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import evolve

from jackfield import Capabilities, ModelInfo, Pricing

MILLION = 1_000_000


def parse_model(wire: Mapping[str, Any], plain: ModelInfo) -> ModelInfo:
    """*plain*, which the dialect reads, with what OpenRouter's *wire* tells beyond it."""
    top = wire.get("top_provider") or {}
    return evolve(
        plain,
        max_output_tokens=plain.max_output_tokens or top.get("max_completion_tokens"),
        pricing=parse_pricing(wire.get("pricing") or {}),
        capabilities=parse_capabilities(wire),
    )


def _price(text: Any) -> Decimal | None:
    """A price for a million tokens from one for a token; a negative one means that it depends."""
    try:
        price = Decimal(str(text))
    except InvalidOperation:
        return None
    return price * MILLION if price.is_finite() and price >= 0 else None


def parse_pricing(wire: Mapping[str, Any]) -> Pricing | None:
    """Prices in USD per million tokens."""
    given, made = _price(wire.get("prompt")), _price(wire.get("completion"))
    if given is None or made is None:
        return None
    return Pricing(
        input=given,
        output=made,
        cache_read=_price(wire.get("input_cache_read")),
        cache_write=_price(wire.get("input_cache_write")),
        source="openrouter",
    )


def parse_capabilities(wire: Mapping[str, Any]) -> Capabilities:
    """What the model takes and gives, as far as it is told."""
    about = wire.get("architecture") or {}
    taken, given = (set(about.get(f"{side}_modalities") or ()) for side in ("input", "output"))
    named = wire.get("supported_parameters")
    can = set(named or ())
    told = taken or given

    def known(value: bool, whether: Any) -> bool | None:
        return value if whether else None

    return Capabilities(
        tools=known("tools" in can, named),
        structured_output=known("structured_outputs" in can, named),
        reasoning=known(bool({"reasoning", "include_reasoning"} & can), named),
        vision=known("image" in taken, told),
        documents=known("file" in taken, told),
        audio_input=known("audio" in taken, told),
        video_input=known("video" in taken, told),
        image_output=known("image" in given, told),
        audio_output=known("audio" in given, told),
        embeddings=known("embeddings" in given, told),
    )
