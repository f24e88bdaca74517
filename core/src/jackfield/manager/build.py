"""From settings to providers: named instances, several keys as one, and routes over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pluggy
from attrs import asdict, evolve

from ..config import conceal
from ..errors import ConfigError
from ..plugins import plugin_manager
from ..provider import LLMProvider
from ..routing import Balance, Fallback, Keys, RouteTarget
from ..types import ConfigIssue
from .settings import ManagerSettings, ProviderSettings, RouteSettings


def build_provider(
    name: str, settings: ProviderSettings, hook: pluggy.HookRelay, **drivers: Any
) -> LLMProvider:
    """The provider that *settings* describe, under its own *name*; several keys become `Keys`.

    Raises:
        ConfigError: not installed, broken, or misconfigured.
    """
    cls = plugin_manager().provider_class(settings.provider)
    config = conceal(settings.config)
    if not settings.api_keys:
        return cls(config, name=name, hook=hook, **drivers)
    each = [cls({**config, "api_key": key}, name=name, hook=hook) for key in settings.api_keys]
    return Keys({"targets": each, "retry": each[0].config.retry}, name=name, hook=hook, **drivers)


def build_routes(
    settings: ManagerSettings,
    providers: Mapping[str, LLMProvider],
    hook: pluggy.HookRelay | None,
    **drivers: Any,
) -> dict[str, LLMProvider]:
    """The routes of *settings* over *providers*, those inside others first.

    Raises:
        ConfigError: a target is nobody, or routes lead in a circle.
    """
    made = dict(providers)
    options = {"hook": hook, **drivers}
    for name in settings.routes:
        _route(name, settings, made, options, ())
    return {name: made[name] for name in settings.routes}


def _route(
    name: str,
    settings: ManagerSettings,
    made: dict[str, LLMProvider],
    options: Mapping[str, Any],
    outer: tuple[str, ...],
) -> LLMProvider:
    if name in made:
        return made[name]
    if name in outer:
        circle = " → ".join((*outer[outer.index(name) :], name))
        raise _wrong(f"routes.{name}", f"leads in a circle: {circle}", "leave one of them out")
    route = settings.routes[name]
    targets = []
    for index, target in enumerate(route.targets):
        meant = follow(target.target, settings.aliases)
        head, _, model = meant.partition("/")
        if head in settings.routes:
            inner = _route(head, settings, made, options, (*outer, name))
            targets.append(RouteTarget(inner, model or None, target.weight))
        elif head in made:
            own = settings.providers.get(head, ProviderSettings(provider=head))
            weight = target.weight * own.weight
            targets.append(RouteTarget(made[head], model or None, weight, own.cost_multiplier))
        else:
            fix = f"there are {', '.join([*made, *settings.routes])}"
            path = f"routes.{name}.targets[{index}]"
            raise _wrong(path, f"there is no provider or route {head!r}", fix)
    made[name] = _make(name, route, targets, options)
    return made[name]


def _make(
    name: str, route: RouteSettings, targets: list[RouteTarget], options: Mapping[str, Any]
) -> LLMProvider:
    names = ("stream", "dead_key", "retry", "breaker", "timeout", "attempt_timeout")
    config = {"targets": targets, **{n: getattr(route, n) for n in names}}
    config["breaker"] = asdict(route.breaker)
    if route.kind == "fallback":
        return Fallback(config, name=name, **options)
    return Balance({**config, "strategy": route.strategy}, name=name, **options)


def follow(model: str, aliases: Mapping[str, str]) -> str:
    """What *model* means where it is an alias, perhaps of another.

    Raises:
        ConfigError: aliases lead in a circle.
    """
    seen: list[str] = []
    while model in aliases:
        seen.append(model)
        model = aliases[model]
        if model in seen:
            chain = " → ".join((*seen, model))
            raise _wrong(f"aliases.{seen[0]}", f"leads in a circle: {chain}", "name a model")
    return model


def _wrong(path: str, problem: str, fix: str) -> ConfigError:
    return ConfigError("the configuration has problems:", [ConfigIssue(path, problem, fix)])


def with_provider(
    settings: ManagerSettings, name: str, own: ProviderSettings | None
) -> ManagerSettings:
    """*settings* with the provider *name*, or without it where *own* is None."""
    providers = {n: p for n, p in settings.providers.items() if n != name}
    return evolve(settings, providers=providers if own is None else {**providers, name: own})
