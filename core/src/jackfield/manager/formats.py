"""The forms that a configuration may have, told apart by their content and turned into our own.

* our own, in TOML or JSON: the tables of `ManagerSettings`;
* ``[provider.cloud.NAME]`` and ``[providers.custom.NAME]``: instances ``cloud.NAME`` and ``custom.NAME``;
* JSON with providers' names at its top;
* tables with a ``provider_type``, in a list or under names: what ``llm_studio_config.json`` holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, fields, frozen

from ..plugins import KNOWN, available_providers, canonical
from ..types import ConfigIssue
from .places import Steps
from .settings import ManagerSettings

GROUPS = ("cloud", "custom")
TABLES = tuple(f.name for f in fields(ManagerSettings))
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
Found = tuple[Steps, ConfigIssue]


@frozen
class Translation:
    """Tables of our own form; issues and warnings have the places of the form before."""

    tables: dict[str, Any] = field(factory=dict, repr=False)
    renamed: dict[Steps, Steps] = field(factory=dict)
    issues: list[Found] = field(factory=list)
    warnings: list[Found] = field(factory=list)


def translate(given: Any, as_json: bool, env: Mapping[str, str]) -> Translation:
    """*given*, in whichever form it is, in ours; what is of no form is left as it is."""
    made = Translation()
    rest = {"providers": given} if isinstance(given, list) else dict(given)
    if as_json:
        rest.pop("$schema", None)
    named = as_json and not rest.keys() & {"providers", "provider", "default_model"}
    top = {k: rest.pop(k) for k in list(rest) if named and k not in TABLES}
    providers = rest.pop("providers", {})
    made.tables.update(rest)
    if isinstance(made.tables.get("provider"), Mapping):
        _singular(made, env)
    studio = isinstance(providers, list)
    if isinstance(providers, Mapping | list):
        base: Steps = () if isinstance(given, list) else ("providers",)
        for name, place, table in _each(providers, base):
            _add(made, name, place, table, env)
            studio = studio or _typed(table)
    else:
        made.tables["providers"] = providers
    for name, table in top.items():
        _add(made, name, (name,), table, env)
    if studio:  # the other settings of that program are nothing to us
        for key in made.tables.keys() - {*TABLES}:
            made.tables.pop(key)
            made.warnings.append(((key,), ConfigIssue("", "is not of providers, and passed over")))
    return made


def _each(providers: Any, base: Steps) -> Iterator[tuple[str, Steps, Any]]:
    """The tables of a list or mapping, each with its name and place."""
    if isinstance(providers, Mapping):
        for name, table in providers.items():
            yield name, (*base, name), table
        return
    seen: dict[str, int] = {}
    for n, table in enumerate(providers):
        known = table if isinstance(table, Mapping) else {}
        name = str(known.get("name") or known.get("id") or _kind(known.get("provider_type", n)))
        seen[name] = count = seen.get(name, 0) + 1
        yield (name if count == 1 else f"{name}-{count}"), (*base, n), table


def _add(made: Translation, name: str, place: Steps, table: Any, env: Mapping[str, str]) -> None:
    """Take in the provider *name*, which stands at *place*; a group of them, each by its own name."""
    if name in GROUPS and _is_group(table):
        for inner, settings in table.items():
            _put(made, f"{name}.{inner}", (*place, inner), _grouped(inner, settings, env))
    elif _typed(table):
        if table.get("enabled") is False:
            made.warnings.append((place, ConfigIssue("", "is not enabled, and passed over")))
        else:
            if not isinstance(table.get("enabled"), bool | None):
                issue = ConfigIssue("", "is neither true nor false", "write true or false")
                made.issues.append(((*place, "enabled"), issue))
            _put(made, name, place, _studio(table))
            made.renamed["providers", name, "provider"] = (*place, "provider_type")
    else:
        _put(made, name, place, table)


def _put(made: Translation, name: str, place: Steps, table: Any) -> None:
    providers = made.tables.setdefault("providers", {})
    if name in providers:
        issue = ConfigIssue("", f"the provider {name} is defined twice", "keep one of them")
        made.issues.append((place, issue))
        return
    providers[name] = table
    if place != ("providers", name):
        made.renamed["providers", name] = place


def _is_group(table: Any) -> bool:
    tables = isinstance(table, Mapping) and table and "provider" not in table
    return bool(tables) and all(isinstance(inner, Mapping) for inner in table.values())


def _singular(made: Translation, env: Mapping[str, str]) -> None:
    """Take in ``[provider.cloud.NAME]``; what else is under ``provider`` stays, and is refused."""
    groups = made.tables["provider"]
    for name in GROUPS:
        if _is_group(groups.get(name)):
            _add(made, name, ("provider", name), groups[name], env)
    for name in groups:
        if not (name in GROUPS and _is_group(groups[name])):
            fix = " or ".join(f"[provider.{group}.NAME]" for group in GROUPS)
            issue = ConfigIssue("", "is no group of providers", f"write {fix}")
            made.issues.append((("provider", name), issue))
    del made.tables["provider"]


def _grouped(name: str, table: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """A table of a group: its name is the kind; a key in the form of a variable's name may be one."""
    made, kind = dict(table), canonical(name)
    if "base_url" in table and kind not in {*KNOWN, *available_providers()}:
        kind = "openai-compatible"
    made.setdefault("provider", kind)
    key = table.get("api_key")
    if isinstance(key, str) and _VARIABLE.fullmatch(key) and key in env:
        made["api_key"] = f"${{{key}}}"
    return made


def _typed(table: Any) -> bool:
    return isinstance(table, Mapping) and "provider_type" in table and "provider" not in table


def _kind(provider_type: Any) -> str:
    return str(provider_type).rpartition(".")[2].lower()


def _studio(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table with a ``provider_type``; an empty key or list is none."""
    aside = ("name", "id", "enabled", "provider_type")
    made = {k: v for k, v in table.items() if k not in aside and v not in ("", None, [])}
    kind = table["provider_type"]
    return {"provider": canonical(_kind(kind)) if isinstance(kind, str) else kind, **made}
