"""The configuration file of the command line: where it is, what it says, what is wrong with it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from ..errors import ConfigError, PluginError, UnknownProviderError
from ..manager.documents import Document, open_document
from ..manager.files import own_config, read_tables
from ..manager.formats import TABLES
from ..manager.places import Steps, steps_of
from ..manager.rules import KINDS, tables_in
from ..middleware.folders import user_folder
from ..plugins import available_providers, canonical, plugin_manager
from ..provider import LLMProvider
from ..types import ConfigIssue
from .terminal import remember_secrets

NAMES = ("jackfield.toml", "providers.json")


def find(explicit: str | None) -> Path | None:
    """The configuration file: *explicit*, the working directory's, or the user's own."""
    if explicit:
        return Path(explicit).expanduser()
    folders = [Path(), user_folder("config")]
    places = [folder / name for folder in folders if folder is not None for name in NAMES]
    return next((place for place in places if place.exists()), None)


@frozen
class Settings:
    """What the configuration file says; ``issues`` lists what is wrong with the file itself.

    What is wrong with one provider, route or limit is not among them: it hinders
    who uses that, and `jackfield config check` tells it.
    """

    document: Document = field(factory=Document)
    default_model: str | None = None
    providers: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=False)
    issues: tuple[ConfigIssue, ...] = ()
    found: Sequence[ConfigIssue] = ()
    """All that is wrong with the manager's tables, by places in our form."""

    @property
    def path(self) -> Path | None:
        """The file; None where there is none."""
        return self.document.path

    @property
    def routes(self) -> dict[str, Any]:
        """The routes, by name."""
        return tables_in(self.document.tables, "routes")

    @property
    def aliases(self) -> dict[str, str]:
        """Other names for models."""
        found = self.document.tables.get("aliases")
        each = found.items() if isinstance(found, Mapping) else ()
        return {name: model for name, model in each if isinstance(model, str)}

    def name_of(self, name: str) -> str:
        """The configured name that *name* means, an alias included; else the provider's own."""
        if name in self.providers:
            return name
        wanted = canonical(name)
        same = [n for n in self.providers if canonical(n) == wanted]
        kind = [n for n in self.providers if canonical(self.kind_of(n)) == wanted]
        return same[0] if same else kind[0] if len(kind) == 1 else wanted

    def kind_of(self, name: str) -> str:
        """The installed provider behind the configured *name*."""
        return str(self.providers.get(name, {}).get("provider", name))

    @property
    def names(self) -> list[str]:
        """Everything that may stand before the slash: configured and installed."""
        installed = (name for name in available_providers() if name not in KINDS)
        return list(dict.fromkeys([*self.providers, *installed]))

    def create(self, name: str, extra: Mapping[str, Any] | None = None) -> LLMProvider:
        """The provider *name* as configured; *extra* beats the file.

        Raises:
            ConfigError: not installed, broken, or misconfigured; with the file and line.
        """
        name = self.name_of(name)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # importing must not write into answers
                manager = plugin_manager()
                made = manager.provider_class(self.kind_of(name))
                table = self.providers.get(name, {})
                given = {**own_config(table, made), **(extra or {})}
                if isinstance(keys := table.get("api_keys"), list) and keys:
                    given.setdefault("api_key", keys[0])
                return made(given, name=name, hook=manager.hook)
        except (UnknownProviderError, PluginError):
            raise
        except ConfigError as error:
            issues = [evolve(i, path=self.place(name, i.path)) for i in error.issues]
            raise ConfigError(f"{name} cannot be used:", issues, provider=name) from None

    def place(self, name: str, setting: str) -> str:
        """Where *setting* of the provider *name* is written: file, line, path."""
        if name not in self.providers or self.path is None:
            return f"{name}.{setting}"
        return self.document.place(("providers", name, *steps_of(setting)))


def load(explicit: str | None) -> Settings:
    """The settings in the file that `find` finds; never raises, but lists issues."""
    path = find(explicit)
    if path is None:
        return Settings()
    document = open_document(path, os.environ)
    tables = remember_tables(document.tables)
    _, found = read_tables(document, os.environ)
    model = document.tables.get("default_model")
    general = [document.located(i) for i in found if _is_general(steps_of(i.path), model)]
    issues = (*document.issues, *general, *([] if explicit else _rivals(path, tables)))
    return Settings(document, model if isinstance(model, str) else None, tables, issues, found)


def remember_tables(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The providers of *tables*, whose keys are never shown from now on."""
    found = tables_in(tables, "providers")
    for table in found.values():
        remember_secrets(table)
    return found


def _is_general(steps: Steps, model: Any) -> bool:
    """Whether an issue at *steps* is of the file as a whole, and not of one table in it."""
    if steps == ("default_model",):
        return not isinstance(model, str)
    within = steps[0] == "providers" and (len(steps) == 2 or steps[2:] == ("provider",))
    return steps[0] not in TABLES or len(steps) == 1 or within


def _rivals(path: Path, tables: Mapping[str, Any]) -> Iterator[ConfigIssue]:
    """Providers of *tables* that another file beside *path* defines, too: it would not be read."""
    for other in (path.with_name(name) for name in NAMES if name != path.name):
        document = open_document(other, os.environ) if other.exists() else Document()
        for name in tables_in(document.tables, "providers").keys() & tables.keys():
            fix = f"keep one of the two, or name a file with --config: {path} is read"
            where = document.place(("providers", name))
            yield ConfigIssue(where, f"the provider {name} is in {path}, too", fix)
