"""The entry points of installed plugins: which there are, which may be imported, and their import."""

from __future__ import annotations

import difflib
import os
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import PluginError
from ..plugins import KNOWN, canonical
from .manifest import FILE, NONE, Manifest, manifests

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint

LOCK = "JACKFIELD_PLUGINS_LOCK"
"""The variable that names a lock file: a plugin that differs from it is not imported."""


def blocked() -> frozenset[str]:
    """The names that ``JACKFIELD_BLOCK`` leaves out."""
    names = os.environ.get("JACKFIELD_BLOCK", "").split(",")
    return frozenset(canonical(n) for n in names if n.strip())


def entries(kind: str, everything: bool = False) -> dict[str, EntryPoint]:
    """The entry points of *kind* (`KINDS`) by name; two of one name are a warning.

    Blocked ones are left out, unless *everything* is wanted.
    """
    import importlib_metadata

    out = frozenset() if everything else blocked()
    kept: dict[str, EntryPoint] = {}
    for entry in importlib_metadata.entry_points(group=f"jackfield.{kind}"):
        first = kept.setdefault(entry.name, entry)
        if first.dist is not entry.dist and entry.name not in out:
            both = f"{distribution(first)} and {distribution(entry)}"
            said = f"{entry.name} comes from {both}: the first is used; uninstall one"
            warnings.warn(said, RuntimeWarning, stacklevel=4)
    return {name: entry for name, entry in kept.items() if canonical(name) not in out}


def origin(entry: EntryPoint) -> tuple[str, str]:
    """The name and the version of the distribution that *entry* comes from; of its module, if of none."""
    return (entry.dist.name, entry.dist.version) if entry.dist else (entry.module, "")


def distribution(entry: EntryPoint) -> str:
    """The distribution that *entry* comes from, for messages."""
    return " ".join(origin(entry)).strip()


def said_by(entry: EntryPoint, kind: str) -> Manifest:
    """The manifest of *entry*, read without importing it; one without contract if there is none.

    Raises:
        PluginError: its file is misshapen, of another contract, or silent about it.
    """
    who = distribution(entry)
    found = manifests(entry.module.partition(".")[0], who)
    if found and f"{kind}/{entry.name}" not in found:
        fix = f"its author adds [{kind}.{entry.name}]"
        raise PluginError(f"the {FILE} of {who} does not mention {entry.name}: {fix}")
    return found.get(f"{kind}/{entry.name}", NONE)


def admitted(entry: EntryPoint, kind: str) -> Any:
    """What *entry* of *kind* leads to, imported if its manifest and the lock allow it.

    Raises:
        PluginError: they do not, or it cannot be imported; whatever a stranger's module does then.
    """
    said = said_by(entry, kind)
    if place := os.environ.get(LOCK):
        from .lock import hold

        hold(entry, kind, place)
    found = imported(entry)
    if kind == "providers":
        _agree(found, said, distribution(entry))
    return found


def _agree(cls: Any, said: Manifest, who: str) -> None:
    """Raise a `PluginError` unless the class *cls* asks for no more than its manifest said."""
    info = getattr(cls, "info", None)
    if said.contract is None or info is None:
        return
    fix = "tell its author, or leave it out with JACKFIELD_BLOCK"
    contract = getattr(info, "contract", None)
    for variable in (getattr(info, "api_key_env", None), *getattr(info, "other_key_envs", ())):
        if variable and not said.may_read(variable):
            unnamed = f"which is not among the secrets of its {FILE}"
            raise PluginError(f"{who} takes its key from {variable}, {unnamed}: {fix}")
    if contract != said.contract:
        told = f"speaks contract {contract}, and its {FILE} says {said.contract}"
        raise PluginError(f"{who} {told}: {fix}")


def imported(entry: EntryPoint) -> Any:
    """What *entry* leads to; whatever a stranger's module does at import is a `PluginError`."""
    try:
        return entry.load()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | GeneratorExit):
            raise
        fix = f"reinstall it, correct its entry point, or leave it out with JACKFIELD_BLOCK={entry.name}"
        reason = f"{type(error).__name__}: {error}"
        message = f"{entry.name} of {distribution(entry)} cannot be imported: {reason}; {fix}"
        raise PluginError(message) from error


def unknown(name: str, wanted: str, available: list[str]) -> str:
    """What is told of a provider *name* that is not installed, *wanted* in its registered form."""
    have = f"have {', '.join(available)}" if available else "none is installed"
    told = f"no provider {name!r} installed; {have}."
    if wanted in blocked():
        told += " JACKFIELD_BLOCK leaves it out: take it off that list."
    if wanted in KNOWN:
        return f"{told} Try: pip install {KNOWN[wanted]}"
    if wanted in blocked():
        return told
    near = difflib.get_close_matches(wanted, [*available, *KNOWN], 1)
    # No name of a package is made up: it could be anybody's.
    hint = f"Did you mean {near[0]!r}?" if near else "Install the package that brings it"
    return f"{told} {hint}"
