"""The price of a model as the library has it, with its tiers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import field, frozen

from jackfield import Cost, Pricing, Usage

COUNTS: Mapping[str, str] = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "audio_input_tokens": "input_audio_tokens",
    "audio_output_tokens": "output_audio_tokens",
}


@frozen(kw_only=True)
class ModelPricing(Pricing):
    """The library's price of a model; its tiers and its prices of sound count in `cost`."""

    prices: Any = field(repr=False)

    def cost(self, usage: Usage) -> Cost:
        """The price of *usage* now; unknown where a count that has a price was not reported."""
        from genai_prices import Usage as Counted

        counts = {theirs: getattr(usage, ours) for ours, theirs in COUNTS.items()}
        counts["cache_write_1h_tokens"] = _kept_for_an_hour(usage)
        reported = {name: count for name, count in counts.items() if count is not None}
        if (self.output and "output_tokens" not in reported) or "input_tokens" not in reported:
            return Cost()
        try:
            amount = self.prices.calc_price(Counted(**reported))["total_price"]
        except ValueError:  # counts that contradict each other
            return Cost()
        return Cost(amount=amount, source="computed")


def _kept_for_an_hour(usage: Usage) -> int | None:
    """Tokens that Claude wrote into its cache for an hour, at another price."""
    written = usage.raw.get("cache_creation")
    return written.get("ephemeral_1h_input_tokens") if isinstance(written, Mapping) else None


class Models:
    """The models of one edition of the library's data, each looked for once: that takes long."""

    def __init__(self, snapshot: Any) -> None:
        self.snapshot = snapshot
        self.find = lru_cache(maxsize=1024)(self._find)

    def _find(self, service: str, model: str) -> Any:
        try:
            return self.snapshot.find_provider_model(model, None, service, None)[1]
        except LookupError:
            return None
