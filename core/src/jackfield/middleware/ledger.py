"""The ledger: one row for each attempt, written before it is sent and settled however it ends."""

from __future__ import annotations

import json
import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve

from ..errors import InvalidRequestError
from ..events import StreamStart
from ..flow import NOW, Defer, Flow, Wrapper, invoke, tap
from ..hookspecs import hookimpl
from ..manager.settings import BudgetSettings, LedgerSettings
from ..requests import Request
from ..types import CallWarning, Pricing
from .budgets import Claim, admit, check_budgets, shift
from .costs import (
    EXACT,
    FREE,
    Seen,
    Settlement,
    failed,
    finished,
    known_price,
    left,
    named,
    raw,
    worst,
)
from .folders import state_file
from .ledger_store import LedgerError, Store, new_id, stamp
from .timing import utc_now

if TYPE_CHECKING:
    from ..provider import LLMProvider

LOG = logging.getLogger("jackfield")

FILE = "ledger.sqlite"

_COUNTS = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "audio_input_tokens", "audio_output_tokens"),
)
_TEXTS = ("model", "price", "error", "code", "request_id", "response_id")
_INSERT = (
    "INSERT INTO attempts (id, call_id, started, provider, kind, operation, model, tags, tenant,"
    " multiplier, price, status, estimated, currency, source, reserved, owner) VALUES"
    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'started', 0, 'USD', 'unknown', ?, ?)"
)
_UPDATE = (
    "UPDATE attempts SET status = ?, estimated = ?, amount = ?, currency = ?, source = ?,"
    " raw_usage = ?, seconds = ?, answered = ?, price = ?, error = ?, code = ?, request_id = ?,"
    " response_id = ?, input_tokens = ?, output_tokens = ?, cache_read_tokens = ?,"
    " cache_write_tokens = ?, reasoning_tokens = ?, audio_input_tokens = ?,"
    " audio_output_tokens = ? WHERE id = ?"
)

MOST = 2**63 - 1
"""The largest count that the file takes; more is a mistake of the server's."""


def ledger_file(settings: LedgerSettings) -> Path:
    """Where the ledger of *settings* is."""
    return state_file(FILE, settings.path)


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


