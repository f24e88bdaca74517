"""Budgets in a simulation: the real rule over counters in memory, by the calendar of the simulation."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from ..errors import QuotaExceededError
from ..flow import NOW, Flow, Wrapper
from ..hookspecs import hookimpl
from ..manager.settings import LedgerSettings, ManagerSettings
from ..middleware.budgets import Claim, admit, shift
from ..middleware.costs import worst
from ..middleware.ledger_file import TABLES
from ..provider import LLMProvider
from ..requests import Request
from .backends import VISIT

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
"""When every simulation begins: a Monday, and the first of a month and a year."""


class Budgets:
    """Middleware around attempts that holds them to the budgets of *settings*.

    An attempt has reserved the most that it could cost until it is over, as in the
    ledger; then it has spent what its visit says. *refused* counts attempts, *over*
    those that a soft budget would have stopped. For virtual time alone.
    """

    def __init__(self, settings: ManagerSettings) -> None:
        self._budgets = settings.budgets
        self._assumed = (settings.ledger or LedgerSettings()).assumed_output
        self._memory = sqlite3.connect(":memory:", isolation_level=None)
        self._memory.executescript(TABLES)
        self.refused = self.over = 0

    def close(self) -> None:
        """Forget everything."""
        self._memory.close()

    @hookimpl
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper:
        """Have an attempt reserve what it could cost."""
        return partial(self._held, provider, request)

    def _held(self, provider: LLMProvider, request: Request[Any], flow: Flow[Any]) -> Flow[Any]:
        kind, visit = provider.info.name, request.metadata[VISIT]
        most = worst(request, kind, provider.pricing(request.model), self._assumed)
        claim = Claim(
            provider=provider.name,
            kind=kind,
            model=request.model,
            tags=visit.tags,
            started=BEGINNING + timedelta(seconds=(yield NOW)),
            amount=most,
        )
        try:
            warnings = admit(self._memory.execute, self._budgets, claim)
        except QuotaExceededError:
            self.refused += 1
            flow.close()
            raise
        self.over += bool(warnings) and most is not None  # else they are about its price
        shift(self._memory.execute, claim, most or Decimal(0))
        visit.spent = Decimal(0)
        try:
            return (yield from flow)
        finally:
            shift(self._memory.execute, claim, visit.spent - (most or Decimal(0)))
