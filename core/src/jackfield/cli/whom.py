"""Whom a model's name means to a command, and who answers: a provider or route, with what stands around calls."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from ..errors import LLMError
from ..manager.places import steps_of
from ..manager.reach import AROUND, part, reach
from ..plugins import KNOWN, canonical, plugin_manager
from ..provider import LLMProvider
from ..types import ConfigIssue
from .settings import Settings
from .terminal import note

if TYPE_CHECKING:  # imported where the file has need of it
    from ..manager.manager import ProviderManager


@frozen
class Meant:
    """The provider or route that a model's name means, the model there, and how that was found.

    *alone*: a route was named, and no model of it.
    """

    name: str
    model: str
    how: str = "exact"
    alone: bool = False

    def __str__(self) -> str:
        return self.name if self.alone else f"{self.name}/{self.model}"


class House:
    """Those who answer, of the file and installed; made as far as somebody asks for them.

    What is wrong with others hinders nobody. Closed with the command, if there is one, it settles what it booked.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys: dict[str, str] = {}
        """Keys from the command line, by provider."""
        self._found: dict[str, Meant] = {}
        self._made: dict[str, LLMProvider] = {}
        self._manager: ProviderManager | None = None
        if (context := click.get_current_context(silent=True)) is not None:
            context.call_on_close(self.close)

    def find(self, model: str) -> Meant:
        """Whom *model* means: a route, an alias, ``PROVIDER/MODEL``, or a model that somebody serves.

        Raises:
            UsageError: it is no model.
            NotFoundError: nobody serves it, or several do.
        """
        if model not in self._found:
            self._found[model] = self._meant(model)
        return self._found[model]

    def _meant(self, model: str) -> Meant:
        settings, meant, how = self.settings, model, "exact"
        if model in settings.aliases:
            from ..manager.build import follow

            meant = follow(model, settings.aliases)
            how = f"alias of {meant}"
        if meant in settings.routes:
            return Meant(meant, meant, how, alone=True)
        head, _, rest = meant.partition("/")
        name = head if head in settings.routes else settings.name_of(head)
        if name in settings.routes or name in settings.names:
            if rest:
                return Meant(name, rest, how)
            fix = f"which of its models? `jackfield models {head}` lists them"
            raise click.UsageError(f"{meant!r} is a provider: {fix}")
        near = name in KNOWN or difflib.get_close_matches(name, settings.names, 1, 0.75)
        if rest and (near or not settings.providers):
            return Meant(name, rest, how)  # what it lacks is told when it is made
        return self._serving(meant, how)

    def _serving(self, model: str, how: str) -> Meant:
        """Who of the file's providers serves *model*; they are asked where nothing else tells."""
        able = []
        for name in self.settings.providers:
            try:
                self._part([name])
                able.append(name)
            except LLMError as error:
                note(f"{name} is left out: {error}", 33)
        if not able:
            have = ", ".join(self.settings.names)
            raise click.UsageError(f"{model!r} is not PROVIDER/MODEL; providers: {have}")
        provider, served = self._open(able).resolve(model)
        return Meant(provider.name, served, how if how != "exact" else "served there")

    def provider(self, name: str) -> LLMProvider:
        """The provider or route *name*, ready to be asked.

        Raises:
            ConfigError: it, or a target of it, or a table that stands around its calls, is misconfigured.
        """
        if not self._is_plain(name):
            manager = self._manager
            return (manager if manager and name in manager else self._open([name]))[name]
        if name not in self._made:
            key = {"api_key": self.keys[name]} if name in self.keys else None
            self._made[name] = self.settings.create(name, key)
        return self._made[name]

    def _is_plain(self, name: str) -> bool:
        """Whether nothing stands around the calls of *name*, a provider: then no manager is needed."""
        settings = self.settings
        around = settings.document.tables.keys() & set(AROUND)
        own = settings.providers.get(name, {}).keys() & {"limits", "api_keys"}
        wrong = any(steps_of(i.path)[1:2] == (name,) for i in settings.found)
        return not (around or own or wrong or name in settings.routes)

    def _open(self, names: Iterable[str]) -> ProviderManager:
        """A manager of *names*, and of those that it had before."""
        settings = self._part([*(self._manager or ()), *names])
        self.close()
        with contextlib.redirect_stdout(sys.stderr):  # importing must not write into answers
            from ..manager.manager import ProviderManager

            self._manager = ProviderManager(settings)
        return self._manager

    def _part(self, names: list[str]) -> Any:
        """What the file says of *names* and all that they lead to."""
        settings, providers = self.settings, {}
        used = reach(settings.document.tables, names)
        for name in used:
            if name in settings.providers or (name in names and name not in settings.routes):
                with contextlib.redirect_stdout(sys.stderr):
                    plugin_manager().provider_class(settings.kind_of(name))  # raises what it lacks
                providers[name] = dict(settings.providers.get(name, {}))
                if name in self.keys:
                    providers[name] |= {"api_keys": [], "api_key": self.keys[name]}
        routes = [name for name in used if name in settings.routes]
        return part(settings.document, settings.found, providers, routes)

    def kinds(self, name: str) -> dict[str, str]:
        """The providers that *name* is or leads to, and the kind of each."""
        settings = self.settings
        leaves = reach(settings.document.tables, [name])
        return {n: canonical(settings.kind_of(n)) for n in leaves if n not in settings.routes}

    def issues(self, name: str) -> Iterator[ConfigIssue]:
        """What keeps *name*, or whom it leads to, from being ready, with its place."""
        for one in self.kinds(name):
            for issue in self.provider(one).check_config():
                yield evolve(issue, path=self.settings.place(one, issue.path))

    def close(self) -> None:
        """Let go of everybody, and have written what is to be written."""
        if self._manager is not None:
            manager, self._manager = self._manager, None
            manager.close()
