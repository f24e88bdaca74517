"""The part of a configuration that some names need: what is wrong elsewhere does not hinder them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve

from ..errors import ConfigError
from ..types import ConfigIssue
from .documents import Document
from .files import check_provider, read_tables
from .places import steps_of
from .rules import aliases_in, stands_for, tables_in
from .settings import ManagerSettings

AROUND = ("limits", "cache", "ledger", "budgets", "logs", "guardrails")
"""The tables that stand around every call."""


def targets(tables: Mapping[str, Any], route: str) -> list[str]:
    """The targets of *route*, aliases followed; none where it is no route."""
    found = tables_in(tables, "routes").get(route, {}).get("targets")
    listed = found if isinstance(found, list | tuple) else ()
    each = (t.get("target") if isinstance(t, Mapping) else t for t in listed)
    aliases = aliases_in(tables)
    return [stands_for(target, aliases) for target in each if isinstance(target, str)]


def reach(tables: Mapping[str, Any], names: Iterable[str]) -> dict[str, None]:
    """*names*, and all that the routes among them lead to, in that order."""
    seen: dict[str, None] = {}
    todo = [*names]
    while todo:
        name = todo.pop(0)
        if name not in seen:
            seen[name] = None
            todo += [target.partition("/")[0] for target in targets(tables, name)]
    return seen


def part(
    document: Document,
    found: Sequence[ConfigIssue],
    providers: Mapping[str, Mapping[str, Any]],
    routes: Sequence[str],
    others: Sequence[str] = AROUND,
) -> ManagerSettings:
    """The settings of *providers*, tables by name, of *routes*, and of *others*, further tables.

    *found* is what `read_tables` said of the whole *document*.

    Raises:
        ConfigError: with everything that is wrong with that part.
    """
    used = {("providers", n) for n in providers} | {("routes", n) for n in (*routes, *providers)}
    placed = [(steps_of(issue.path), issue) for issue in found]
    wrong = [document.located(i) for at, i in placed if at[0] in others or at[:2] in used]
    configs: dict[str, Mapping[str, Any]] = {}
    for name, table in providers.items():
        configs[name], mistakes, _ = check_provider(name, table, os.environ)
        wrong += [document.located(issue, ("providers", name)) for issue in mistakes]
    if wrong:
        raise ConfigError(f"{' and '.join(routes or providers or others)} cannot be used:", wrong)
    own = tables_in(document.tables, "routes")
    tables = {name: document.tables[name] for name in others if name in document.tables}
    tables |= {"providers": providers, "routes": {name: own[name] for name in routes}}
    tables["aliases"] = aliases_in(document.tables)
    settings, _ = read_tables(evolve(document, tables=tables), os.environ)
    assert settings is not None
    told = {name: evolve(p, config=configs[name]) for name, p in settings.providers.items()}
    return evolve(settings, providers=told)
