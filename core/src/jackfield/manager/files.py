"""From a configuration, a file's or from code, to settings: every mistake at once, with its place."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, fields, frozen

from ..config import Issues, Settled, conceal, known_settings, structure, try_config
from ..errors import ConfigError, PluginError, UnknownProviderError
from ..plugins import canonical, plugin_manager
from ..provider import LLMProvider
from ..types import ConfigIssue
from .documents import Document, from_mapping, open_document
from .places import Steps, steps_of
from .rules import KINDS, rule_issues, shape_warning, tables_in
from .settings import ManagerSettings, ProviderSettings

OURS = frozenset(f.name for f in fields(ProviderSettings)) - {"config"}
"""What the manager takes from a provider's table; the rest is the provider's own."""


@frozen(kw_only=True)
class Findings:
    """What a configuration says: *settings*, unless something is wrong; *issues* and *warnings* with places."""

    settings: ManagerSettings | None = field(default=None, repr=False)
    issues: tuple[ConfigIssue, ...] = ()
    warnings: tuple[ConfigIssue, ...] = ()


def read_settings(
    path: str | os.PathLike[str], env: Mapping[str, str] | None = None
) -> ManagerSettings:
    """The settings in the file at *path*, in any of the forms that `formats` lists.

    ``${NAME}`` in values is replaced from *env* (the process's environment).

    Raises:
        ConfigError: with one issue for every mistake: file, line, what, and how to mend it.
    """
    file, environment = Path(path).expanduser(), os.environ if env is None else env
    found = inspect(open_document(file, environment), environment)
    return settled(found, f"{file} has problems:")


def load_settings(tables: Any, env: Mapping[str, str] | None = None) -> ManagerSettings:
    """As `read_settings`, for data from code: the tables of the file as mappings.

    Raises:
        ConfigError: with one issue for every mistake.
    """
    environment = os.environ if env is None else env
    if isinstance(tables, Mapping):
        found = inspect(from_mapping(tables, environment), environment)
    else:
        kind = type(tables).__name__
        issue = ConfigIssue(
            "configuration", f"must be a table, not {kind}", 'write {"providers": …}'
        )
        found = Findings(issues=(issue,))
    del tables  # what is left in this frame shows in a traceback
    return settled(found, "the configuration has problems:")


def settled(found: Findings, problem: str) -> ManagerSettings:
    """The settings that were *found*, once its warnings are told.

    Raises:
        ConfigError: there are none; *problem* says of what.
    """
    if found.settings is None:
        raise ConfigError(problem, found.issues)
    for warning in found.warnings:
        warnings.warn(str(warning), RuntimeWarning, stacklevel=3)
    return found.settings


def inspect(
    document: Document, env: Mapping[str, str], check: Callable[..., Any] | None = None
) -> Findings:
    """All that *document* says, and all that is wrong with it.

    Providers' tables are checked by `check_provider`, which imports their plugins, or by *check*.
    """
    settings, found = read_tables(document, env)
    placed = [(document.line(i), document.located(i)) for i in found]
    told = list(document.warnings)
    configs: dict[str, Mapping[str, Any]] = {}
    for name, table in tables_in(document.tables, "providers").items():
        config, mistakes, doubts = (check or check_provider)(name, table, env)
        base = ("providers", name)
        placed += [(document.line(i, base), document.located(i, base)) for i in mistakes]
        told += [document.located(i, base) for i in doubts]
        configs[name] = config
    ordered = dict.fromkeys(i for _, i in sorted(placed, key=lambda p: p[0]))  # each of them once
    issues = [*document.issues, *ordered]
    if settings is None or issues:
        return Findings(issues=tuple(issues), warnings=tuple(told))
    providers = {n: evolve(p, config=configs[n]) for n, p in settings.providers.items()}
    return Findings(settings=evolve(settings, providers=providers), warnings=tuple(told))


def read_tables(
    document: Document, env: Mapping[str, str]
) -> tuple[ManagerSettings | None, Issues]:
    """What *document* tells the manager itself, without any provider's own, and what is wrong with that."""
    issues: Issues = []
    known = known_settings(ManagerSettings, _complete(document.tables), "", env, issues)
    settings = structure(ManagerSettings, known, issues)
    unread = {steps_of(i.path) for i in issues}  # of what cannot be read nothing more is so
    found = (said for said in rule_issues(known) if said[0] not in unread)
    issues += [ConfigIssue(_path(steps), *said) for steps, *said in found]
    return settings, issues


def _path(steps: Steps) -> str:
    """*steps* in the form that issues have, each name quoted."""
    first, *more = steps
    return f"{first}{''.join(f'[{step!r}]' for step in more)}"


def _complete(tables: Mapping[str, Any]) -> dict[str, Any]:
    """*tables*, each provider with its kind, each target a table, and no text in plain sight."""
    made = {str(k): v for k, v in conceal(tables).items()}
    for name, table in tables_in(made, "providers").items():
        if isinstance(kind := tables["providers"][name].get("provider", name), str):
            table["provider"] = canonical(kind)
    for name, table in tables_in(made, "routes").items():
        targets = tables["routes"][name].get("targets")
        if isinstance(targets, list | tuple):
            table["targets"] = [
                {"target": t} if isinstance(t, str) else conceal(t) for t in targets
            ]
    return made


def own_config(table: Mapping[str, Any], cls: type[LLMProvider]) -> dict[str, Any]:
    """What of a provider's *table* goes to the provider; what both it and the manager know goes to both."""
    names = {n for f in fields(cls.Config) for n in (f.name, *f.metadata.get("aliases", ()))}
    return {k: v for k, v in table.items() if k not in OURS or (k in names and k != "provider")}


def _nearer(issue: ConfigIssue) -> ConfigIssue:
    """An unknown setting may be one of the manager's."""
    near = difflib.get_close_matches(issue.path, OURS, 1)
    unknown = issue.problem == "no such setting" and not issue.fix.startswith("did")
    return evolve(issue, fix=f"did you mean {near[0]}?") if unknown and near else issue


def check_provider(
    name: str, table: Mapping[str, Any], env: Mapping[str, str]
) -> tuple[Mapping[str, Any], Issues, Issues]:
    """What the provider *name* is told, no text in plain sight; what is wrong with it; what is doubtful."""
    from ..http import HTTPProvider

    kind = table.get("provider", name)
    if not isinstance(kind, str) or "/" in kind or not (kind or name):
        return {}, [], []
    if canonical(kind) in KINDS:
        fix = f"write [routes.{name}] with kind and targets"
        return {}, [ConfigIssue("provider", f"{kind} is a kind of route", fix)], []
    try:
        cls = plugin_manager().provider_class(kind)
    except UnknownProviderError as error:
        problem, _, fix = error.message.partition("; ")
        return {}, [ConfigIssue("provider", problem, fix)], []
    except PluginError as error:
        return {}, [ConfigIssue("provider", error.message)], []
    own = own_config(table, cls)
    config, issues = try_config(cls.Config, conceal(own), env)
    issues = [_nearer(i) for i in issues]
    if config is not None and not issues:
        try:
            made = cls(config, name=name)
            found = made.check_config() if issubclass(cls, HTTPProvider) else ()
        except ConfigError as error:
            found = error.issues
        issues += [i for i in found if steps_of(i.path)[0] in own]
    plain = known_settings(cls.Config, conceal(own), "", env, [])
    several = table.get("api_keys")
    if several and "api_key" not in {f.name for f in fields(cls.Config)}:
        issues.append(ConfigIssue("api_keys", f"{kind} takes no key", "remove them"))
    elif several and "api_key" in own:
        issues.append(ConfigIssue("api_keys", "stand beside api_key", "keep one of the two"))
    doubt = shape_warning("api_key", plain.get("api_key"), canonical(kind))
    return conceal(plain, Settled), issues, [doubt] if doubt else []
