"""The configuration file of the command line: where it is, what it says, what is wrong with it."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from ..errors import ConfigError, PluginError, UnknownProviderError
from ..middleware.folders import user_folder
from ..plugins import available_providers, canonical, plugin_manager
from ..provider import LLMProvider
from ..types import ConfigIssue
from .terminal import remember_secrets

NAMES = ("jackfield.toml", "providers.json")
MAX_SIZE = 1024 * 1024


def find(explicit: str | None) -> Path | None:
    """The configuration file: *explicit*, the working directory's, or the user's own."""
    if explicit:
        return Path(explicit).expanduser()
    folders = [Path(), user_folder("config")]
    places = [folder / name for folder in folders if folder is not None for name in NAMES]
    return next((place for place in places if place.exists()), None)


@frozen
class Settings:
    """What the configuration file says; ``issues`` lists everything wrong with the file itself."""

    path: Path | None = None
    text: str = field(default="", repr=False)
    default_model: str | None = None
    providers: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=False)
    issues: tuple[ConfigIssue, ...] = ()

    def name_of(self, name: str) -> str:
        """The configured name that *name* means, an alias included; else the provider's own."""
        if name in self.providers:
            return name
        same = [n for n in self.providers if canonical(n) == canonical(name)]
        return same[0] if same else canonical(name)

    def kind_of(self, name: str) -> str:
        """The installed provider behind the configured *name*."""
        return str(self.providers.get(name, {}).get("provider", name))

    @property
    def names(self) -> list[str]:
        """Everything that may stand before the slash: configured and installed."""
        return list(dict.fromkeys([*self.providers, *available_providers()]))

    def create(self, name: str, extra: Mapping[str, Any] | None = None) -> LLMProvider:
        """The provider *name* as configured; *extra* beats the file.

        Raises:
            ConfigError: not installed, broken, or misconfigured; with the file and line.
        """
        name = self.name_of(name)
        table = {k: v for k, v in self.providers.get(name, {}).items() if k != "provider"}
        try:
            with contextlib.redirect_stdout(sys.stderr):  # importing must not write into answers
                manager = plugin_manager()
                made = manager.provider_class(self.kind_of(name))
                return made({**table, **(extra or {})}, name=name, hook=manager.hook)
        except (UnknownProviderError, PluginError):
            raise
        except ConfigError as error:
            issues = [evolve(i, path=self.place(name, i.path)) for i in error.issues]
            raise ConfigError(f"{name} cannot be used:", issues, provider=name) from None

    def place(self, name: str, setting: str) -> str:
        """Where *setting* of the provider *name* is written: file, line, path."""
        if name not in self.providers or self.path is None:
            return f"{name}.{setting}"
        line = _line(self.text, name, re.split(r"[.\[]", setting)[0])
        return f"{self.path}{line}: providers.{name}.{setting}"


def _line(text: str, name: str, setting: str) -> str:
    """``:N`` for the line of a TOML text that has *setting*, or the table's head; else nothing."""
    inside, head = False, ""
    quoted = rf"(['\"]?){re.escape(name)}\1"
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            inside = re.match(rf"\s*\[\s*providers\s*\.\s*{quoted}\s*(\.|\])", line) is not None
            head = head or (f":{number}" if inside else "")
        elif inside and re.match(rf"\s*(['\"]?){re.escape(setting)}\1\s*[.=]", line):
            return f":{number}"
    return head


def load(explicit: str | None) -> Settings:
    """The settings in the file that `find` finds; never raises, but lists issues."""
    path = find(explicit)
    if path is None:
        return Settings()
    try:
        text = _read(path)
        data = _parse(text, path)
    except ValueError as error:
        return Settings(path, issues=(ConfigIssue(str(path), *error.args),))
    return _settings(path, text, data)


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            problem = "is not a file" if path.exists() else "does not exist"
            raise ValueError(problem, "name a file with --config or JACKFIELD_CONFIG, or neither")
        if path.stat().st_size > MAX_SIZE:
            raise ValueError("is larger than 1 MiB", "that is no configuration")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(error.strerror or "cannot be read", "check its permissions") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8", "save the file as UTF-8") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys are there once."""
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"has {twice[0]!r} twice", "remove one")
    return dict(pairs)


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        if path.suffix.lower() != ".json":
            return tomllib.loads(text)
        data = json.loads(text, object_pairs_hook=_unique)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        kind = "JSON" if isinstance(error, json.JSONDecodeError) else "TOML"
        raise ValueError(f"is not {kind}: {error}", "mend that line") from None
    except RecursionError:
        raise ValueError("is nested too deeply", "that is no configuration") from None
    if not isinstance(data, dict):
        raise ValueError("is not a JSON object", 'write {"NAME": {…}, …}')
    return data if "providers" in data or "default_model" in data else {"providers": data}


def _settings(path: Path, text: str, data: dict[str, Any]) -> Settings:
    issues: list[ConfigIssue] = []

    def wrong(where: str, problem: str, fix: str) -> None:
        issues.append(ConfigIssue(f"{path}: {where}", problem, fix))

    for key in data.keys() - {"default_model", "providers"}:
        near = difflib.get_close_matches(key, ["default_model", "providers"], 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "there are default_model, [providers.NAME]"
        wrong(key, "no such setting", hint)
    model = data.get("default_model")
    if model is not None and not isinstance(model, str):
        wrong("default_model", "must be text", 'write "PROVIDER/MODEL"')
    tables = data.get("providers", {})
    if not isinstance(tables, dict):
        wrong("providers", "must be a table", "write [providers.NAME]")
        tables = {}
    for name, content in tables.items():
        if not isinstance(content, dict):
            wrong(f"providers.{name}", "must be a table", f"write [providers.{name}]")
        elif not isinstance(content.get("provider", ""), str):
            wrong(f"providers.{name}.provider", "must be text", 'write provider = "claude", say')
        elif not name or "/" in name:
            wrong(f"providers.{name!r}", "is no name", "use letters, digits and -")
    kept = {name: content for name, content in tables.items() if isinstance(content, dict)}
    for content in kept.values():
        remember_secrets(content)
    return Settings(path, text, model if isinstance(model, str) else None, kept, tuple(issues))
