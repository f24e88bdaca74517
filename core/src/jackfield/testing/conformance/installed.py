"""The suite of an installed plugin, by the name of its entry point: its class, settings and recordings."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from ...capabilities import home
from ...errors import ConfigError, PluginError
from ...http import HTTPProvider
from ...manifests import entries
from ...plugins import PluginManager, canonical
from ...provider import LLMProvider
from ...types import ProviderInfo
from ..recordings import Recording, load_recordings
from ..stand_ins import KEY, stand_in

FOLDER = "tests/recordings"
"""Where recordings are looked for and written, below the folder where pytest was started."""


@frozen(kw_only=True)
class Asked:
    """What the command line says about the plugins to be held to the contract.

    *recordings* are files or folders; without any they are looked for in the plugin's package
    (``recordings``), beside its source, and below *root* (``tests/recordings``). *config* goes over
    what is made up.
    """

    root: Path
    names: Sequence[str] = ()
    recordings: Sequence[Path] = ()
    config: Mapping[str, Any] = field(factory=dict)
    model: str = ""


def provider_class(name: str) -> type[LLMProvider]:
    """The class of the installed provider *name*.

    Raises:
        UnknownProviderError: nothing of that name is installed; says what is.
        PluginError: it is installed and broken.
    """
    try:
        return PluginManager().provider_class(name)
    except PluginError:
        cls = _unfit(name)
        if cls is None:
            raise
        return cls


def _unfit(name: str) -> type[LLMProvider] | None:
    """The class of a plugin that the core would not take, where checks can tell what is wrong with it."""
    found_by = {canonical(n): e for n, e in entries("providers").items()}
    entry = found_by.get(canonical(name))
    try:
        found = entry.load() if entry else None
    except Exception:  # noqa: BLE001  # whatever a stranger's module does: the core's words for it are better
        return None
    fits = isinstance(found, type) and issubclass(found, LLMProvider)
    return found if fits and isinstance(getattr(found, "info", None), ProviderInfo) else None


def suite(name: str, asked: Asked) -> type[Any]:
    """The conformance class of the installed provider *name*.

    Raises:
        UnknownProviderError: nothing of that name is installed; says what is.
        PluginError: it is installed and broken.
        ConfigError: no working configuration can be made up, or a recording cannot be read.
    """
    from . import ProviderConformance

    cls = provider_class(name)
    here = not issubclass(cls, HTTPProvider) and bool(asked.model)
    found = recordings_for(cls, asked)
    settings = {
        "__doc__": f"The contract, held against {cls.__module__}.{cls.__qualname__}.",
        "__module__": __name__,
        "provider": cls,
        "config": _config(cls, asked.config),
        "model": asked.model
        or next((r.model for r in found if r.verb != "list_models"), "a-model"),
        "recordings": found,
        "in_process": here,
        "partial": True,
    }
    return type(f"Test{cls.__name__}", (ProviderConformance,), settings)


def _config(cls: type[LLMProvider], given: Mapping[str, Any]) -> dict[str, Any]:
    """`made_up`; *given* and a key for a plugin that the core refuses: its checks tell why."""
    try:
        return made_up(cls, given)
    except PluginError:
        return {"api_key": KEY, **given} if issubclass(cls, HTTPProvider) else dict(given)


def made_up(cls: type[LLMProvider], given: Mapping[str, Any]) -> dict[str, Any]:
    """`stand_in` for whoever speaks by the command line.

    Raises:
        ConfigError: what it wants cannot be made up; ``--jackfield-config`` has to say it.
    """
    try:
        return stand_in(cls, given)
    except PluginError:
        raise
    except ConfigError as error:
        told = [evolve(i, fix=f"{i.fix}; or --jackfield-config NAME=VALUE") for i in error.issues]
        raise ConfigError(error.message, told) from None


def recordings_for(cls: type[LLMProvider], asked: Asked) -> list[Recording]:
    """The recordings that are this provider's: those that say so, and those that name none.

    Raises:
        ConfigError: one cannot be read.
    """
    name, alone = cls.info.name, len(asked.names) < 2
    found: dict[str, Recording] = {}
    for folder in asked.recordings or list(_places(cls, asked.root)):
        for recording in load_recordings(folder):
            of = canonical(recording.provider) if recording.provider else ""
            if of == name or (not of and (alone or not folder.is_relative_to(asked.root / FOLDER))):
                found.setdefault(recording.name, recording)
    return list(found.values())


def _places(cls: type[LLMProvider], root: Path) -> Iterator[Path]:
    """Folders with recordings: in the package of *cls*, beside its source, below *root*."""
    seen: set[Path] = set()
    spec = importlib.util.find_spec(home(cls))
    for package in (spec.submodule_search_locations if spec else None) or ():
        seen.add(Path(package, "recordings"))
        seen |= {p / FOLDER for p in Path(package).parents[:3] if (p / "pyproject.toml").is_file()}
    for folder in [*sorted(seen), root / FOLDER]:
        if folder.is_dir() and any(folder.rglob("*.json")):
            yield folder
