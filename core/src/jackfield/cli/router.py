"""Whom a command asks that asks several, and what with."""

from __future__ import annotations

import atexit
import warnings
from typing import Any

import click
from attrs import asdict, evolve

from ..errors import ConfigError, InvalidRequestError, NotFoundError
from ..params import parse_params
from ..plugins import plugin_manager
from ..provider import LLMProvider
from ..requests import Request
from .base import State
from .call import own_options, parse_parameters
from .whom import House


class Router:
    """Who answers to a request's model.

    *model* is asked instead of what requests name; if it is a provider, it is that
    of those that name a bare model.
    """

    def __init__(self, house: House, model: str | None, given: tuple[str, ...]) -> None:
        self._house, settings = house, house.settings
        named = {*settings.routes, *settings.aliases}
        prefix = bool(model) and model not in named and self._known(model)
        self._provider, self._model = (model, "") if prefix else ("", model or "")
        self.default = self._model or settings.default_model or ""
        common, self._own = parse_parameters(given)
        self._params = asdict(parse_params(common), filter=lambda _, value: value is not None)

    def prepare(self, request: Request[Any]) -> Request[Any]:
        """*request* as it is to be sent, its model written in full.

        Raises:
            InvalidRequestError: nobody answers to it.
            ConfigError: who does cannot be used.
        """
        wanted, (head, _, rest) = self._model or request.model, request.model.partition("/")
        if self._provider and not (rest and self._known(head)):
            wanted = f"{self._provider}/{request.model}"
        try:
            meant = self._house.find(wanted)
        except (click.UsageError, NotFoundError) as error:
            raise InvalidRequestError(error.message, param="model", phase="build") from None
        if self._house.provider(
            meant.name
        ).check_config():  # of a route: none of its targets is ready
            found = [*self._house.issues(meant.name)]
            raise ConfigError(f"{meant.name} cannot be used:", found)
        request = evolve(request, model=str(meant))
        if self._params and (params := getattr(request, "params", None)) is not None:
            changed: Any = {"params": evolve(params, **self._params)}
            request = evolve(request, **changed)
        options = dict(request.provider_options)
        for kind, own in own_options(self._house.kinds(meant.name), self._own).items():
            options[kind] = {**options.get(kind, {}), **own}
        return evolve(request, provider_options=options)

    def _known(self, name: str | None) -> bool:
        settings = self._house.settings
        return name in settings.routes or settings.name_of(name or "") in settings.names

    def resolve(self, request: Request[Any]) -> tuple[LLMProvider, Request[Any]]:
        """Who answers *request*, and the request for it."""
        prepared = self.prepare(request)
        meant = self._house.find(prepared.model)
        return self._house.provider(meant.name), evolve(prepared, model=meant.model)


def make_router(config: str | None, model: str | None, given: tuple[str, ...]) -> Router:
    """A command's router where its batch is worked off, in another process: from the file at *config*.

    Raises:
        ConfigError: with everything that is wrong with the file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever gave the command was told
        plugin_manager().load_plugins()
    state = State()
    state.config = config
    atexit.register(state.house.close)
    return Router(state.house, model, given)
