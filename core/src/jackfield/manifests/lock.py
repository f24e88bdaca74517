"""The lock: which plugins somebody has looked at, down to their bytes, and what differs from that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, PluginError
from .entries import distribution, entries, origin, said_by
from .manifest import KINDS, folder_of

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint

NAME = "jackfield-plugins.lock"
FORM = 1
_VARYING = frozenset(
    {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
)
"""Files of an installed distribution that its installer writes, each in its own way."""


def fingerprint(entry: EntryPoint) -> str:
    """A digest over all files of the distribution of *entry*, and of the package that would be imported."""
    installed = entry.dist.files or () if entry.dist else ()
    files = {str(path): Path(str(path.locate())) for path in installed}
    folder = folder_of(package := entry.module.partition(".")[0])
    for path in folder.rglob("*") if folder else ():
        files[f"{package}/{path.relative_to(folder).as_posix()}"] = path  # type: ignore[arg-type]  # there is a folder
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        parts = Path(name).parts
        if ".." in parts or "__pycache__" in parts or parts[-1] in _VARYING or not path.is_file():
            continue
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def facts(entry: EntryPoint, kind: str) -> dict[str, Any]:
    """What a lock keeps of *entry*.

    Raises:
        PluginError: its manifest cannot be used.
    """
    said, (name, version) = said_by(entry, kind), origin(entry)
    return {
        "distribution": name,
        "version": version,
        "hash": fingerprint(entry),
        "contract": said.contract,
        "hosts": sorted(said.hosts),
        "secrets": sorted(said.secrets),
    }


def write_lock(path: Path) -> list[str]:
    """Write what is installed now, and not blocked, to *path*; return the plugins' names.

    Raises:
        PluginError: the manifest of one cannot be used; nothing is written.
    """
    plugins = {f"{k}/{name}": facts(e, k) for k in KINDS for name, e in entries(k).items()}
    text = json.dumps({"form": FORM, "plugins": plugins}, indent=2, sort_keys=True)
    path.write_text(text + "\n", "utf-8")
    return sorted(plugins)


def read_lock(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The plugins in the lock at *path*, as ``providers/NAME`` and so on.

    Raises:
        ConfigError: there is none that can be read.
    """
    fix = f"write one with `jackfield plugins lock --file {path}`"
    try:
        told = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"there is no lock at {path} ({error.strerror}): {fix}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is no lock of plugins: {fix}") from None
    plugins = told.get("plugins") if isinstance(told, dict) and told.get("form") == FORM else None
    if not isinstance(plugins, dict) or not all(isinstance(p, dict) for p in plugins.values()):
        raise ConfigError(f"{path} is no lock of plugins that this version can read: {fix}")
    return plugins


@lru_cache(maxsize=8)
def _kept(path: str, _changed: int) -> Mapping[str, Mapping[str, Any]]:
    return read_lock(Path(path))


def hold(entry: EntryPoint, kind: str, place: str) -> None:
    """Raise a `PluginError` where *entry* differs from the lock at *place*, or there is none."""
    path = Path(place).expanduser()
    try:
        locked = _kept(str(path), path.stat().st_mtime_ns if path.exists() else 0)
    except ConfigError as error:
        raise PluginError(error.message) from None
    if found := differences(f"{kind}/{entry.name}", facts(entry, kind), locked):
        raise PluginError(f"{distribution(entry)} is set aside by {path}: {'; '.join(found)}")


def differences(
    name: str, now: Mapping[str, Any], locked: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """How the plugin *name*, as it is *now*, differs from what was *locked*, each with what to do."""
    do = "look at it, then `jackfield plugins lock`"
    if (was := locked.get(name)) is None:
        return [f"{name} is not in the lock: uninstall it, or {do}"]
    found = []
    for field, what in (("hosts", "host"), ("secrets", "secret")):
        new, old = set(now[field]), set(was.get(field) or ())
        found += [f"a new {what}, {one}: ask what it is for, or {do}" for one in sorted(new - old)]
        found += [f"the {what} {one} is gone: {do}" for one in sorted(old - new)]
    if now["contract"] != was.get("contract"):
        found.append(f"contract {now['contract']} instead of {was.get('contract')}: {do}")
    came = f"{was.get('distribution')} {was.get('version')}"
    if (is_now := f"{now['distribution']} {now['version']}") != came:
        found.append(f"{is_now} instead of {came}: install that, or {do}")
    elif now["hash"] != was.get("hash"):
        found.append(f"its code changed although it still is {came}: reinstall it, or {do}")
    return found
