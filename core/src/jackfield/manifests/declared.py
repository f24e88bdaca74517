"""What a provider class declares, held against what the core can read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..params import Param
from ..requests import Request


def misdeclared(cls: type[Any]) -> str | None:
    """What is wrong with the tables of the provider class *cls*, and what to write; None if nothing is.

    A parameter of an unknown name is not: it may be a newer core's, and is not used.
    """
    from ..exchange import Exchange, Procedure

    for name in ("exchanges", "handlers", "params"):
        if not isinstance(table := getattr(cls, name, {}), Mapping):
            return f"{name} is {table!r}: write a dict"
    for name, kinds, right in (
        ("exchanges", (Exchange, Procedure), "Exchange(build=…, parse=…), or Procedure(perform=…)"),
        ("handlers", str, "the name of a method"),
    ):
        for kind, how in getattr(cls, name, {}).items():
            if not (isinstance(kind, type) and issubclass(kind, Request)):
                return f"{name} has {kind!r} for a request type: write the class, ChatRequest say"
            if not isinstance(how, kinds):
                return f"{name}[{kind.__name__}] is {how!r}: write {right}"
            if name == "handlers" and not callable(getattr(cls, str(how), None)):
                return f"handlers[{kind.__name__}] is {how!r}, which is no method of it: name one"
    for field, spec in cls.params.items():
        if not isinstance(spec, Param):
            return f"params[{field!r}] is {spec!r}: write Param(wire, …)"
    return None
