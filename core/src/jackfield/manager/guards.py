"""Guards as the configuration file declares them: those that come along, and installed ones by their names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ConfigError, PluginError
from ..middleware.guardrails import Guardrails, forbid, limit_length, redact
from ..secret import Secret
from ..types import ConfigIssue
from .settings import GuardrailSettings, GuardSettings

_OURS: Mapping[str, tuple[Callable[..., Any], tuple[str, ...], str]] = {
    "forbid": (forbid, ("patterns", "longest"), "patterns"),
    "redact": (redact, ("patterns", "replacement", "longest"), ""),
    "limit_length": (limit_length, ("most",), "most"),
}
"""What makes each guard, what it takes beside a name, and what it must be given."""


def guardrails(settings: GuardrailSettings) -> Guardrails:
    """The middleware that *settings* declare.

    Raises:
        ConfigError: a guard cannot be made.
    """
    return Guardrails(map(make_guard, settings.before), map(make_guard, settings.after))


def make_guard(settings: GuardSettings) -> Any:
    """The guard that *settings* declare.

    Raises:
        ConfigError: it cannot be made; with one issue for each mistake, by the settings' names.
    """
    named = {n: getattr(settings, n) for n in ("patterns", "replacement", "longest", "most")}
    given = {n: value for n, value in named.items() if value not in (None, ())}
    if settings.guard not in _OURS:
        return _installed(settings, given)
    make, takes, needs = _OURS[settings.guard]
    issues = [
        ConfigIssue(n, f"is nothing of {settings.guard}", "remove it")
        for n in given
        if n not in takes
    ]
    if settings.options:
        issues.append(ConfigIssue("options", "are for installed guards", "remove them"))
    if needs and needs not in given:
        issues.append(ConfigIssue(needs, "is required", f"{settings.guard} needs it"))
    if issues:
        raise ConfigError(f"{settings.guard} cannot guard:", issues)
    return make(**given, name=settings.name or settings.guard)


def _installed(settings: GuardSettings, given: Mapping[str, Any]) -> Any:
    """A guard that an installed plugin makes."""
    from ..manifests import admitted, entries

    name, found = settings.guard, entries("guards")
    if name not in found:
        near = difflib.get_close_matches(name, have := [*_OURS, *sorted(found)], 1)
        fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(have)}"
        raise _wrong(ConfigIssue("guard", f"there is no guard {name!r}", fix))
    given = {**given, **({"name": settings.name} if settings.name else {})}
    if given:
        fix = f"write options = {{{next(iter(given))} = …}}"
        raise _wrong(
            *(ConfigIssue(n, f"is nothing of {name}, which is installed", fix) for n in given)
        )
    try:
        make = admitted(found[name], "guards")
    except PluginError as error:
        why = type(error.__cause__).__name__ if error.__cause__ else error.message
        raise _wrong(ConfigIssue("guard", f"{name!r} is broken: {why}", "reinstall it")) from None
    try:
        guard = make(**_revealed(settings.options))
    except ConfigError as error:
        issues = [ConfigIssue(f"options.{i.path}", i.problem, i.fix) for i in error.issues]
        raise _wrong(*issues or [ConfigIssue("options", error.message)]) from None
    except TypeError as error:
        raise _wrong(ConfigIssue("options", f"do not fit: {error}", "see what it takes")) from None
    except Exception as error:  # noqa: BLE001  # whatever a plugin does
        fix = "mend its package, or take it out"
        raise _wrong(
            ConfigIssue("guard", f"{name!r} is broken: {type(error).__name__}", fix)
        ) from None
    if not callable(guard):
        raise _wrong(ConfigIssue("guard", f"{name!r} makes no guard", "a guard is a function"))
    return guard


def _revealed(value: Any) -> Any:
    """*value* with its texts in plain sight."""
    if isinstance(value, Mapping):
        return {k: _revealed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [*map(_revealed, value)]
    return value.reveal() if isinstance(value, Secret) else value


def _wrong(*issues: ConfigIssue) -> ConfigError:
    return ConfigError("a guard cannot be made:", issues)
