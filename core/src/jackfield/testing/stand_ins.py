"""Settings for a replay: those that a provider has, without secrets, and made-up ones for what else it wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from attrs import asdict, fields

from ..config import MISSING
from ..errors import ConfigError, PluginError
from ..http import HTTPProvider
from ..provider import LLMProvider
from ..requests import Timeout
from ..types import ConfigIssue
from .redaction import hosts_of, redacted, redacted_url, secrets_of

KEY = "made-up-key-0123456789"
URL = "https://provider.invalid/v1"


def settings_of(provider: LLMProvider) -> dict[str, Any]:
    """What a replay needs of the settings of *provider*: what differs from the defaults, and is no secret or path."""
    hosts, found = hosts_of(type(provider)), dict[str, Any]()
    for attribute in fields(type(provider.config)):
        value = getattr(provider.config, attribute.name)
        if isinstance(value, Timeout) and value != Timeout():
            found[attribute.name] = asdict(value)
        if value == attribute.default or not isinstance(value, str | int | float):
            continue
        if attribute.name.endswith(("_file", "_path", "_dir")):
            continue
        if isinstance(value, str) and "://" in value:
            value = redacted_url(value, hosts=hosts)
        found[attribute.name] = value
    return redacted(found, secrets_of(provider)) if found else {}


def stand_in(cls: type[LLMProvider], given: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration of *cls* that it calls valid: *given*, and made up what else it wants.

    Raises:
        ConfigError: what it wants cannot be made up.
        PluginError: the core refuses it, whatever it is given.
    """
    config = dict(given)
    if issubclass(cls, HTTPProvider):
        config = {"api_key": KEY, **config}
    known = {f.name: f for f in fields(cls.Config)}
    while issues := _issues(cls, config):
        wanted = {name for i in issues if (name := i.path.split(".")[0]) in known.keys() - config}
        if not wanted:
            raise ConfigError(f"no configuration of {cls.info.name} can be made up:", issues)
        config |= {name: _made_up(known[name]) for name in wanted}
    return config


def _issues(cls: type[LLMProvider], config: Mapping[str, Any]) -> list[ConfigIssue]:
    try:
        return list(cls(config).check_config())
    except PluginError:
        raise
    except ConfigError as error:
        return list(error.issues) or [ConfigIssue("configuration", error.message or MISSING)]


def _made_up(attribute: Any) -> Any:
    """A value of the kind that *attribute* of a configuration takes."""
    name = attribute.name
    if "url" in name or "endpoint" in name:
        return URL
    kinds = {int: 1, float: 1.0, bool: False, "int": 1, "float": 1.0, "bool": False}
    known = [kinds[k] for k in (attribute.type, *get_args(attribute.type)) if k in kinds]
    return known[0] if known else KEY
