"""The ledger: one row for each attempt, written before it is sent and settled however it ends."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve

from ..events import StreamStart
from ..flow import NOW, Flow, Wrapper, invoke, tap
from ..hookspecs import hookimpl
from ..manager.settings import BudgetSettings, LedgerSettings
from ..operations.jobs import BatchCreateRequest, BatchInfoRequest, BatchResultsRequest
from ..requests import Request
from ..types import CallWarning
from .batch_costs import for_itself
from .budgets import check_budgets
from .costs import Seen, failed, left
from .folders import state_file
from .ledger_batches import EndedBatch, HandIn
from .ledger_file import LedgerError
from .ledger_rows import Attempt
from .ledger_store import Store
from .timing import utc_now

if TYPE_CHECKING:
    from ..provider import LLMProvider

LOG = logging.getLogger("jackfield")

FILE = "ledger.sqlite"


def ledger_file(settings: LedgerSettings) -> Path:
    """Where the ledger of *settings* is."""
    return state_file(FILE, settings.path)


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
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper | None:
        """Go around an attempt of *provider* at *request*."""
        book: Wrapper | None = None
        if not for_itself(request):
            kind = HandIn if isinstance(request, BatchCreateRequest) else Attempt
            book = partial(self._booked, kind(self, provider, request))
        if isinstance(request, BatchInfoRequest | BatchResultsRequest):
            return partial(self._batch, provider, request, book)
        return book

    def _booked(self, attempt: Attempt, flow: Flow[Any]) -> Flow[Any]:
        request, seen, began = attempt.request, attempt.seen, 0.0
        try:
            yield from invoke(attempt.reserve)
            began = yield NOW
            watched = _Watched(seen, attempt.warnings)
            result = yield from tap(flow, watched.came, change=watched.begun)
            attempt.settle(attempt.came_to(result), (yield NOW) - began)
            if isinstance(attempt, HandIn):  # its answers must find what it had reserved
                yield from invoke(self.store.flush_quietly)
        except Exception as error:
            if attempt.reserved:
                settled = failed(request, error, seen, attempt.pricing)
                attempt.settle(settled, (yield NOW) - began)
            raise
        except BaseException:  # the caller leaves, and the flow can ask for nothing more
            settled = left(request, seen, attempt.pricing)
            attempt.settle(settled, max(seen.at - began, 0.0), leaving=True)
            raise
        finally:
            flow.close()
        return _warned(result, attempt.warnings)

    def _batch(
        self, provider: LLMProvider, request: Any, book: Wrapper | None, flow: Flow[Any]
    ) -> Flow[Any]:
        """*flow*; what it tells of a batch that has ended is booked before it is handed out."""
        result = yield from (flow if book is None else book(flow))
        ended = EndedBatch.told_by(self, provider, request, result)
        if ended is not None:
            try:
                yield from invoke(partial(self.store.write, ended.write))
            except LedgerError as error:  # the answers are paid for: whoever asked has them
                LOG.error("a batch is not booked yet: %s", error)  # noqa: TRY400  # the trace tells nothing
                self.store.later(ended.write)
        return result

    def warn(self, provider: str, warnings: Sequence[CallWarning]) -> None:
        """Say *warnings* in the log, each once in the life of the ledger."""
        for warning in warnings:
            key = (provider, warning.subject)
            if key not in self._said:
                self._said.add(key)
                LOG.warning("%s: %s", provider, warning)


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
