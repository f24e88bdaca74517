"""``jackfield config``: what is wrong with the configuration file, what it comes to, and one to start with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
from attrs import fields, frozen, has

from ..errors import ConfigError
from ..manager.documents import open_document
from ..manager.files import Findings, inspect
from ..manager.formats import TABLES
from ..manager.places import Steps, written
from ..manager.rules import KINDS
from ..manager.settings import ManagerSettings, ProviderSettings
from ..plugins import available_providers, plugin_manager
from ..provider import LLMProvider
from ..secret import MASK, Secret
from .base import State, app, common
from .settings import NAMES, find, remember_tables
from .terminal import hide, note, table, write, write_json

_PLACE = "# (the providers stand here)\n"


@frozen
class Shown:
    """A setting as it counts: its path, its value with keys masked, and where it comes from."""

    path: str
    value: Any
    source: str


@app.group("config", invoke_without_command=True)
@common
@click.pass_context
def config(context: click.Context) -> None:
    r"""Check the configuration file, show what it comes to, or write one to start with.

    \b
    Examples:
      jackfield config init            a file to start with, from what is installed
      jackfield config check           everything that is wrong, with lines
      jackfield config show            what counts, and where it comes from
      jackfield config schema > jackfield.schema.json
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _chosen(state: State, file: str | None) -> Path:
    """*file*, or the one that all commands use.

    Raises:
        ConfigError: there is none.
    """
    path = find(file or state.config)
    if path is None:
        fix = "`jackfield config init` writes one, or name a file"
        raise ConfigError(f"there is no configuration file ({' or '.join(NAMES)}): {fix}")
    return path


def _inspected(path: Path) -> Findings:
    document = open_document(path, os.environ)
    remember_tables(document.tables)
    return inspect(document, os.environ)


@config.command()
@click.argument("file", required=False)
@common
@click.pass_obj
def check(state: State, /, file: str | None) -> None:
    r"""Say everything that is wrong.

    With FILE, or with the file that all commands use. Each mistake has its line and what to do; the exit code is then 2. Nothing is sent.

    \b
    Examples:
      jackfield config check
      jackfield config check provider.config.toml
    """
    path = _chosen(state, file)
    found = _inspected(path)
    for warning in found.warnings:
        note(f"Warning: {warning}", 33)
    if found.settings is None:
        raise ConfigError(f"{path} has problems:", found.issues)
    write(f"{path} is fine: {_summary(found.settings)}\n")


def _summary(settings: ManagerSettings) -> str:
    counts = {
        "provider": settings.providers, "route": settings.routes,
        "alias": settings.aliases, "budget": settings.budgets,
    }  # fmt: skip
    plural = {"alias": "aliases"}
    parts = [
        f"{len(found)} {name if len(found) == 1 else plural.get(name, f'{name}s')}"
        for name, found in counts.items()
        if found or name == "provider"
    ]
    on = [
        n
        for n in ("limits", "cache", "ledger", "health", "logs", "guardrails")
        if getattr(settings, n)
    ]
    return ", ".join([*parts, *on])


@config.command()
@click.argument("file", required=False)
@click.option("--json", "as_json", is_flag=True, help="A JSON list of settings with their sources.")
@common
@click.pass_obj
def show(state: State, /, file: str | None, as_json: bool) -> None:
    r"""Show what counts, and where it comes from.

    Every setting, from a line of FILE, from the environment, or by default; keys are masked.

    \b
    Examples:
      jackfield config show
      jackfield config show --json | jq '.[] | select(.source != "default")'
    """
    path = _chosen(state, file)
    document = open_document(path, os.environ)
    found = _inspected(path)
    if found.settings is None:
        raise ConfigError(f"{path} has problems:", found.issues)

    def source(steps: Steps) -> str:
        return document.place(steps).partition(": ")[0] if _given(document.tables, steps) else ""

    rows = [
        Shown(written(steps), value, source(steps) or other or "default")
        for steps, value, other in _settings(found.settings, document.tables)
    ]
    if as_json:
        write_json(
            [{"setting": r.path, "value": _hidden(r.value), "source": r.source} for r in rows]
        )
    else:
        table([(r.path, _text(r.value), r.source) for r in rows])


def _hidden(value: Any) -> Any:
    """*value* without keys in its texts."""
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return hide(value) if isinstance(value, str) else value


def _given(tables: Any, steps: Steps) -> bool:
    """Whether *steps* are in *tables*: a text stands for a target, a number for all timeouts."""
    for step in steps:
        if isinstance(tables, list | tuple):
            tables = dict(enumerate(tables))
        if not isinstance(tables, Mapping):
            return step == "target" if isinstance(tables, str) else isinstance(tables, int | float)
        if step not in tables:
            return False
        tables = tables[step]
    return True


