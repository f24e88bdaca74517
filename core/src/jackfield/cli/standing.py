"""How every installed plugin stands: told from its files, or checked by importing it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from attrs import evolve, frozen

from ..errors import ConfigError, PluginError
from ..manifests.entries import LOCK, admitted, blocked, entries, origin, said_by
from ..manifests.lock import differences, facts, hold, read_lock
from ..manifests.manifest import KINDS, NONE
from ..manifests.unsaid import unsaid
from ..plugins import PluginManager, canonical, plugin_manager

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint


@frozen(kw_only=True)
class Standing:
    """One plugin: *kind* is one of `KINDS`, *state* ``ok``, ``blocked`` or ``quarantined``, *reason* why.

    *contract* is None where there is no manifest.
    """

    name: str
    kind: str
    distribution: str
    version: str
    contract: int | None = None
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    state: str = "ok"
    reason: str = ""


def standings() -> list[Standing]:
    """All installed plugins, none of them imported."""
    found = ((kind, entries(kind, everything=True)) for kind in KINDS)
    return [_standing(e, kind) for kind, plugins in found for _, e in sorted(plugins.items())]


def _standing(entry: EntryPoint, kind: str) -> Standing:
    said, state, reason = NONE, "ok", ""
    try:
        said = said_by(entry, kind)
        if place := os.environ.get(LOCK):
            hold(entry, kind, place)
    except PluginError as error:
        state, reason = "quarantined", error.message
    if canonical(entry.name) in blocked():
        state, reason = "blocked", "JACKFIELD_BLOCK leaves it out"
    brought_by, version = origin(entry)
    return Standing(
        name=entry.name,
        kind=kind,
        distribution=brought_by,
        version=version,
        contract=said.contract,
        hosts=said.hosts,
        secrets=said.secrets,
        state=state,
        reason=reason,
    )


def check(lock: Path | None) -> list[Standing]:
    """All plugins that are not blocked, imported and held to the contract and to *lock*.

    A plugin of the lock that is not installed is among them, as quarantined.

    Raises:
        ConfigError: the lock cannot be read.
    """
    locked = None if lock is None else read_lock(lock)
    found = []
    for kind in KINDS:
        for name, entry in sorted(entries(kind).items()):
            standing = _standing(entry, kind)
            problems = [standing.reason] if standing.reason else _problems(entry, kind, locked)
            if problems:
                standing = evolve(standing, state="quarantined", reason="; ".join(problems))
            found.append(standing)
            locked = locked and {k: v for k, v in locked.items() if k != f"{kind}/{name}"}
    return [*found, *(_gone(name, was) for name, was in (locked or {}).items())]


def _problems(entry: EntryPoint, kind: str, locked: Mapping[str, Any] | None) -> list[str]:
    """What is wrong with *entry*: how it differs from the lock, and only if it doesn't, what importing it shows."""
    if locked is not None and (
        found := differences(f"{kind}/{entry.name}", facts(entry, kind), locked)
    ):
        return found
    try:
        if kind == "providers":
            cls = plugin_manager().provider_class(entry.name)
            other = canonical(entry.name) != canonical(cls.info.name)
            named = f"it calls itself {cls.info.name}: its entry point must, too" if other else ""
            return list(filter(None, [named, unsaid(cls, said_by(entry, kind))]))
        if kind == "plugins":
            _registered(entry)
        else:
            admitted(entry, kind)
    except ConfigError as error:
        return [error.message]
    return []


def _registered(entry: EntryPoint) -> None:
    """Import the hooks of *entry* and hold their signatures to the specifications."""
    try:
        PluginManager().register(admitted(entry, "plugins"), name=entry.name)
    except pluggy.PluginValidationError as error:
        raise PluginError(f"a hook does not fit: {error}") from None


def _gone(name: str, was: Mapping[str, Any]) -> Standing:
    """A plugin of the lock that is not there."""
    kind, _, rest = name.partition("/")
    told = f"{was.get('distribution')} {was.get('version')}"
    reason = f"it is in the lock and not installed: install {told}, or `jackfield plugins lock`"
    return Standing(
        name=rest, kind=kind, distribution=str(was.get("distribution")),
        version=str(was.get("version")), state="quarantined", reason=reason,
    )  # fmt: skip
