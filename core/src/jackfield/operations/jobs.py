"""Jobs that a provider works off later: batches of requests, and fine-tuning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

from ..errors import LLMError
from ..requests import Request
from ..types import CallWarning, Cost, Json


class JobStatus(StrEnum):
    """Where a job stands; the provider's own word is kept beside it."""

    PENDING = "pending"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OTHER = "other"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self in {self.SUCCEEDED, self.FAILED, self.CANCELLED, self.EXPIRED}


@frozen(kw_only=True)
class Job:
    """What jobs of all kinds have; *warnings* are of the call that made one. Times are aware, in UTC."""

    id: str
    status: JobStatus = JobStatus.OTHER
    raw_status: str | None = None
    model: str = ""
    created_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Json = field(factory=dict, repr=False)


@frozen(kw_only=True)
class BatchJob(Job):
    """A batch of requests: how many there are, and how many have ended in which way."""

    total: int | None = None
    succeeded: int | None = None
    failed: int | None = None


@frozen(kw_only=True)
class BatchItem:
    """One request of a batch, under a name that its result will have."""

    custom_id: str
    request: Request[Any]


@frozen(kw_only=True)
class BatchResult:
    """What became of one request of a batch: the value that running it gives, or its error."""

    custom_id: str
    response: Any = None
    error: LLMError | None = None

    @classmethod
    def answered(cls, custom_id: str, response: Any, share: Decimal | None) -> BatchResult:
        """The answer *response*, read as that of a single call: its computed cost is *share* of it.

        Where no share is published the cost is unknown; one that the provider tells stays.
        """
        cost = getattr(response, "cost", None)
        if cost is not None and cost.amount is not None and cost.source == "computed":
            less = Cost() if share is None else evolve(cost, amount=cost.amount * share)
            response = evolve(response, cost=less)
        return cls(custom_id=custom_id, response=response)


def _items(items: Iterable[BatchItem | Request[Any]]) -> tuple[BatchItem, ...]:
    """*items*; a bare request is named after its place."""
    return tuple(
        item if isinstance(item, BatchItem) else BatchItem(custom_id=f"request-{at}", request=item)
        for at, item in enumerate(items)
    )


@frozen(kw_only=True)
class BatchCreateRequest(Request[BatchJob]):
    """Hand in *items*, to be worked off within a day or so at a lower price."""

    items: tuple[BatchItem, ...] = field(converter=_items)


@frozen(kw_only=True)
class BatchInfoRequest(Request[BatchJob]):
    """Ask where a batch stands."""

    job_id: str


@frozen(kw_only=True)
class BatchListRequest(Request[Sequence[BatchJob]]):
    """Ask which batches there are: all of them, page by page, or the first *limit*."""

    limit: int | None = None


@frozen(kw_only=True)
class BatchCancelRequest(Request[BatchJob]):
    """Stop a batch; what is done already stays."""

    job_id: str


@frozen(kw_only=True)
class BatchDeleteRequest(Request[None]):
    """Have a batch that has ended forgotten, its results too."""

    job_id: str


@frozen(kw_only=True)
class BatchResultsRequest(Request[Sequence[BatchResult]]):
    """Ask for the results of a batch that has ended, in any order.

    The results of other operations than chat need *items*, the batch as it was
    handed in: a provider's answer does not say what was asked.
    """

    job_id: str
    items: tuple[BatchItem, ...] = field(default=(), converter=_items)


@frozen(kw_only=True)
class FineTuneJob(Job):
    """A fine-tuning job; *fine_tuned_model* is the name to call when it has succeeded."""

    fine_tuned_model: str | None = None
    training_file: str | None = None
    trained_tokens: int | None = None


@frozen(kw_only=True)
class FineTuneCreateRequest(Request[FineTuneJob]):
    """Have *model* trained on uploaded files; *suffix* goes into the new model's name."""

    training_file: str
    validation_file: str | None = None
    suffix: str | None = None
    seed: int | None = None


@frozen(kw_only=True)
class FineTuneInfoRequest(Request[FineTuneJob]):
    """Ask where a fine-tuning job stands."""

    job_id: str


@frozen(kw_only=True)
class FineTuneListRequest(Request[Sequence[FineTuneJob]]):
    """Ask which fine-tuning jobs there are: all of them, page by page, or the first *limit*."""

    limit: int | None = None


@frozen(kw_only=True)
class FineTuneCancelRequest(Request[FineTuneJob]):
    """Stop a fine-tuning job."""

    job_id: str
