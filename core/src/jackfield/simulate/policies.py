"""A configuration file as a policy: everything but what only a real provider needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from ..config import Config, conceal, try_config
from ..errors import ConfigError
from ..manager.documents import open_document
from ..manager.files import read_tables
from ..manager.rules import tables_in
from ..manager.settings import ManagerSettings
from .run import OWN


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
    settings, found = read_tables(document, environment)
    placed = [(document.line(i), document.located(i)) for i in found]
    for name, table in tables_in(document.tables, "providers").items():
        base = ("providers", name)
        _, issues = try_config(Config, conceal(_own(table)), environment)
        placed += [(document.line(i, base), document.located(i, base)) for i in issues]
    issues = [*document.issues, *(i for _, i in sorted(placed, key=lambda p: p[0]))]
    if settings is None or issues:
        raise ConfigError(f"{file} has problems:", issues)
    return settings


def _own(table: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in table.items() if k in OWN}


def _keyless(tables: Mapping[str, Any]) -> dict[str, Any]:
    """*tables* with as many keys, none of them real."""
    made = dict(tables)
    providers = tables_in(tables, "providers")
    if providers:
        made["providers"] = {**tables["providers"]}
    for name, table in providers.items():
        if isinstance(keys := table.get("api_keys"), list):
            each = [f"key-{n}" for n in range(1, 1 + len(keys))]
            made["providers"][name] = {**table, "api_keys": each}
    return made
