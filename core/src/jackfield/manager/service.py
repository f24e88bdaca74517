"""The face of a managed service: asynchronous, by priority, with failover; as `LLMManager` programs use it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from attrs import asdict, evolve, field, frozen

from ..closing import AsyncClosing
from ..errors import ConfigError, NotFoundError
from ..params import ALIASES, NAMES
from ..plugins import available_providers, canonical, plugin_manager
from ..provider import LLMProvider
from ..requests import ChatRequest
from ..routing import Fallback, RouteTarget, Verdict
from ..types import CallWarning, ChatResponse, Cost, Usage
from .build import follow
from .executors import chat_request
from .listings import ModelListing
from .manager import ProviderManager
from .observations import HealthStatus

FILE = "llm_studio_config.json"
_NOBODY = f"there is none; set a provider's key (OPENAI_API_KEY, say), or write {FILE}"


class _ByPriority(Fallback):
    """A fallback whose targets are asked for different models: what one has not, the next may."""

    passes_on: ClassVar = frozenset(Verdict) - {Verdict.STOP}


class ProviderType(StrEnum):
    """Kinds of providers by the names that such programs use; any installed name does as well."""

    OPENAI = "openai"
    ANTHROPIC = "claude"
    GOOGLE = "gemini"
    OLLAMA = "ollama"


@frozen(kw_only=True)
class ProviderConfig:
    """One provider: the lower *priority* is asked first; an empty *api_key* is none."""

    provider_type: str
    api_key: str = field(default="", repr=False)
    base_url: str = ""
    models: Sequence[str] = ()
    cost_multiplier: float = 1.0
    priority: int = 100

    def table(self) -> dict[str, Any]:
        """What a configuration file would say of it."""
        own: dict[str, Any] = {
            "provider": canonical(str(self.provider_type)),
            "models": list(self.models),
            "priority": self.priority,
            "cost_multiplier": self.cost_multiplier,
        }
        given = {"api_key": self.api_key, "base_url": self.base_url}
        return own | {name: value for name, value in given.items() if value}


@frozen(kw_only=True)
class ChatMessage:
    """A message: who speaks, and what."""

    role: str
    content: Any


@frozen(kw_only=True)
class ChatCompletionRequest:
    """What to ask: a text, or messages. Without *model* each provider is asked for the first of its own.

    *parameters* are further common ones; *options* what `LLMProvider.execute` takes.
    """

    messages: str | Sequence[Any]
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    parameters: Mapping[str, Any] = field(factory=dict)
    options: Mapping[str, Any] = field(factory=dict)

    def request(self) -> ChatRequest:
        """The typed request."""
        chats: Any = self.messages
        if not isinstance(chats, str):
            chats = [asdict(m) if isinstance(m, ChatMessage) else m for m in chats]
        usual = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        given = {name: value for name, value in usual.items() if value is not None}
        params = {**given, **self.parameters}
        return chat_request(self.model or "default", chats, params, **self.options)


@frozen(kw_only=True)
class ChatCompletion:
    """An answer, and who gave it; *response* has everything there is to know."""

    content: str
    model: str
    provider: str
    response: ChatResponse = field(repr=False)

    @property
    def usage(self) -> Usage:
        """What it used."""
        return self.response.usage

    @property
    def cost(self) -> Cost:
        """What it cost."""
        return self.response.cost


class LLMManager(AsyncClosing):
    """Asks providers in the order of their priority, the next when one fails.

    *config* is what `ProviderManager` takes, a `ProviderManager`, or a sequence of
    `ProviderConfig`. Without it the file ``llm_studio_config.json`` is read, and where
    there is none, every installed provider is used whose key is in the environment.

    Raises:
        ConfigError: with everything that is wrong.
    """

    def __init__(self, config: Any = None, **options: Any) -> None:
        if isinstance(config, ProviderManager):
            self.manager = config
        else:
            self.manager = ProviderManager(_given(config), **options)
        self._routes: dict[tuple[Any, ...], Fallback] = {}

    async def chat_completion(
        self, request: ChatCompletionRequest | ChatRequest | Mapping[str, Any]
    ) -> ChatCompletion:
        """The answer of the first provider that can give one.

        Whom the request's model means (a name, an alias, a route, ``PROVIDER/MODEL``) is asked
        first, by priority; then, with a warning on the response, everybody else for the first
        model of their own.

        Raises:
            NotFoundError: no provider has a model to ask.
            LLMError: what the last one said, with notes of what the others said.
        """
        asked, model = _asked(request)
        served = await self._served(model)
        route = self._route(model, served)
        response = await route.arun(evolve(asked, model=model or "default"))
        provider = str(response.provider_metadata.get("jackfield", {}).get("provider", route.name))
        meant = {name for served_by in served for name in _leaves(self.manager[served_by])}
        if model and provider not in meant:
            said = f"{model} could not be had, {response.model} answers"
            warning = CallWarning("emulated", "model", said)
            response = evolve(response, warnings=(*response.warnings, warning))
        return ChatCompletion(
            content=response.text, model=response.model, provider=provider, response=response
        )

    async def _served(self, model: str) -> dict[str, str]:
        """Who serves *model*, and by which name there, the preferred first."""
        if not model:
            return {}
        manager, served = self.manager, {}
        meant = follow(model, manager.settings.aliases)
        try:
            provider, meant = await manager.aresolve(model)
            served[provider.name] = meant
        except NotFoundError:
            pass  # nobody, or several alike: those come now
        for name in manager.names_serving(meant):
            served.setdefault(name, meant)
        return served

    def _route(self, model: str, served: Mapping[str, str]) -> Fallback:
        """The route for *model*; its breakers are remembered while the providers stay the same."""
        manager = self.manager
        providers, own = manager.providers, manager.settings.providers
        rest = sorted((n for n in providers if n not in served), key=lambda n: own[n].priority)
        targets = [RouteTarget(manager[name], meant) for name, meant in served.items()]
        named = {name: own[name].named for name in rest}
        targets += [
            RouteTarget(providers[name], first[0]) for name, first in named.items() if first
        ]
        if not targets:
            have = f"{', '.join(providers)} list none: give them models" if providers else _NOBODY
            message = f"no provider has a model to ask for {model or 'anything'}: {have}"
            raise NotFoundError(message, param="model", phase="build")
        key = tuple((id(t.provider), t.model) for t in targets)
        if key not in self._routes:
            if len(self._routes) >= 256:
                self._routes.clear()
            self._routes[key] = manager.route(_ByPriority, targets, "by priority")
        return self._routes[key]

    def get_cost_analysis(self) -> Any:
        """What calls cost, in all, by provider and by model."""
        return self.manager.get_cost_analysis()

    async def check_provider_health(self) -> dict[str, HealthStatus]:
        """How every provider is; a status is true where it is well."""
        return await self.manager.acheck_health()

    async def list_models(self) -> dict[str, ModelListing]:
        """The models of every provider, and who could not tell."""
        return await self.manager.alist_models()

    async def close(self) -> None:
        """Close the manager below."""
        await self.manager.aclose()

    aclose = close


def single(kind: ProviderType) -> Any:
    """A class of services with one provider of *kind*, made from a `ProviderConfig`."""

    class Service(LLMManager):
        __doc__ = f"The service of one provider, {kind}."

        def __init__(self, config: ProviderConfig, **options: Any) -> None:
            super().__init__([evolve(config, provider_type=kind)], **options)

    return Service


OpenAIProvider = single(ProviderType.OPENAI)
ClaudeProvider = single(ProviderType.ANTHROPIC)
GoogleGeminiProvider = single(ProviderType.GOOGLE)
OllamaProvider = single(ProviderType.OLLAMA)


def _asked(request: Any) -> tuple[ChatRequest, str]:
    """The typed request, and the model that it names, if it does."""
    if isinstance(request, ChatRequest):
        return request, request.model
    if isinstance(request, Mapping):
        known = ("messages", "model", "parameters", "options")
        words = {k: v for k, v in request.items() if k in (*NAMES, *ALIASES)}
        rest = {k: v for k, v in request.items() if k not in known and k not in words}
        given = {k: v for k, v in request.items() if k in known}
        given["parameters"] = {**words, **given.get("parameters", {})}
        given["options"] = {**rest, **given.get("options", {})}
        request = ChatCompletionRequest(**given)
    return request.request(), request.model


def _given(config: Any) -> Any:
    """What `ProviderManager` takes, of *config*."""
    if config is None:
        return FILE if Path(FILE).exists() else from_environment()
    if isinstance(config, Sequence) and not isinstance(config, str):
        tables: dict[str, Any] = {}
        seen: Counter[str] = Counter()
        for one in config:
            name = canonical(str(one.provider_type))
            seen[name] += 1
            tables[name if seen[name] == 1 else f"{name}-{seen[name]}"] = one.table()
        return {"providers": tables}
    return config


def _leaves(provider: LLMProvider) -> set[str]:
    """The names of all who may answer for *provider*, which may be a route."""
    inner = [_leaves(t.provider) for t in getattr(provider, "targets", ())]
    return set().union(*inner) if inner else {provider.name}


def from_environment() -> dict[str, Any]:
    """Tables for every installed provider whose key is in the environment.

    Ollama needs its address, ``OLLAMA_BASE_URL``.
    """
    tables: dict[str, Any] = {}
    for name in available_providers():
        try:
            info = plugin_manager().provider_class(name).info
        except ConfigError:
            continue  # `jackfield providers` tells what is wrong with it
        if os.environ.get(info.key_variable or "", "").strip():
            tables[name] = {"provider": name}
    if base := os.environ.get("OLLAMA_BASE_URL"):
        tables["ollama"] = {"provider": "ollama", "base_url": base}
    return {"providers": tables}
