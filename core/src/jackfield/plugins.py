"""Finding providers and plugins through entry points, each only when it is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, cast

import pluggy

from . import hookspecs
from .config import conceal, load_config
from .errors import PluginError, UnknownProviderError
from .provider import LLMProvider
from .types import ProviderInfo

PROVIDERS = "jackfield.providers"

CONTRACT = 1
"""The version of the provider contract that this core speaks."""

ALIASES: Mapping[str, str] = {
    "anthropic": "claude",
    "llama-cpp": "llamacpp",
    "llama.cpp": "llamacpp",
    "llama-server": "llamacpp-server",
    "compatible": "openai-compatible",
    "azure-openai": "azure",
    "google": "gemini",
    "hf": "huggingface",
    "hugging-face": "huggingface",
    "lm-studio": "lmstudio",
    "nim": "nvidia",
    "nvidia-nim": "nvidia",
    "together-ai": "together",
}

KNOWN: Mapping[str, str] = {
    "azure": "jackfield-azure",
    "claude": "jackfield-claude",
    "cohere": "jackfield-cohere",
    "gemini": "jackfield-gemini",
    "huggingface": "jackfield-huggingface",
    "llamacpp": "jackfield-llamacpp",
    "llamacpp-server": "jackfield-llamacpp-server",
    "lmstudio": "jackfield-lmstudio",
    "nvidia": "jackfield-nvidia",
    "ollama": "jackfield-ollama",
    "openai": "jackfield-openai",
    "openai-compatible": "jackfield-dialect-openai",
    "openrouter": "jackfield-openrouter",
    "together": "jackfield-together",
    "vllm": "jackfield-vllm",
}
"""Providers of this project and the distributions that bring them."""

VERBS = ("list_models", "execute", "stream_execute", "validate_config", "get_info")


def canonical(name: str) -> str:
    """The registered form of a provider's *name*."""
    lowered = name.strip().lower().replace("_", "-")
    return ALIASES.get(lowered, lowered)


class _VerbManager(pluggy.PluginManager):
    """Knows the five verbs; registering a class checks its signatures."""

    def __init__(self) -> None:
        super().__init__(hookspecs.NAME)
        self.add_hookspecs(LLMProvider)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """On a provider a verb's name is enough, as with pytest's own manager."""
        kind = plugin if isinstance(plugin, type) else type(plugin)
        if issubclass(kind, LLMProvider):
            return {} if name in VERBS else None
        return super().parse_hookimpl_opts(plugin, name)


class PluginManager(_VerbManager):
    """Takes modules with hook implementations, and provider classes and instances as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.add_hookspecs(hookspecs)
        self._classes: dict[str, type[LLMProvider]] = {}
        self._loaded = False
        self.hook.register_providers.call_historic(result_callback=self._add_classes)

    def _add_classes(self, classes: Any) -> None:
        for cls in cast("Iterable[type[LLMProvider]]", classes or ()):
            self._classes[canonical(cls.info.name)] = self._verified(cls, cls.__module__)

    def load_plugins(self) -> None:
        """Load the ``jackfield.plugins`` group, once; a broken one is a warning and no more."""
        if self._loaded:
            return
        self._loaded = True
        from .manifests import admitted, distribution, entries

        for name, entry in entries("plugins").items():
            try:
                self.register(admitted(entry, "plugins"), name=name)
            except (PluginError, pluggy.PluginValidationError) as error:
                said = f"plugin {name} of {distribution(entry)} is left out: {error}"
                warnings.warn(said, RuntimeWarning, stacklevel=2)

    def available(self) -> list[str]:
        """Names of installed providers, without importing any."""
        from .manifests import entries

        return sorted({canonical(n) for n in entries("providers")} | self._classes.keys())

    def provider_class(self, name: str) -> type[LLMProvider]:
        """The class of the provider *name*, imported now if it was not.

        Raises:
            UnknownProviderError: nothing of that name is installed.
            PluginError: it is installed and broken, or must not be used.
        """
        wanted = canonical(name)
        if wanted not in self._classes:
            from .manifests import admitted, distribution, entries, unknown

            found = {canonical(n): e for n, e in entries("providers").items()}
            if wanted not in found:
                raise UnknownProviderError(unknown(name, wanted, self.available()))
            entry = found[wanted]
            cls = self._verified(admitted(entry, "providers"), distribution(entry))
            self._classes[wanted] = cls
        return self._classes[wanted]

    @staticmethod
    def _verified(found: Any, who: str) -> type[LLMProvider]:
        """*found*, if it is a provider whose verbs fit the contract."""
        if not (isinstance(found, type) and issubclass(found, LLMProvider)):
            raise PluginError(f"{who}: {found!r} is not an LLMProvider class")
        cls = found
        if not isinstance(getattr(cls, "info", None), ProviderInfo):
            raise PluginError(f"{who}: {cls.__name__}.info is no ProviderInfo")
        if cls.info.contract > CONTRACT:
            message = f"{who} speaks contract {cls.info.contract}, this core {CONTRACT}"
            raise PluginError(f"{message}: pip install -U jackfield")
        from .manifests import misdeclared

        if wrong := misdeclared(cls):
            raise PluginError(f"{who}: {cls.__name__}.{wrong}")
        try:
            _VerbManager().register(cls, name=cls.info.name)
        except pluggy.PluginValidationError as error:
            raise PluginError(f"{who}: {error}") from None
        return cls

    def create(
        self,
        name: str,
        /,
        config: Mapping[str, Any] | None = None,
        *,
        client: Any = None,
        async_client: Any = None,
        **options: Any,
    ) -> LLMProvider:
        """A configured provider; see `create_provider`."""
        self.load_plugins()
        cls = self.provider_class(name)
        hidden = conceal(config or {})
        del config  # what is left of it in this frame would show in a traceback
        loaded = load_config(cls.Config, hidden)
        if client is not None:
            from .clients import ClientTransport
            from .drivers.sync import SyncDriver

            options["driver"] = SyncDriver(ClientTransport(client))
        if async_client is not None:
            from .clients import AsyncClientTransport
            from .drivers.concurrent import AsyncDriver

            options["async_driver"] = AsyncDriver(AsyncClientTransport(async_client))
        return cls(loaded, hook=self.hook, **options)


@lru_cache(maxsize=1)
def plugin_manager() -> PluginManager:
    """The process's plugin manager."""
    return PluginManager()


def create_provider(
    name: str, /, config: Mapping[str, Any] | None = None, **options: Any
) -> LLMProvider:
    """The provider *name*, configured with *config*.

    *config* holds the fields of the provider's ``Config``; ``${NAME}`` in its
    texts comes from the environment. *options*: ``client`` and ``async_client``
    (httpx2 clients of your own), ``driver`` and ``async_driver``, and ``name``, the
    instance's own name.

    Raises:
        UnknownProviderError: not installed; says what is, and what to install.
        ConfigError: with one issue for every problem in *config*.
    """
    hidden = conceal(config or {})
    del config  # what is left of it in this frame would show in a traceback
    return plugin_manager().create(name, hidden, **options)


def available_providers() -> list[str]:
    """Names of the installed providers, without importing any."""
    return plugin_manager().available()
