"""A provider's own batches as a flow: hand in, look after it now and then, fetch the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, frozen

from ..errors import LLMError, ProviderError
from ..flow import RANDOM, Flow, Sleep, invoke
from ..middleware.batch_costs import OWN
from ..operations.jobs import (
    BatchCreateRequest,
    BatchInfoRequest,
    BatchItem,
    BatchJob,
    BatchResultsRequest,
    JobStatus,
)
from ..provider import LLMProvider
from ..requests import Request
from .checkpoint import KeptJob


@frozen(kw_only=True)
class Polling:
    """How often a provider is asked about a batch: first after *initial* seconds.

    Each pause is *factor* times the one before, up to *longest*, and up to a
    quarter longer by chance. After *patience* failures in a row it is given up.
    """

    initial: float = 5.0
    factor: float = 1.5
    longest: float = 300.0
    patience: int = 10


@define(eq=False)
class NativeJob:
    """Requests that *provider* works off as one of its batches, under their *places*.

    *kept* is the batch if it was handed in before; *remember* is told when it is.
    """

    provider: LLMProvider
    places: tuple[int, ...]
    requests: tuple[Request[Any], ...]
    polling: Polling
    remember: Callable[[KeptJob], None]
    kept: KeptJob | None = None

    def work(self) -> Any:
        """The response or the error of each request; one error where the batch was not accepted.

        Raises:
            LLMError: it was, and cannot be watched.
        """
        return self.provider._driver.run(self.flow())  # noqa: SLF001  # a call of several calls

    async def awork(self) -> Any:
        """`work`, on the event loop."""
        return await self.provider._async_driver.run(self.flow())  # noqa: SLF001  # as above

    def flow(self) -> Flow[Any]:
        """Hand in unless that was done, wait for the end, and read what came of it."""
        items = tuple(
            BatchItem(custom_id=f"request-{place}", request=request)
            for place, request in zip(self.places, self.requests, strict=True)
        )
        if self.kept is None:
            try:
                job = yield from self.provider.call(BatchCreateRequest(items=items))
            except LLMError as error:
                return error
            made = self.kept = KeptJob(id=job.id, provider=self.provider.name, places=self.places)
            yield from invoke(lambda: self.remember(made))
        job = yield from self._watch(self.kept.id)
        results = BatchResultsRequest(job_id=job.id, items=items, metadata={OWN: True})
        try:
            found = yield from self.provider.call(results)
        except LLMError as error:
            if job.status is JobStatus.SUCCEEDED or error.retryable:
                raise
            found = ()
        told = {result.custom_id: result.error or result.response for result in found}
        return [told.get(item.custom_id, _lost(job)) for item in items]

    def _watch(self, job_id: str) -> Flow[BatchJob]:
        pause, failures = self.polling.initial, 0
        while True:
            try:
                request = BatchInfoRequest(job_id=job_id, metadata={OWN: True})
                job = yield from self.provider.call(request)
            except LLMError as error:
                failures += 1
                if not error.retryable or failures >= self.polling.patience:
                    raise
            else:
                failures = 0
                if job.status.ended:
                    return job
            yield Sleep(pause * (1 + 0.25 * (yield RANDOM)))
            pause = min(pause * self.polling.factor, self.polling.longest)


def _lost(job: BatchJob) -> LLMError:
    """The error of a request that its batch has no result for."""
    why = f": {job.error}" if job.error else ""
    said = f"batch {job.id} ended as {job.raw_status or job.status} without a result for it{why}"
    return ProviderError(said, code=f"batch_{job.status}")


def can_batch(provider: Any) -> bool:
    """Whether *provider* has batches of its own."""
    needed: Sequence[type[Any]] = (BatchCreateRequest, BatchInfoRequest, BatchResultsRequest)
    return set(needed) <= getattr(provider, "operations", frozenset())