def _settings(
    settings: ManagerSettings, tables: Mapping[str, Any]
) -> Iterator[tuple[Steps, Any, str]]:
    """Each setting with its value, and where it comes from if not from the file or by default."""
    for name in TABLES:
        if name != "providers":
            yield from _flat((name,), getattr(settings, name))
    for name, told in settings.providers.items():
        steps = ("providers", name)
        for f in fields(ProviderSettings):
            if f.name != "config":
                yield from _flat((*steps, f.name), getattr(told, f.name))
        provider = plugin_manager().provider_class(told.provider)(told.config, name=name)
        for f in fields(type(provider.config)):
            value, variable = getattr(provider.config, f.name), provider.info.key_variable
            also = [n for n in f.metadata.get("aliases", ()) if n in tables["providers"][name]]
            if f.name == "api_key" and value is None and os.environ.get(variable or "", "").strip():
                yield (*steps, f.name), MASK, f"{variable} in the environment"
            elif f.name not in {own.name for own in fields(ProviderSettings)}:
                yield from _flat((*steps, *(also or [f.name])), value)


def _flat(steps: Steps, value: Any) -> Iterator[tuple[Steps, Any, str]]:
    """*value* and, if it is a table, what is in it; what is not set is left out."""
    if has(type(value)):
        for f in fields(type(value)):
            yield from _flat((*steps, f.name), getattr(value, f.name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat((*steps, str(key)), inner)
    elif isinstance(value, list | tuple) and any(has(type(item)) for item in value):
        for n, item in enumerate(value):
            yield from _flat((*steps, n), item)
    elif value not in (None, (), []):
        yield steps, _plain(value), ""


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path | Decimal) else value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


@config.command()
@common
def schema() -> None:
    r"""Print the JSON Schema of the file.

    The settings of all installed providers are in it.

    \b
    Editors check a file against it and complete its keys:
      jackfield config schema > jackfield.schema.json
    and, as the file's first line:
      #:schema ./jackfield.schema.json
    """
    from ..manager.schema import json_schema

    write_json(json_schema())


@config.command()
@click.argument("file", default=NAMES[0])
@common
def init(file: str) -> None:
    r"""Write a file to start with.

    FILE is jackfield.toml if none is named; one that is there stays as it is. It has a table
    for every installed provider, those whose key is in the environment first and in force,
    the others as comments. No key is written.

    \b
    Examples:
      jackfield config init
      jackfield config init ~/.config/jackfield/jackfield.toml
    """
    path = Path(file).expanduser()
    if not file.strip() or path.suffix.lower() == ".json":
        raise click.BadParameter(f"{file!r}: name a file that ends in .toml", param_hint="FILE")
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(starter())
    except FileExistsError:
        fix = "name another, or move it away"
        raise click.BadParameter(f"{path} is there already: {fix}", param_hint="FILE") from None
    note(f"{path} is written; `jackfield config check` says what is wrong with it.")
    write(f"{path}\n")


def starter() -> str:
    """A file to start with, from what is installed and which variables are set."""
    ready: list[str] = []
    other: list[str] = []
    for kind in available_providers():
        if kind in (*KINDS, "scripted"):
            continue
        try:
            cls = plugin_manager().provider_class(kind)
        except ConfigError:  # it is broken: `jackfield providers` says how
            continue
        variable = cls.info.key_variable
        is_set = bool(variable and os.environ.get(variable, "").strip()) and not _address(cls)
        (ready if is_set else other).append(_entry(kind, cls, is_set))
    frame = files("jackfield.cli").joinpath("starter.toml").read_text("utf-8")
    return frame.replace(_PLACE, "\n".join([*ready, *other]))


def _address(cls: type[LLMProvider]) -> bool:
    """Whether the address must be told."""
    return any(f.name == "base_url" and not f.default for f in fields(cls.Config))


def _entry(kind: str, cls: type[LLMProvider], ready: bool) -> str:
    """The table of a provider: in force if its key is there, else commented out."""
    variable, mark = cls.info.key_variable, "" if ready else "# "
    lines = [f"[providers.{kind}]"]
    if variable and (ready or cls.info.api_key_required):
        lines.append(f'api_key = "${{{variable}}}"')
    if _address(cls):
        lines.append('base_url = "https://…"')
    said = "" if ready else f": set {variable} first" if cls.info.api_key_required else ""
    title = f"# {cls.info.display_name}{said} ({cls.info.docs_url})"
    return "\n".join([title, *(f"{mark}{line}" for line in lines), ""])
