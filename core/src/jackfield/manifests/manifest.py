"""``jackfield.toml``: a plugin's own word on its contract, hosts and secrets, read without importing it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import frozen

from ..errors import PluginError

FILE = "jackfield.toml"
"""The file's name; it stands beside the ``__init__.py`` of the plugin's package."""

KINDS = ("providers", "plugins", "executors", "strategies", "guards")
"""What there can be plugins of: the groups of entry points, without ``jackfield.``."""

OLDEST = 1
"""The first version of the contract that this core still speaks."""

_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_HOST = re.compile(
    rf"(\*\.{_LABEL}\.)?{_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?|\[[0-9a-f:]+\](:[0-9]{{1,5}})?"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELDS = ("hosts", "secrets")


@frozen(kw_only=True)
class Manifest:
    """What one plugin may do: reach *hosts*, read *secrets* from the environment; *contract* is its version.

    A host stands for its scheme's usual port (443, and on this machine 80), unless
    it names one; ``*.example.com`` stands for everything below. Without a manifest
    (*contract* is None) a provider has its base URL's host and its ``api_key_env``.
    """

    contract: int | None = None
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def may_read(self, variable: str | None) -> bool:
        """Whether the environment's *variable* is for this plugin."""
        return variable is not None and (self.contract is None or variable in self.secrets)


NONE = Manifest()


def folder_of(package: str) -> Path | None:
    """Where the top-level *package* lies that would be imported; nothing of it is run."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


@lru_cache(maxsize=256)
def manifests(package: str, who: str) -> Mapping[str, Manifest]:
    """What the top-level *package* of the distribution *who* says, as ``providers/NAME`` and so on; empty without a file.

    Raises:
        PluginError: its file is misshapen, or of another contract.
    """
    folder = folder_of(package)
    place = folder / FILE if folder else None
    if place is None or not place.is_file():
        return {}
    import tomllib

    try:
        told = tomllib.loads(place.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _bad(who, f"cannot be read: {error}") from None
    return parsed(told, who)


def parsed(told: Mapping[str, Any], who: str) -> Mapping[str, Manifest]:
    """The manifests in *told*, the content of the file of the distribution *who*."""
    contract = told.get("contract")
    check_contract(contract, who)
    _known(told, ("contract", *KINDS), "", who)
    found = {}
    for kind in KINDS:
        for name, table in _table(told.get(kind, {}), kind, who).items():
            where = f"{kind}.{name}"
            _known(_table(table, where, who), _FIELDS, where, who)
            hosts = _texts(table, "hosts", _HOST, where, who)
            secrets = _texts(table, "secrets", _VARIABLE, where, who)
            found[f"{kind}/{name}"] = Manifest(contract=contract, hosts=hosts, secrets=secrets)
    return found


def check_contract(contract: Any, who: str) -> None:
    """Raise a `PluginError` unless this core speaks the version *contract*."""
    from ..plugins import CONTRACT

    if type(contract) is not int or contract < 1:
        raise _bad(who, f"has no contract version: write contract = {CONTRACT} at its top")
    if contract > CONTRACT:
        message = f"{who} speaks contract {contract}, this core {CONTRACT}"
        raise PluginError(f"{message}: pip install -U jackfield")
    if contract < OLDEST:
        message = f"{who} speaks contract {contract}, and this core none before {OLDEST}"
        raise PluginError(
            f"{message}: install a newer version of the plugin, or an older jackfield"
        )


def manifest_of(cls: type[Any], kind: str = "providers") -> Manifest:
    """The manifest of the provider class *cls*: of the package that brings it, or the class it derives from."""
    for base in cls.__mro__[:-1]:
        package = base.__module__.partition(".")[0]
        if found := manifests(package, package).get(f"{kind}/{cls.info.name}"):
            return found
    return NONE


def _bad(who: str, problem: str) -> PluginError:
    fix = "tell its author, or leave it out with JACKFIELD_BLOCK"
    return PluginError(f"the {FILE} of {who} {problem}; {fix}")


def _known(table: Mapping[str, Any], names: Collection[str], where: str, who: str) -> None:
    for name in table.keys() - set(names):
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise _bad(who, f"says {f'{where}.' if where else ''}{name}, which is nothing: {hint}")


def _table(value: Any, where: str, who: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _bad(who, f"has no table at {where}: write [{where}]")
    return value


def _texts(
    table: Mapping[str, Any], name: str, form: re.Pattern[str], where: str, who: str
) -> tuple[str, ...]:
    """The list *name* of *table*, each a text of the *form*."""
    given = table.get(name, [])
    if not isinstance(given, list):
        raise _bad(who, f"has no list at {where}.{name}")
    texts = [text.lower() if name == "hosts" and isinstance(text, str) else text for text in given]
    for text in texts:
        if not (isinstance(text, str) and form.fullmatch(text)):
            wants = 'hosts are written "api.example.com", "*.example.com" or "localhost:8000"'
            hint = wants if name == "hosts" else "secrets are names of environment variables"
            raise _bad(who, f"has {text!r} in {where}.{name}: {hint}")
    return tuple(texts)