class Ledger:
    """Middleware that writes one row for each attempt at a backend, and keeps *budgets*.

    *multipliers* are applied to costs in analyses, by a provider's name; *clock* is the wall
    clock of rows and periods. Nothing is opened before the first attempt; `close` when done,
    though a crash, too, loses nothing. A ledger serves any number of threads, tasks and
    providers; several processes may share its file.
    """

    def __init__(
        self,
        settings: LedgerSettings | None = None,
        budgets: Sequence[BudgetSettings] = (),
        *,
        multipliers: Mapping[str, Decimal] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        check_budgets(budgets)
        self.settings = settings or LedgerSettings()
        self.budgets = tuple(budgets)
        self.multipliers = dict(multipliers or {})
        self.clock = clock
        self.store = Store(ledger_file(self.settings), self.settings.durability)
        weakref.finalize(self, self.store.close)  # at the latest when the program ends
        self._said: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Write what waits, and let go of the file; a further attempt opens it again."""
        self.store.close()

    @hookimpl
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper:
        """Go around an attempt of *provider* at *request*."""
        return partial(self._booked, provider, request)

    def _booked(self, provider: LLMProvider, request: Request[Any], flow: Flow[Any]) -> Flow[Any]:
        attempt = Attempt(self, provider, request)
        seen, began = attempt.seen, 0.0
        try:
            # However the call ends, its row is settled then, off the event loop: also where the
            # caller leaves, when a flow can ask for nothing more.
            yield Defer(attempt.settle)
            yield from invoke(attempt.reserve)
            began = yield NOW
            watched = _Watched(seen, attempt.warnings)
            result = yield from tap(flow, watched.came, change=watched.begun)
            attempt.ended(
                finished(request, result, seen, attempt.price(result)), (yield NOW) - began
            )
        except Exception as error:
            if attempt.reserved:
                price = attempt.pricing
                attempt.ended(failed(request, error, seen, price), (yield NOW) - began)
                # At once: what it had reserved must be free for the next attempt.
                yield from invoke(attempt.settle)
            raise
        except GeneratorExit:
            seconds = max(seen.at - began, 0.0)
            attempt.ended(left(request, seen, attempt.pricing), seconds)
            raise
        finally:
            flow.close()
        return _warned(result, attempt.warnings)

    def warn(self, provider: str, warnings: Sequence[CallWarning]) -> None:
        """Say *warnings* in the log, each once in the life of the ledger."""
        for warning in warnings:
            key = (provider, warning.subject)
            if key not in self._said:
                self._said.add(key)
                LOG.warning("%s: %s", provider, warning)


class Attempt:
    """One attempt on its way: its row, what is seen of it, how it ends."""

    def __init__(self, ledger: Ledger, provider: LLMProvider, request: Request[Any]) -> None:
        self.ledger, self.provider, self.request = ledger, provider, request
        self.seen = Seen()
        self.kind = provider.info.name
        self.pricing: Pricing | None = None
        self.warnings: tuple[CallWarning, ...] = ()
        self.reserved = self.over = False
        self.id = ""
        self._settlement: Settlement | None = None
        self._seconds = 0.0

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
        request, ledger = self.request, self.ledger
        self.pricing = known_price(self.kind, request, self.provider.pricing(request.model))
        self.claim = Claim(
            provider=self.provider.name,
            kind=self.kind,
            model=_text(request.model) or "",
            tags=_tags(request),
            started=ledger.clock().astimezone(UTC),
            amount=worst(request, self.kind, self.pricing, ledger.settings.assumed_output),
        )
        self.id = new_id(self.claim.started)
        self.warnings = ledger.store.write(self._insert)
        self.reserved = True
        ledger.warn(self.claim.provider, self.warnings)

    def _insert(self, store: Store) -> tuple[CallWarning, ...]:
        if self.over:  # the caller left before this thread came to it
            return ()
        execute, claim, metadata = store.connection.execute, self.claim, self.request.metadata
        warnings = admit(execute, self.ledger.budgets, claim)
        multiplier = self.ledger.multipliers.get(claim.provider, Decimal(1))
        row = (
            *(self.id, _text(metadata.get("call_id")), stamp(claim.started)),
            *(claim.provider, self.kind, type(self.request).__name__, claim.model),
            *(
                json.dumps(claim.tags, ensure_ascii=False) if claim.tags else "[]",
                _text(metadata.get("tenant")),
            ),
            *(str(multiplier), named(self.pricing), _money(claim.amount), store.owner),
        )
        execute(_INSERT, row)
        shift(execute, claim, claim.amount or Decimal(0))
        return warnings

    def ended(self, settlement: Settlement, seconds: float) -> None:
        """Keep how the attempt ended, to be written by `settle`."""
        self._settlement, self._seconds = settlement, seconds

    def settle(self) -> None:
        """Write how the attempt ended, once; what cannot be written now waits for the next write."""
        if self.over or self._settlement is None:
            return
        self.over = True
        try:
            self.ledger.store.write(partial(self._update, self._settlement), must=True)
        except LedgerError as error:
            LOG.error("an attempt is not settled yet: %s", error)  # noqa: TRY400  # the trace tells nothing

    def _update(self, settled: Settlement, store: Store) -> None:
        execute = store.connection.execute
        found = execute(
            "SELECT coalesce(amount, CASE status WHEN 'started' THEN reserved END), currency,"
            " EXISTS (SELECT 1 FROM counters) FROM attempts WHERE id = ?",
            (self.id,),
        ).fetchone()
        if found is None:
            return  # it was left before it was reserved
        usage, money = settled.usage, _money(settled.amount)
        facts = (settled.status, settled.estimated, money, settled.currency, settled.source)
        texts = (_text(getattr(settled, name)) for name in _TEXTS)
        counts = (n if (n := getattr(usage, name)) is None else min(n, MOST) for name in _COUNTS)
        execute(_UPDATE, (*facts, raw(usage), self._seconds, *texts, *counts, self.id))
        before, currency, counted = found
        if counted:
            now = settled.amount if settled.currency == "USD" and settled.amount else Decimal(0)
            old = Decimal(before or 0) if currency == "USD" else Decimal(0)
            shift(execute, self.claim, EXACT.subtract(now, old))


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


class _Watched:
    """Notes a flow in *seen*, step by step; *warnings* ride on its start."""

    def __init__(self, seen: Seen, warnings: tuple[CallWarning, ...]) -> None:
        self._seen, self._warnings = seen, warnings

    def begun(self, step: Any) -> Any:
        """Note what is asked or delivered."""
        if type(step) is not list:
            self._seen.sending(step)
            return step
        self._seen.events(step)
        if self._warnings and type(step[0]) is StreamStart:
            told, self._warnings = (*self._warnings, *step[0].warnings), ()
            step = [msgspec.structs.replace(step[0], warnings=told), *step[1:]]
        return step

    def came(self, step: Any, outcome: Any) -> None:
        """Note what came of it."""
        if type(step) is not list:
            self._seen.came(step, outcome)


def _warned(result: Any, warnings: tuple[CallWarning, ...]) -> Any:
    """*result* with *warnings* before its own, where it has some."""
    if not warnings or not isinstance(getattr(result, "warnings", None), tuple):
        return result
    return evolve(result, warnings=(*warnings, *result.warnings))
