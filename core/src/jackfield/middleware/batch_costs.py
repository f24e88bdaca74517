"""What the answers of providers' own batches cost, and what a manager asks for its own sake."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import evolve, field, frozen

from ..operations.jobs import BatchItem, BatchResult
from ..provider import LLMProvider
from ..requests import AnswerRequest, Request
from ..types import Cost, Pricing, Usage
from .costs import FREE, FREE_REQUESTS, HOME, Seen, Settlement, failed, finished, known_price, worst

OWN = "jackfield.own"
"""In the metadata of what a manager asks for its own sake: nobody's use."""


def for_itself(request: Request[Any]) -> bool:
    """Whether a manager asks *request* to find its way: for models' names, say. Such costs nothing."""
    return OWN in request.metadata and type(request).__name__ in FREE_REQUESTS


@frozen(kw_only=True)
class BatchPricing(Pricing):
    """The price of a model in a batch: *share* of what *single* calls cost."""

    single: Pricing = field(repr=False)
    share: Decimal

    @classmethod
    def of(cls, single: Pricing, share: Decimal) -> BatchPricing:
        """*share* of *single*."""
        known = {n: getattr(single, n) for n in ("input", "output", "cache_read", "cache_write")}
        told: dict[str, Any] = {n: None if p is None else p * share for n, p in known.items()}
        source = f"{single.source}, {share} of it for batches" if share != 1 else single.source
        return cls(**told, source=source, as_of=single.as_of, single=single, share=share)

    def cost(self, usage: Usage) -> Cost:
        """The price of *usage*; unknown where that of single calls is."""
        found = self.single.cost(usage)
        return found if found.amount is None else evolve(found, amount=found.amount * self.share)


def batch_price(provider: LLMProvider, request: Request[Any]) -> Pricing | None:
    """What *request* costs at *provider* in a batch: its ``batch_share`` of a single call's price.

    Where it has none, nobody published one: the price of a single call is an estimate then.
    """
    single = known_price(provider.info.name, request, provider.pricing(request.model))
    if single is None or single is FREE or single is HOME:
        return single
    share = provider.batch_share
    return BatchPricing.of(single, Decimal(1) if share is None else share)


def most_of_batch(
    provider: LLMProvider, items: Sequence[BatchItem], assumed: int
) -> Decimal | None:
    """The most that *items* can cost together; None where the price of one is unknown."""
    total, prices = Decimal(0), dict[str, Pricing | None]()
    for item in items:
        request = item.request
        if request.model not in prices:
            prices[request.model] = batch_price(provider, request)
        most = worst(request, provider.info.name, prices[request.model], assumed)
        if most is None:
            return None
        total += most
    return total


@frozen(kw_only=True)
class BatchLine:
    """One result of a batch: its *key*, the *request* it answers, and what it came to."""

    key: str
    request: Request[Any]
    settled: Settlement
    pricing: Pricing | None


def batch_lines(
    provider: LLMProvider, items: Sequence[BatchItem], results: Sequence[BatchResult]
) -> list[BatchLine]:
    """What *results* came to; *items* are the batch as it was handed in, where that is known."""
    asked = {item.custom_id: item.request for item in items}
    prices: dict[str, Pricing | None] = {}
    lines = []
    for result in results:
        model = str(getattr(result.response, "model", "") or "")
        request = asked.get(result.custom_id, AnswerRequest(model=model))
        if request.model not in prices:
            prices[request.model] = batch_price(provider, request)
        price = prices[request.model]
        settled = _settled(request, result, price)
        lines.append(
            BatchLine(key=result.custom_id, request=request, settled=settled, pricing=price)
        )
    return lines


def _told_by_the_provider(response: Any) -> bool:
    cost = getattr(response, "cost", None)
    return cost is not None and cost.amount is not None and cost.source == "provider"


def _settled(request: Request[Any], result: BatchResult, pricing: Pricing | None) -> Settlement:
    if result.error is not None:
        return failed(request, result.error, Seen(), pricing)
    response = result.response
    # A plugin may have reckoned it as that of a single call.
    if not _told_by_the_provider(response):
        response = evolve(response, cost=Cost()) if hasattr(response, "cost") else response
    settled = finished(request, response, Seen(), pricing)
    unsure = isinstance(pricing, BatchPricing) and pricing.share == 1
    if unsure and settled.source == "computed":  # nobody published what a batch costs there
        return evolve(settled, source="estimated")
    return settled
