"""Conformance: what all else rests on, the manifest and the declarations; where they are wrong, the rest waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from pluggy import PluginValidationError

from ...capabilities import home
from ...errors import LLMError, PluginError
from ...exchange import Exchange
from ...flow import HTTPRequest
from ...hookspecs import hookimpl
from ...manifests import FILE, admitted, misdeclared
from ...manifests.entries import said_by
from ...manifests.unsaid import unsaid
from ...params import NAMES, Param
from ...plugins import CONTRACT, PROVIDERS, PluginManager, canonical
from ...requests import ChatRequest
from ...types import ProviderInfo
from .base import Base
from .observe import complain, raised_in, require

INFO = "test_its_info_is_complete"


class FirstTests(Base):
    """What all else rests on, looked at first."""

    def test_an_entry_point_leads_to_it(self) -> None:
        """The plugin is found under its own name, which is the class's."""
        found, package = _entry_points(self.provider), home(self.provider)
        if not found:
            line = f'[project.entry-points."{PROVIDERS}"]\n{self.provider.info.name} = "…:…"'
            pytest.skip(
                f"no entry point leads to {package}: to be found, its distribution needs\n{line}"
            )
        loaded = {canonical(e.name): e.load() for e in found}
        mine = loaded.get(self.provider.info.name)
        what = (
            f"the entry points of {package} are {sorted(loaded)}, none is {self.provider.info.name}"
        )
        require(mine is self.provider, what, "name the entry point after info.name")

    def test_it_speaks_a_contract_that_this_core_knows(self) -> None:
        """``info.contract`` is the version that the plugin was written for: this core's, or an older one."""
        told = self.provider.info.contract
        said = f"it speaks contract {told}, and this core 1 to {CONTRACT}"
        require(
            1 <= told <= CONTRACT, said, f"set info.contract to {CONTRACT}, or upgrade jackfield"
        )

    def test_its_manifest_fits_it(self) -> None:
        """``jackfield.toml`` names the host of the default base URL and the variables of keys, in the provider's section."""
        cls, package = self.provider, home(self.provider)
        name = cls.info.name
        sample = (
            f"contract = {CONTRACT}, and below [providers.{name}] hosts = […] and secrets = […]"
        )
        try:
            entry = _entry(cls)
            said = said_by(entry, "providers")
            if said.contract is None:
                pytest.skip(f"{package} has no {FILE} beside its code, which says {sample}")
            admitted(entry, "providers")
            wrong = unsaid(cls, said)
        except PluginError as error:
            wrong = error.message
        todo = f"correct the {FILE} beside the code of {package}: {sample}"
        require(not wrong, f"the {FILE} of {package}: {wrong}", todo)

    def test_its_table_names_common_parameters_only(self) -> None:
        """A misspelt name in the table would never be used."""
        where, table = f"{self.provider.__name__}.params", self.provider.params
        require(isinstance(table, Mapping), f"{where} is no dict", "write {name: Param(wire, …)}")
        unknown = sorted(set(table) - set(NAMES))
        todo = f"use the common names, {', '.join(NAMES)}; the rest goes through provider_options"
        require(not unknown, f"{where} has {unknown}", todo)
        specs: dict[str, Any] = dict(table)
        odd = [name for name, spec in specs.items() if not isinstance(spec, Param)]
        require(not odd, f"{odd} are no Param", "write Param(wire, …)")

    def test_its_operations_are_declared_as_the_core_reads_them(self) -> None:
        """``exchanges`` are exchanges or procedures, ``handlers`` names of methods, both by request type."""
        cls = self.provider
        if wrong := misdeclared(cls):
            what, _, todo = wrong.rpartition(": ")
            complain(f"{cls.__name__}.{what}", todo)
        error = _refused(cls)
        if error is not None and not isinstance(error.__context__, PluginValidationError):
            complain(error.message, "correct what it names: the core takes no such provider")
        self._builds()

    def _builds(self) -> None:
        """Make a provider, and have it build the plainest chat."""
        try:
            provider: Any = self.silent()
        except PluginError as error:
            complain(error.message, "correct what it names: no provider can be made until then")
        if not isinstance(getattr(provider, "exchanges", {}).get(ChatRequest), Exchange):
            return
        request = provider.chat_request(self.model, "Hi")
        call = provider.prepare(request)
        try:
            built = provider.exchange_for(request).build(call)
        except LLMError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a stranger's function does
            what = f"build of a chat raises {type(error).__name__}: {error}{raised_in(error)}"
            complain(what, "correct it there; it is given a Call, whose request is the ChatRequest")
        todo = "return json_request(path, body), or an HTTPRequest of your own"
        require(isinstance(built, HTTPRequest), f"build returns a {type(built).__name__}", todo)

    def test_its_verbs_fit_the_contract(self) -> None:
        """Registering the class checks the signatures of the five verbs."""
        error = _refused(self.provider)
        todo = "give the verb the parameters that LLMProvider gives it"
        require(error is None, f"the core does not take it: {error}", todo)

    @pytest.fixture(autouse=True)
    def _resting(self, request: pytest.FixtureRequest) -> None:
        """Leave a check out whose failure would only say again what the failing one of these says."""
        name, told = self._broken()
        if name and request.function.__name__ != name:
            pytest.skip(f"see {name}: {told}")

    @classmethod
    @cache
    def _broken(cls) -> tuple[str, str]:
        """The first of these checks that fails, and what it says; empty if none does."""
        if not isinstance(getattr(cls.provider, "info", None), ProviderInfo):
            return INFO, f"{cls.provider.__name__}.info is no ProviderInfo"
        itself = cls()
        for name in (n for n in vars(FirstTests) if n.startswith("test_")):
            check: Callable[[], None] = getattr(itself, name)
            try:
                check()
            except AssertionError as error:
                return name, str(error).partition("\n")[0]
            except (Exception, pytest.skip.Exception):  # noqa: BLE001, S112  # the check itself tells
                continue
        return "", ""


def _refused(cls: type[Any]) -> PluginError | None:
    """What the core says to *cls* when it is registered; None if it takes it."""
    plugin = SimpleNamespace(register_providers=hookimpl(lambda: [cls]))
    try:
        PluginManager().register(plugin)
    except PluginError as error:
        return error
    return None


def _entry_points(cls: type[Any]) -> list[Any]:
    """The installed entry points of providers that lead into the package of *cls*."""
    import importlib_metadata

    found = importlib_metadata.entry_points(group=PROVIDERS)
    return [entry for entry in found if entry.module.partition(".")[0] == home(cls)]


def _entry(cls: type[Any]) -> Any:
    """The entry point of *cls*; where none is installed, as it would be."""
    import importlib_metadata

    for entry in _entry_points(cls):
        if canonical(entry.name) == cls.info.name:
            return entry
    where = f"{cls.__module__}:{cls.__qualname__}"
    return importlib_metadata.EntryPoint(cls.info.name, where, PROVIDERS)


def in_order(cls: type[Any], items: Iterable[Any]) -> list[Any]:
    """*items*, the tests of the class *cls*, group by group as its bases name them; its own are the last."""
    groups = [base for base in cls.__mro__ if Base in base.__bases__]
    at = {name: n for n, group in enumerate(groups) for name in vars(group)}

    def place(item: Any) -> int:
        return at.get(getattr(item, "originalname", None) or item.name, len(groups))

    return sorted(items, key=place)
