"""Providers whose calls a ledger books, at prices that are known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

from jackfield import Pricing, hookimpl
from jackfield.middleware.ledger import Ledger
from jackfield.plugins import PluginManager
from jackfield.testing import ScriptedProvider
from jackfield.types import ProviderInfo

P = TypeVar("P", bound=ScriptedProvider)

PRICE = Pricing(input=Decimal(3), output=Decimal(15), source="a table")


class Prices:
    """A plugin that knows what models cost, except those called ``mystery``."""

    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing | None:
        return None if model == "mystery" else PRICE


class Elsewhere(ScriptedProvider):
    """Answers from a script, but does not run at home."""

    info = ProviderInfo(name="elsewhere", display_name="Elsewhere", api_key_required=False)


def booked(kind: type[P], ledger: Ledger, answers: Any, name: str = "work", **config: Any) -> P:
    """A provider of *kind* that gives *answers*, tries once, and is booked in *ledger*."""
    hooks = PluginManager()
    hooks.register(ledger)
    hooks.register(Prices())
    given = {"answers": answers, "retry": {"attempts": 1}, **config}
    return kind(given, name=name, hook=hooks.hook)
