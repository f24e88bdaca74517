"""What calls cost so far, kept in memory: the ledger of a manager that has none."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from attrs import define, frozen

from ..errors import LLMError
from ..flow import Flow, Wrapper
from ..hookspecs import hookimpl
from ..operations.jobs import BatchResultsRequest
from ..provider import LLMProvider
from ..requests import Request
from ..types import Cost, Usage
from .batch_costs import batch_lines, for_itself
from .usage import CostAnalysis


@define
class _Sum:
    """What the attempts at one model of one provider came to."""

    calls: int = 0
    failed: int = 0
    unknown: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)


@frozen
class _Answer:
    """What of an answer is added up."""

    cost: Cost
    usage: Usage


class Tally:
    """Adds up what answers say that they cost; what no answer came of is counted, not guessed.

    *multipliers* are the providers', by name. It ends with the process: for costs that must
    survive it, or of answers that broke off, there is the ledger.
    """

    def __init__(self, multipliers: Mapping[str, Decimal] | None = None) -> None:
        self.multipliers = dict(multipliers or {})
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._batches: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @hookimpl
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper | None:
        """Count the attempt; of a batch's answers, each once."""
        if isinstance(request, BatchResultsRequest):
            return partial(self._answers, provider, request)
        if for_itself(request):
            return None

        def counted(flow: Flow[Any]) -> Flow[Any]:
            try:
                result = yield from flow
            except LLMError as error:
                if error.phase != "limit":
                    self._add(provider.name, request.model, None)
                raise
            self._add(provider.name, request.model, result)
            return result

        return counted

    def _answers(
        self, provider: LLMProvider, request: BatchResultsRequest, flow: Flow[Any]
    ) -> Flow[Any]:
        results = yield from flow
        job = (provider.info.name, request.job_id)
        with self._lock:
            known = job in self._batches
            self._batches.add(job)
        for line in () if known else batch_lines(provider, request.items, results):
            cost = Cost(amount=line.settled.amount, currency=line.settled.currency)
            answer = _Answer(cost, line.settled.usage) if line.settled.status == "ok" else None
            self._add(provider.name, line.request.model, answer)
        return results

    def _add(self, provider: str, model: str, result: Any) -> None:
        cost, usage = getattr(result, "cost", None), getattr(result, "usage", None)
        with self._lock:
            found = self._sums.setdefault((provider, model), _Sum())
            found.calls += 1
            found.failed += result is None
            if cost is not None and cost.amount is not None and cost.currency == "USD":
                found.cost += cost.amount
            elif cost is not None:
                found.unknown += 1
            if usage is not None:
                found.input_tokens += usage.input_tokens or 0
                found.output_tokens += usage.output_tokens or 0

    def analysis(self) -> CostAnalysis:
        """What all of it cost, in US dollars."""
        with self._lock:
            rows = list(self._sums.items())
            providers: dict[str, Decimal] = {}
            models: dict[str, Decimal] = {}
            weighted = Decimal(0)
            for (provider, model), found in rows:
                providers[provider] = providers.get(provider, Decimal(0)) + found.cost
                models[model] = models.get(model, Decimal(0)) + found.cost
                weighted += found.cost * self.multipliers.get(provider, Decimal(1))
            sums = [found for _, found in rows]
            return CostAnalysis(
                total_cost=sum(providers.values(), Decimal(0)),
                weighted_cost=weighted,
                provider_costs=providers,
                model_costs=models,
                calls=sum(s.calls for s in sums),
                failed_calls=sum(s.failed for s in sums),
                unknown_calls=sum(s.unknown for s in sums),
                input_tokens=sum(s.input_tokens for s in sums),
                output_tokens=sum(s.output_tokens for s in sums),
            )
