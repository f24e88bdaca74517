"""Rows of the ledger: what one attempt reserves before it is sent, and what it came to."""

from __future__ import annotations

import json
from datetime import UTC
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve

from ..errors import InvalidRequestError
from ..requests import Request
from ..types import CallWarning, Pricing
from .budgets import Claim, admit, shift
from .costs import EXACT, FREE, Seen, Settlement, finished, known_price, named, raw, worst
from .ledger_file import RESERVE, new_id, stamp
from .ledger_store import Quick, Store

if TYPE_CHECKING:
    from ..provider import LLMProvider
    from .ledger import Ledger

_COUNTS = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "audio_input_tokens", "audio_output_tokens"),
)
_TEXTS = ("model", "price", "error", "code", "request_id", "response_id")
_BEFORE = (
    "SELECT CASE currency WHEN 'USD' THEN coalesce(amount, CASE status WHEN 'started'"
    " THEN reserved END) END FROM attempts WHERE id = ?"
)
_ENDED = (
    *("status", "estimated", "amount", "currency", "source", "raw_usage", "seconds", "answered"),
    *("price", "error", "code", "request_id", "response_id", *_COUNTS),
)
_BEGUN = (
    *("id", "call_id", "started", "provider", "kind", "operation", "model", "tags", "tenant"),
    *("multiplier", "reserved", "owner"),
)
_UPDATE = f"UPDATE attempts SET {' = ?, '.join(_ENDED)} = ? WHERE id = ?"  # noqa: S608  # our own words
_WHOLE = (
    f"INSERT OR REPLACE INTO attempts ({', '.join((*_BEGUN, *_ENDED))})"  # noqa: S608  # our own words
    f" VALUES ({', '.join('?' * (len(_BEGUN) + len(_ENDED)))})"
)

_encode = msgspec.json.Encoder().encode

MOST = 2**63 - 1
"""The largest count that the file takes; more is a mistake of the server's."""


def _text(value: Any) -> str | None:
    """*value* as the database takes it; None for what is no text."""
    if not isinstance(value, str) or not value:
        return None
    text = value[:500]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _tags(request: Request[Any]) -> tuple[str, ...]:
    """The tags in *request*'s metadata, each once."""
    given = request.metadata.get("tags") or ()
    given = (given,) if isinstance(given, str) else given
    if not isinstance(given, list | tuple) or not all(isinstance(tag, str) for tag in given):
        message = 'metadata tags must be a list of texts: write metadata={"tags": ["project-x"]}'
        raise InvalidRequestError(message, param="metadata", phase="build")
    return tuple(dict.fromkeys(text for tag in given if (text := _text(tag))))


