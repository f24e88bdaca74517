"""What models cost: answers whose provider names no price are computed with genai-prices' data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jackfield import Pricing, hookimpl

from .pricing import ModelPricing
from .pricing import Models as _Models

SERVICES: Mapping[str, str] = {
    "azure": "azure",
    "claude": "anthropic",
    "cohere": "cohere",
    "gemini": "google",
    "openai": "openai",
    "openrouter": "openrouter",
    "together": "together",
}
"""Our providers and the library's names for their services; what runs at home has no price."""


_known = _Models(None)


def _base(price: Any) -> Decimal | None:
    """A price without its tiers."""
    found: Decimal | None = getattr(price, "base", price)
    return found


@hookimpl
def price_model(provider: str, model: str) -> Pricing | None:
    """The price of *model* at *provider* today, in USD per million tokens; None if it is unknown.

    The library is imported with the first question, and never asks its server for newer prices
    by itself. *as_of* is known where the program had it do so (``genai_prices.UpdatePrices``).
    """
    if provider not in SERVICES:
        return None
    from datetime import UTC, datetime

    from genai_prices import __version__, data_snapshot

    global _known  # noqa: PLW0603  # exchanged as a whole when the data are
    snapshot, known = data_snapshot.get_snapshot(), _known
    if known.snapshot is not snapshot:
        known = _known = _Models(snapshot)
    found = known.find(SERVICES[provider], model)
    if found is None:
        return None
    prices = found.get_prices(datetime.now(UTC))
    named = vars(prices)
    if named.get("input_mtok") is None:
        return None  # a price of minutes or of images
    return ModelPricing(
        input=_base(named["input_mtok"]) or Decimal(0),
        output=_base(named.get("output_mtok")) or Decimal(0),
        cache_read=_base(named.get("cache_read_mtok")),
        cache_write=_base(named.get("cache_write_mtok")),
        source=f"genai-prices {__version__}",
        as_of=snapshot.timestamp.date() if snapshot.from_auto_update else None,
        prices=prices,
    )


__all__ = ["SERVICES", "ModelPricing", "price_model"]
