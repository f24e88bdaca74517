"""The manager: named providers and routes, whom a model's name means, and what stands around calls."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from attrs import evolve

from ..closing import AsyncClosing, Closing
from ..drivers.concurrent import AsyncDriver
from ..drivers.sync import SyncDriver
from ..errors import ConfigError, LLMError, UnknownProviderError
from ..flow import NOW, Flow
from ..middleware.batch_costs import OWN
from ..middleware.usage import CostAnalysis
from ..prompts import Prompt
from ..provider import LLMProvider, Params
from ..requests import ModelListRequest, Request
from ..retrying import Budget
from ..routing import Route, RouteTarget
from ..types import ConfigIssue
from . import around
from .build import build_provider, build_routes, with_provider
from .calls import Calls
from .executors import chat_request
from .files import load_settings, read_settings
from .listings import (
    ManagerExplanation,
    ModelListing,
    ProviderStatus,
    aeach,
    alisting,
    each,
    explained,
    listing,
)
from .names import Names, Resolved
from .observations import HealthStatus
from .settings import ManagerSettings, ProviderSettings

R = TypeVar("R")
RouteT = TypeVar("RouteT", bound=Route)

FRESH = 300.0
"""Seconds for which a provider's list of models is remembered, to tell whom a name means."""


class ProviderManager(Calls, Closing, AsyncClosing):
    """Many providers as one.

    *config* is a configuration file's path, its tables as a mapping, `ManagerSettings`,
    or nothing. *middleware* are objects with hooks, put around every call here, the
    first outermost. Thread-safe; one manager serves threads and event loops alike.

    Raises:
        ConfigError: with everything that is wrong, each with its place.
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | Mapping[str, Any] | ManagerSettings | None = None,
        *,
        middleware: Sequence[Any] = (),
        driver: SyncDriver | None = None,
        async_driver: AsyncDriver | None = None,
    ) -> None:
        held = _Held(config)
        del config  # what is left of it in this frame would show in a traceback
        settings = held.settings()
        self._driver, self._async_driver = driver or SyncDriver(), async_driver or AsyncDriver()
        self._drivers = {"driver": self._driver, "async_driver": self._async_driver}
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, bool], Any] = {}
        self._fetched: dict[str, tuple[float, tuple[str, ...]]] = {}
        self.around = around.Around(settings, middleware)
        own = settings.providers.items()
        self._install(settings, {name: self._build(name, p) for name, p in own})
        self.around.start(list(self._providers.values()))

    def _build(self, name: str, settings: ProviderSettings) -> LLMProvider:
        return build_provider(name, settings, self.around.hook, **self._drivers)

    def _install(self, settings: ManagerSettings, providers: dict[str, LLMProvider]) -> None:
        """Have *providers* and the routes over them be what there is from now on."""
        self._routes = build_routes(settings, providers, self.around.hook, **self._drivers)
        self._settings, self._providers = settings, providers
        self._names = Names(settings, providers, self._routes)
        self.around.configure(settings)

    # Who there is.

    @property
    def settings(self) -> ManagerSettings:
        """What the manager was told, and has been since."""
        return self._settings

    @property
    def providers(self) -> Mapping[str, LLMProvider]:
        """The named providers."""
        return dict(self._providers)

    @property
    def routes(self) -> Mapping[str, LLMProvider]:
        """The routes, by name."""
        return dict(self._routes)

    def __getitem__(self, name: str) -> LLMProvider:
        """The provider or route *name*.

        Raises:
            UnknownProviderError: there is none; the message lists those that there are.
        """
        found = self._providers.get(name) or self._routes.get(name)
        if found is None:
            raise self._unknown(name)
        return found

    def _unknown(self, name: str) -> UnknownProviderError:
        have = ", ".join([*self._providers, *self._routes]) or "none yet"
        message = f"the manager has no provider {name!r}; it has {have}. Add it: add_provider(…)"
        return UnknownProviderError(message)

    def __contains__(self, name: object) -> bool:
        return name in self._providers or name in self._routes

    def __iter__(self) -> Iterator[str]:
        return iter([*self._providers, *self._routes])

    def __len__(self) -> int:
        return len(self._providers) + len(self._routes)

    def __repr__(self) -> str:
        return f"<ProviderManager of {', '.join(self.__dict__.get('_providers', ())) or 'nobody'}>"

    def add_provider(
        self, name: str, config: Mapping[str, Any] | LLMProvider | None = None, /, **more: Any
    ) -> LLMProvider:
        """Add a provider *name*, or exchange the one of that name.

        *config* is its table as in a file: its own settings, and the manager's
        (``provider``, the kind, where it is not *name*; ``models``, ``priority``, …);
        or it is a provider, which gets the manager's middleware and *more* of the table.

        Raises:
            ConfigError: with everything that is wrong with it.
        """
        given = config if isinstance(config, LLMProvider) else None
        table = {"provider": "scripted"} if isinstance(config, LLMProvider) else config or {}
        held = _Held({"providers": {name: {**table, **more}}})
        del config, table, more  # what is left of them in this frame would show in a traceback
        own = held.settings().providers[name]
        with self._lock:
            if name in self._routes:
                issue = ConfigIssue(name, "is the name of a route", "call it otherwise")
                raise ConfigError("the provider cannot be added:", [issue])
            if given is None:
                made = self._build(name, own)
            else:
                made, own = given, evolve(own, provider=given.info.name)
                made.join(name, self.around.hook)
            settings = with_provider(self._settings, name, own)
            self._install(settings, {**self._providers, name: made})
            self._forget(name)
        return made

    def remove_provider(self, name: str) -> None:
        """Remove the provider *name*; calls that it is working on go on.

        Raises:
            UnknownProviderError: there is none.
            ConfigError: a route needs it.
        """
        with self._lock:
            if name not in self._providers:
                raise self._unknown(name)
            providers = {n: p for n, p in self._providers.items() if n != name}
            self._install(with_provider(self._settings, name, None), providers)
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._fetched.pop(name, None)
        for asynchronous in (False, True):
            self._clients.pop((name, asynchronous), None)

    # Whom a model's name means.

    def resolve(self, request: Request[R] | str) -> tuple[LLMProvider, Any]:
        """Who performs *request*, and the request as it is to have it; of a name, its model.

        Raises:
            NotFoundError: nobody serves the model, or several do; the message lists them.
        """
        found = self._driver.run(self._resolving(_model_of(request)))
        return self._meant(found, request)

    async def aresolve(self, request: Request[R] | str) -> tuple[LLMProvider, Any]:
        """`resolve`, on the event loop."""
        found = await self._async_driver.run(self._resolving(_model_of(request)))
        return self._meant(found, request)

    def _meant(self, found: Resolved, request: Any) -> tuple[LLMProvider, Any]:
        provider = self[found.provider]
        if isinstance(request, str):
            return provider, found.model
        return provider, evolve(request, model=found.model)

    def names_serving(self, model: str) -> list[str]:
        """The providers that serve *model* by their lists or fame, by priority."""
        return self._names.serving(model)

    def _resolving(self, model: str) -> Flow[Resolved]:
        found = self._names.resolve(model)
        if found is not None:
            return found
        asked = [n for n, p in self._settings.providers.items() if p.fetch_models or not p.models]
        fetched: dict[str, tuple[str, ...]] = {}
        for name in asked:
            fetched[name] = yield from self._models_of(name)
        found = self._names.resolve(model, fetched)
        assert found is not None
        return found

    def _models_of(self, name: str) -> Flow[tuple[str, ...]]:
        """The names of the models that a provider lists, remembered for a while; none if it fails."""
        now = yield NOW
        at, models = self._fetched.get(name, (float("-inf"), ()))
        if now - at > FRESH:
            provider = self._providers[name]
            try:
                budget = Budget(1, now + 10.0)
                request = ModelListRequest(metadata={OWN: True})
                listed = yield from provider.call(request, budget=budget)
            except LLMError:
                return models
            models = tuple(model.id for model in listed)
            self._fetched[name] = now, models
        return models

    def explain(
        self,
        request: Request[Any] | str,
        prompt: Prompt = (),
        parameters: Params = None,
        **options: Any,
    ) -> ManagerExplanation:
        """Whom *request* means and why, who else was considered, and what would be sent."""
        if isinstance(request, str):
            request = chat_request(request, prompt, parameters, **options)
        found = self._driver.run(self._resolving(request.model))
        provider, meant = self._meant(found, request)
        return explained(found, provider.explain(meant))

    def route(
        self, kind: type[RouteT], targets: Sequence[RouteTarget], name: str, **config: Any
    ) -> RouteT:
        """A route of *kind* over *targets*, for the program's own use, with the manager's middleware."""
        told = {**config, "targets": targets}
        return kind(told, name=name, hook=self.around.hook, **self._drivers)

    # How things stand.

    def list_models(self) -> dict[str, ModelListing]:
        """The models of every provider, and beside them who could not tell."""
        return each(self._providers, lambda p: listing(p.list_models))

    async def alist_models(self) -> dict[str, ModelListing]:
        """`list_models`, on the event loop."""
        return await aeach(self._providers, lambda p: alisting(p.alist_models()))

    def status(self) -> dict[str, ProviderStatus]:
        """How every provider and route stands, by what is known without asking it."""
        health = self.around.health.status()
        return {
            name: ProviderStatus.of(self[name], self.settings.providers.get(name), health.get(name))
            for name in self
        }

    def check_health(self) -> dict[str, HealthStatus]:
        """Ask every provider how it is, side by side."""
        return self.around.health.probe_all(self._providers.values())

    async def acheck_health(self) -> dict[str, HealthStatus]:
        """`check_health`, on the event loop."""
        return await self.around.health.aprobe_all(self._providers.values())

    def get_cost_analysis(self) -> CostAnalysis:
        """What calls cost: of the ledger, or since the manager was made where it keeps none."""
        return self.around.costs()

    # OpenAI-shaped clients.

    def clients(self) -> dict[str, Any]:
        """A client object in the form of the ``openai`` package's for every provider and route."""
        return {name: self.get_client(name) for name in self}

    def get_client(self, name: str) -> Any:
        """The client object of *name*, the same one until it is closed.

        Raises:
            UnknownProviderError: there is no such provider.
            PluginError: the dialect that makes them is not installed.
        """
        return self._client(name, asynchronous=False)

    def get_async_client(self, name: str) -> Any:
        """As `get_client`, for event loops."""
        return self._client(name, asynchronous=True)

    def _client(self, name: str, *, asynchronous: bool) -> Any:
        provider = self[name]
        with self._lock:
            known = self._clients.get((name, asynchronous))
            if known is None or known.is_closed():
                own = self._settings.providers.get(name)
                named = own.named if own else ()
                model = name if name in self._routes else named[0] if named else None
                made = around.client_class(asynchronous=asynchronous)
                self._clients[name, asynchronous] = made(provider, model=model, shared=True)
            return self._clients[name, asynchronous]

    # The end.

    def register(self, plugin: Any) -> None:
        """Put the hooks of *plugin* around every call from now on, nearest to the backend."""
        self.around.plugins.register(plugin)

    def close(self) -> None:
        """Close every provider, and what the middleware keeps open."""
        for provider in [*self._routes.values(), *self._providers.values()]:
            provider.close()
        self.around.close()

    async def aclose(self) -> None:
        """`close`, on the event loop."""
        import anyio.to_thread

        await anyio.to_thread.run_sync(self.close)


def _model_of(request: Request[Any] | str) -> str:
    return request if isinstance(request, str) else request.model


class _Held:
    """A configuration that no traceback shows."""

    __slots__ = ("_config",)

    def __init__(self, config: Any) -> None:
        self._config = config

    def settings(self) -> ManagerSettings:
        """What it says."""
        if isinstance(self._config, ManagerSettings):
            return self._config
        if isinstance(self._config, str | os.PathLike):
            return read_settings(self._config)
        return load_settings({} if self._config is None else self._config)