class Attempt:
    """One attempt on its way: its row, what is seen of it, how it ends.

    ``kind`` and ``pricing`` are of who is asked, ``warnings`` of budgets.
    """

    def __init__(self, ledger: Ledger, provider: LLMProvider, request: Request[Any]) -> None:
        self.ledger, self.provider, self.request = ledger, provider, request
        self.seen = Seen()
        self.kind = provider.info.name
        self.pricing: Pricing | None = None
        self.warnings: tuple[CallWarning, ...] = ()
        self.reserved = self._whole = False
        self._ended: tuple[Settlement, float | None] | None = None
        self.id = ""
        self.operation = type(request).__name__
        self.call_id = request.metadata.get("call_id")

    def price(self, result: Any) -> Pricing | None:
        """The price of the model that gave *result*."""
        answered = getattr(result, "model", None)
        if self.pricing is FREE or not answered or answered == self.request.model:
            return self.pricing
        found = self.provider.pricing(answered)
        return self.pricing if found is None else found

    def reserve(self) -> None:
        """Write the row, before anything is sent.

        Raises:
            InvalidRequestError: its tags are none.
            LedgerError: it cannot be written.
            QuotaExceededError: a hard budget would be exceeded.
        """
        self.claimed(*self.appraise())
        budgets = bool(self.ledger.budgets)
        quick = None if budgets else self._line
        told = self.ledger.store.write(self._insert, first=budgets, quick=quick)
        self.warnings, self.reserved = told or (), True
        self.ledger.warn(self.claim.provider, self.warnings)

    def appraise(self) -> tuple[str, Decimal | None]:
        """The model that is asked, and the most that it could cost."""
        request = self.request
        self.pricing = known_price(self.kind, request, self.provider.pricing(request.model))
        assumed = self.ledger.settings.assumed_output
        return request.model, worst(request, self.kind, self.pricing, assumed)

    def claimed(self, model: str, most: Decimal | None) -> None:
        """Have the row claim the *most* that it could cost, of what is asked of *model*."""
        self.claim = Claim(
            provider=self.provider.name,
            kind=self.kind,
            model=_text(model) or "",
            tags=_tags(self.request),
            started=self.ledger.clock().astimezone(UTC),
            amount=most,
        )
        self.id = new_id(self.claim.started)
        self._row = self._reservation()

    def came_to(self, result: Any) -> Settlement:
        """What the attempt came to that gave *result*."""
        return finished(self.request, result, self.seen, self.price(result))

    def _reservation(self) -> tuple[Any, ...]:
        """The row as it begins, but for its owner."""
        claim, metadata = self.claim, self.request.metadata
        tags = json.dumps(claim.tags, ensure_ascii=False) if claim.tags else "[]"
        multiplier = self.ledger.multipliers.get(claim.provider, Decimal(1))
        return (
            *(self.id, _text(self.call_id), stamp(claim.started), claim.provider),
            *(self.kind, self.operation, claim.model, tags),
            *(_text(metadata.get("tenant")), str(multiplier), named(self.pricing)),
            _money(claim.amount),
        )

    def _insert(self, store: Store) -> tuple[CallWarning, ...]:
        if self._ended is not None:  # the caller left before this thread came to it
            return ()
        warnings = admit(store.connection.execute, self.ledger.budgets, self.claim)
        self.insert(store)
        return warnings

    def insert(self, store: Store) -> None:
        """Write the row, and count what it reserves."""
        execute = store.connection.execute
        if execute(RESERVE, (*self._row, store.owner)).rowcount == 1:
            shift(execute, self.claim, self.claim.amount or Decimal(0))

    def _line(self) -> Quick | None:
        """The row for the journal, and what writes it into the table."""
        return None if self._ended is not None else (_encode(self._row), self._book)

    def _book(self, store: Store) -> None:
        """Write the row that was in the journal alone: at once as it ended, if it has."""
        if self._ended is None or store.counting:
            self.insert(store)
            if self._ended is not None:  # and what says so may have come before the row
                self.update(*self._ended, store)
            return
        *begun, _price, reserved = self._row
        row = (*begun, reserved, store.owner, *_facts(*self._ended))
        store.connection.execute(_WHOLE, row)
        self._whole = True

    def settle(self, settled: Settlement, seconds: float, *, leaving: bool = False) -> None:
        """Have written how the attempt ended: with the next reservation, or a moment from now."""
        if self._ended is None:
            settled = self._reckoned(settled)
            self._ended = settled, seconds
            update = partial(self.update, settled, seconds)
            self.ledger.store.later(update, leaving=leaving)

    def _reckoned(self, settled: Settlement) -> Settlement:
        """*settled*; where nobody knows what an attempt came to that may have been made, it is what was reserved."""
        unknown = settled.status in ("uncertain", "cancelled") and settled.amount is None
        if (
            not unknown or self.claim.amount is None
        ):  # one that was not sent may have claimed nothing
            return settled
        reckoned: dict[str, Any] = {"amount": self.claim.amount, "source": "estimated"}
        return evolve(settled, **reckoned, estimated=True, price=named(self.pricing))

    def update(self, settled: Settlement, seconds: float | None, store: Store) -> None:
        """Have the row say how the attempt ended; the counters move by the difference."""
        if self._whole:
            return
        execute = store.connection.execute
        before = execute(_BEFORE, (self.id,)).fetchone() if store.counting else None
        execute(_UPDATE, (*_facts(settled, seconds), self.id))
        if before is not None:  # else it was left before it was reserved, or nobody counts
            now = settled.amount if settled.currency == "USD" and settled.amount else Decimal(0)
            shift(execute, self.claim, EXACT.subtract(now, Decimal(before[0] or 0)))


def _facts(settled: Settlement, seconds: float | None) -> tuple[Any, ...]:
    """How an attempt ended, as `_ENDED` names it."""
    usage, money = settled.usage, _money(settled.amount)
    texts = [_text(getattr(settled, name)) for name in _TEXTS]
    given = [getattr(usage, name) for name in _COUNTS]
    counts = [None if count is None else min(max(count, 0), MOST) for count in given]
    told = (settled.status, settled.estimated, money, settled.currency, settled.source)
    return (*told, raw(usage), seconds, *texts, *counts)


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
