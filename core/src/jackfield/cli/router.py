"""Who answers to ``PROVIDER/MODEL``, where a command asks several."""

from __future__ import annotations

from typing import Any

from attrs import asdict, evolve

from ..errors import ConfigError, InvalidRequestError
from ..params import parse_params
from ..provider import LLMProvider
from ..requests import Request
from .call import parse_parameters
from .settings import Settings


class Router:
    """Who answers to a request's ``PROVIDER/MODEL``; each provider is made once.

    *model* is asked instead of what requests name; without a slash it is the provider
    of those that name a bare model.
    """

    def __init__(self, settings: Settings, model: str | None, given: tuple[str, ...]) -> None:
        self._settings = settings
        self._made: dict[str, LLMProvider] = {}
        self._provider, slash, _ = (model or "").partition("/")
        self._model = (model or "") if slash else ""
        self.default = self._model or settings.default_model or ""
        common, self._own = parse_parameters(given)
        self._params = asdict(parse_params(common), filter=lambda _, value: value is not None)

    def prepare(self, request: Request[Any]) -> Request[Any]:
        """*request* as it is to be sent, its model written ``PROVIDER/MODEL``.

        Raises:
            InvalidRequestError: nobody answers to it.
            ConfigError: who does cannot be used.
        """
        name, _, rest = (self._model or request.model).partition("/")
        if not self._model and self._provider and not (rest and self._known(name)):
            name, rest = self._provider, request.model
        if not rest or not self._known(name):
            fix = "write PROVIDER/MODEL, or pass -m; `jackfield models` lists them"
            said = f"model {request.model!r}: no such provider; {fix}"
            raise InvalidRequestError(said, param="model", phase="build")
        request = evolve(request, model=f"{name}/{rest}")
        kind = self.provider(name).info.name
        if self._params and (params := getattr(request, "params", None)) is not None:
            changed: Any = {"params": evolve(params, **self._params)}
            request = evolve(request, **changed)
        if own := self._own.get(name):
            merged = {**request.provider_options.get(kind, {}), **own}
            request = evolve(request, provider_options={**request.provider_options, kind: merged})
        return request

    def _known(self, name: str) -> bool:
        return self._settings.name_of(name) in self._settings.names

    def provider(self, name: str) -> LLMProvider:
        """The provider *name*, ready to be asked.

        Raises:
            ConfigError: it is not.
        """
        if name not in self._made:
            made, place = self._settings.create(name), self._settings.place
            issues = [evolve(i, path=place(made.name, i.path)) for i in made.check_config()]
            if issues:
                raise ConfigError(f"{made.name} cannot be used:", issues)
            self._made[name] = made
        return self._made[name]

    def resolve(self, request: Request[Any]) -> tuple[LLMProvider, Request[Any]]:
        """Who answers *request*, and the request for it."""
        name, _, model = request.model.partition("/")
        return self.provider(name), evolve(request, model=model)
