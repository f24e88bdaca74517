"""Providers' own batches in the ledger: reserved when they are handed in, booked line by line, once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self, cast

from ..operations.jobs import BatchCreateRequest, BatchInfoRequest, BatchJob, JobStatus
from .batch_costs import BatchLine, batch_lines, batch_price, most_of_batch
from .budgets import Claim, shift
from .costs import Settlement, named
from .ledger_file import stamp
from .ledger_rows import Attempt
from .ledger_store import Store

if TYPE_CHECKING:
    from ..provider import LLMProvider
    from .ledger import Ledger

_REMEMBER = "INSERT OR REPLACE INTO batches (kind, job, attempt, booked) VALUES (?, ?, ?, ?)"
_FOUND = "SELECT attempt, booked FROM batches WHERE kind = ? AND job = ?"
_RESERVED = (
    "SELECT provider, kind, model, tags, started, amount FROM attempts"
    " WHERE id = ? AND source = 'estimated'"
)
_RELEASE = (
    "UPDATE attempts SET amount = '0', estimated = 0, source = 'computed',"
    " price = 'its answers are booked' WHERE id = ?"
)


class HandIn(Attempt):
    """A batch that is handed in: what it could cost stays reserved until its answers are booked."""

    def appraise(self) -> tuple[str, Decimal | None]:
        """The model that all of it asks, and the most that it could cost."""
        items = cast("BatchCreateRequest", self.request).items
        models = {item.request.model for item in items}
        if len(models) == 1:
            self.pricing = batch_price(self.provider, items[0].request)
        most = most_of_batch(self.provider, items, self.ledger.settings.assumed_output)
        return ", ".join(sorted(models)), most

    def came_to(self, result: Any) -> Settlement:
        """What it could cost at most: more is not known before its answers are there."""
        self._job = str(result.id)
        most = self.claim.amount
        return Settlement(
            status="ok",
            estimated=most is not None,
            amount=most,
            source="unknown" if most is None else "estimated",
            price=named(self.pricing),
            request_id=self.seen.request_id,
            response_id=self._job,
        )

    def update(self, settled: Settlement, seconds: float | None, store: Store) -> None:
        """As of any attempt; the batch is remembered, so that its answers take the place of this."""
        super().update(settled, seconds, store)
        if settled.status == "ok":
            store.connection.execute(_REMEMBER, (self.kind, self._job, self.id, None))


class EndedBatch:
    """A batch that has ended: a row for each answer takes the place of what it had reserved.

    Whoever tells of it first books it, and whoever tells of it again changes nothing: the
    ledger remembers jobs by the provider's kind and their id.
    """

    def __init__(
        self, ledger: Ledger, provider: LLMProvider, job: str, lines: Sequence[BatchLine]
    ) -> None:
        self._ledger, self._job, self._kind = ledger, job, provider.info.name
        self._rows = [(self._row(provider, line), line.settled) for line in lines]

    @classmethod
    def told_by(
        cls, ledger: Ledger, provider: LLMProvider, request: Any, result: Any
    ) -> Self | None:
        """The batch that *result* tells the end of; None where it tells of none."""
        if not isinstance(request, BatchInfoRequest):
            return cls(
                ledger, provider, request.job_id, batch_lines(provider, request.items, result)
            )
        nothing = (
            isinstance(result, BatchJob)
            and result.status.ended
            and (result.status is JobStatus.FAILED or result.succeeded == 0)
        )
        return cls(ledger, provider, request.job_id, ()) if nothing else None

    def _row(self, provider: LLMProvider, line: BatchLine) -> Attempt:
        row = Attempt(self._ledger, provider, line.request)
        row.pricing = line.pricing
        row.call_id = f"{self._job}/{line.key}"
        row.claimed(line.request.model, None)
        return row

    def write(self, store: Store) -> None:
        """Book all of it, unless that was done."""
        execute = store.connection.execute
        found = execute(_FOUND, (self._kind, self._job)).fetchone()
        attempt, booked = found or (None, None)
        if booked:
            return
        now = stamp(self._ledger.clock())
        execute(_REMEMBER, (self._kind, self._job, attempt, now))
        if attempt is not None:
            self._release(store, attempt)
        for row, settled in self._rows:
            row.insert(store)
            row.update(settled, None, store)

    def _release(self, store: Store, attempt: str) -> None:
        """Have the row of the hand-in hold nothing any more."""
        execute = store.connection.execute
        found = execute(_RESERVED, (attempt,)).fetchone()
        execute(_RELEASE, (attempt,))
        if found is not None:
            *told, amount = found
            shift(execute, Claim.of(*told), -Decimal(amount))
