"""Every installed provider behind HTTP, in each of its ways to speak, made without a network."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from attrs import fields_dict

from jackfield import (
    HTTPProvider,
    LLMProvider,
    available_providers,
    create_provider,
    plugin_manager,
)

NEEDED: dict[str, dict[str, Any]] = {
    "azure": {"base_url": "https://made-up.openai.azure.com"},
    "openai-compatible": {"base_url": "https://made-up.example/v1"},
    "llamacpp-server": {"base_url": "http://127.0.0.1:9"},
}
"""What a provider cannot be made without."""


def _over_http(name: str) -> bool:
    """Whether *name* says what it would send: a provider in this process sends nothing."""
    return issubclass(plugin_manager().provider_class(name), HTTPProvider)


NAMES = [name for name in available_providers() if _over_http(name)]

_CHOICES = {"api", "surface", "server"}
"""Settings that choose among ways to speak."""


def _ways(name: str) -> list[dict[str, Any]]:
    """The settings that choose each way of *name* to speak."""
    config = plugin_manager().provider_class(name).Config
    told = get_type_hints(config)
    ways: list[dict[str, Any]] = [{}]
    for setting in sorted(told.keys() & _CHOICES):
        usual = fields_dict(config)[setting].default
        ways += [{setting: value} for value in get_args(told[setting]) if value != usual]
    return ways


WAYS = {
    " ".join([name, *(f"{k}={v}" for k, v in way.items())]): (name, way)
    for name in NAMES
    for way in _ways(name)
}
"""Each way, by a word for it."""


def made(way: str, *, driver: Any = None, **config: Any) -> LLMProvider:
    """A provider that speaks as *way* says, over *driver* if one is given."""
    name, chosen = WAYS.get(way, (way, {}))
    told = {"api_key": "made-up-key-1234", **NEEDED.get(name, {}), **chosen, **config}
    return create_provider(name, told, driver=driver)
