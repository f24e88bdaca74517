"""A configuration file as a policy: everything but what only a real provider needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from ..config import Config, Issues, conceal, try_config
from ..manager.documents import open_document
from ..manager.files import inspect, settled
from ..manager.rules import tables_in
from ..manager.settings import ManagerSettings


def read_policy(
    path: str | os.PathLike[str], env: Mapping[str, str] | None = None
) -> ManagerSettings:
    """The settings in the manager's configuration file at *path*, for a simulation.

    No plugin, key or variable of a provider is needed: of a provider's own settings,
    only its timeouts and retries are looked at.

    Raises:
        ConfigError: with one issue for every mistake: file, line, what, and how to mend it.
    """
    file, environment = Path(path).expanduser(), os.environ if env is None else env
    document = open_document(file, environment, "name a file with routes")
    document = evolve(document, tables=_keyless(document.tables))
    return settled(inspect(document, environment, _check_stand_in), f"{file} has problems:")


def own_config(table: Mapping[str, Any]) -> dict[str, Any]:
    """What of a provider's own *table* counts in a simulation."""
    return {name: table[name] for name in ("timeout", "retry") if name in table}


def _check_stand_in(
    _name: str, table: Mapping[str, Any], env: Mapping[str, str]
) -> tuple[Mapping[str, Any], Issues, Issues]:
    _, issues = try_config(Config, conceal(own_config(table)), env)
    return own_config(table), issues, []


def _keyless(tables: Mapping[str, Any]) -> dict[str, Any]:
    """*tables* with as many keys, none of them real, and without guards, which need their plugins."""
    made = {name: table for name, table in tables.items() if name != "guardrails"}
    for name, table in tables_in(tables, "providers").items():
        if isinstance(keys := table.get("api_keys"), list):
            each = {**table, "api_keys": [f"key-{n}" for n in range(len(keys))]}
            made["providers"] = {**made["providers"], name: each}
    return made
