"""``jackfield models`` and ``jackfield providers``: what there is, and what keeps it from working."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import click
from attrs import asdict, evolve, field, frozen

from ..capabilities import proved
from ..errors import ConfigError, LLMError, PluginError, UnknownProviderError
from ..manager.places import steps_of
from ..manager.reach import targets
from ..manager.rules import KINDS
from ..manifests import distribution, entries
from ..plugins import KNOWN, available_providers, canonical, plugin_manager
from ..provider import LLMProvider
from ..types import Capabilities, ModelInfo
from .base import State, app, common
from .errors import FAILED
from .settings import Settings
from .terminal import note, table, write_json

T = TypeVar("T")
NOBODY = "No provider is configured; `jackfield providers` shows what there is."

PROBE: Mapping[str, Any] = {"timeout": 20, "retry": {"attempts": 1}}
"""A question about what there is deserves no more patience, unless the configuration says so."""


@frozen
class Found:
    """A provider that is installed, configured, or both; *listed* in the configuration file."""

    name: str
    kind: str
    listed: bool = False
    source: str = ""
    status: str = "ready"
    detail: str = ""
    provider: LLMProvider | None = field(default=None, repr=False)

    @property
    def matters(self) -> bool:
        """Whether its problems are the user's: it is in the file, or broken."""
        return self.listed or self.status == "broken"


def examine(settings: Settings, name: str) -> Found:
    """How the provider *name* stands, without asking its backend."""
    name = settings.name_of(name)
    kind = canonical(settings.kind_of(name))
    found = Found(name, kind, name in settings.providers, _source(kind))
    told = settings.providers.get(name, {})
    try:
        provider = settings.create(name, {k: v for k, v in PROBE.items() if k not in told})
    except UnknownProviderError as error:
        fix = f"pip install {KNOWN[kind]}" if kind in KNOWN else error.message
        return evolve(found, status="not installed", detail=fix)
    except PluginError as error:
        return evolve(found, status="broken", detail=error.message)
    except ConfigError as error:
        said = "; ".join(map(str, error.issues)) or error.message
        return evolve(found, status="not configured", detail=said)
    issues = [evolve(i, path=settings.place(name, i.path)) for i in provider.check_config()]
    if issues:
        return evolve(found, status="not configured", detail="; ".join(map(str, issues)))
    return evolve(found, detail=key_source(provider, told), provider=provider)


def _source(kind: str) -> str:
    """The distribution and version that bring the provider *kind*."""
    found = entries("providers").values()
    return next((distribution(e) for e in found if canonical(e.name) == kind), "")


def key_source(provider: LLMProvider, told: Mapping[str, Any]) -> str:
    """Where the provider's key comes from; never the key."""
    variable = provider.info.key_variable
    if isinstance(keys := told.get("api_keys"), list) and len(keys) > 1:
        return f"{len(keys)} keys from the configuration"
    if "api_key" in told or keys:
        return "key from the configuration"
    if variable and os.environ.get(variable, "").strip():
        return f"key from {variable}"
    return "no key" if provider.info.api_key_required else "no key needed"


def everything(settings: Settings) -> list[Found]:
    """All providers in the file, then the other installed ones; the one for tests only if listed."""
    names = list(settings.providers)
    covered = {canonical(settings.kind_of(n)) for n in names} | {"scripted", *KINDS}
    names += [n for n in available_providers() if n not in covered]
    return [examine(settings, name) for name in names]


def routes(settings: Settings) -> list[Found]:
    """The routes of the file, and whom each leads to; what is wrong with those is theirs."""
    found = []
    for name, told in settings.routes.items():
        own = [i for i in settings.found if steps_of(i.path)[:2] == ("routes", name)]
        problem = "; ".join(str(settings.document.located(issue)) for issue in own)
        kind, leads = str(told.get("kind", "fallback")), targets(settings.document.tables, name)
        status = "not configured" if problem else "ready"
        found.append(
            Found(name, kind, True, "route", status, problem or f"{kind} of {', '.join(leads)}")
        )
    return found


def ask(jobs: Mapping[str, Callable[[], Awaitable[T]]]) -> dict[str, T | LLMError]:
    """Do all *jobs* at the same time; their results, failures among them."""
    import anyio

    results: dict[str, T | LLMError] = {}

    async def one(name: str, job: Callable[[], Awaitable[T]]) -> None:
        try:
            results[name] = await job()
        except LLMError as error:
            results[name] = error

    async def everyone() -> None:
        async with anyio.create_task_group() as group:
            for name, job in jobs.items():
                group.start_soon(one, name, job)

    anyio.run(everyone)
    return {name: results[name] for name in jobs}


def _size(count: float) -> str:
    """*count* bytes, for a person."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _columns(name: str, model: ModelInfo) -> list[object]:
    price = model.pricing
    return [
        f"{name}/{model.id}",
        f"{model.context_window:,} tokens" if model.context_window else "",
        _size(model.size_bytes) if model.size_bytes else "",
        f"${price.input:f} in, ${price.output:f} out a million" if price else "",
    ]


def _facts(name: str, model: ModelInfo) -> dict[str, Any]:
    known = ("display_name", "context_window", "max_output_tokens", "size_bytes", "capabilities")
    facts = {key: getattr(model, key) for key in (*known, "pricing")}
    return {"model": f"{name}/{model.id}", **facts}


def named(state: State, names: Iterable[str]) -> list[Found]:
    """The providers and routes called *names*.

    Raises:
        ConfigError: a name is of none that can be made.
    """
    found, settings = [], state.settings
    for name in names:
        if name in settings.routes:
            found.append(Found(name, "route", True, provider=state.house.provider(name)))
        else:
            settings.create(name)
            found.append(examine(settings, name))
    return found


@app.command()
@click.argument("provider", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: models, and failures.")
@common
@click.pass_obj
def models(state: State, /, provider: str | None, as_json: bool) -> None:
    r"""List the models of PROVIDER, or of all that are configured, with routes and aliases.

    A provider that fails is named beside the others' models; the exit code is 1 if it is one
    that you asked for or configured.

    \b
    Examples:
      jackfield models
      jackfield models claude
      jackfield models --json | jq -r '.models[].model'
    """
    found, settings = named(state, [provider] if provider else ()), state.settings
    if provider and found[0].provider is None:
        raise ConfigError(f"{found[0].name} is not configured: {found[0].detail}")
    found = [f for f in found or everything(settings) if f.provider or f.matters]
    results = ask({f.name: f.provider.alist_models for f in found if f.provider})
    failures: dict[str, object] = {f.name: f.detail for f in found if not f.provider}
    failures |= {n: r for n, r in results.items() if isinstance(r, LLMError)}
    listed = [(n, m) for n, r in results.items() if not isinstance(r, LLMError) for m in r]
    ways = {r: targets(settings.document.tables, r) for r in settings.routes if not provider}
    names = {} if provider else settings.aliases
    if as_json:
        facts = {"models": [_facts(*pair) for pair in listed], "routes": ways, "aliases": names}
        write_json({**facts, "failures": {name: str(said) for name, said in failures.items()}})
    else:
        leads = {**{name: ", ".join(ways[name]) for name in ways}, **names}.items()
        table([*(_columns(*p) for p in listed), *([n, "", "", f"→ {to}"] for n, to in leads)])
    mattering = {f.name for f in found if f.matters or provider}
    for name, problem in failures.items():
        note(f"{name}: {problem}", 31 if name in mattering else 2)
    if not listed and not failures:
        note(NOBODY)
    if mattering & failures.keys():
        raise click.exceptions.Exit(FAILED)


def _described(found: Found) -> dict[str, Any]:
    """*found* for ``--json``, with what its class was proved to do, configured or not."""
    facts = {n: getattr(found, n) for n in ("name", "kind", "status", "detail", "source")}
    try:
        able = proved(plugin_manager().provider_class(found.kind))
    except ConfigError:  # it is not here, or broken
        able = Capabilities()
    return {**facts, "capabilities": asdict(able)}


def _portrait(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """*facts* about one provider as rows, its capabilities by what is known of them."""
    able = facts.pop("capabilities")
    for title, verdict in (("proved", True), ("fails", False), ("untested", None)):
        facts[title] = ", ".join(n.replace("_", " ") for n, v in able.items() if v is verdict)
    return [row for row in facts.items() if row[1]]


@app.command()
@click.argument("provider", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
@common
@click.pass_obj
def providers(state: State, /, provider: tuple[str, ...], as_json: bool) -> None:
    r"""Show which providers there are, and how each stands; of PROVIDER, what it can do.

    Ready, not configured, broken and why, or to be installed. Nothing is sent; `jackfield doctor`
    also asks their backends. What a provider can do was proved by its tests; what is untested may work.

    \b
    Examples:
      jackfield providers
      jackfield providers claude
      jackfield providers --json | jq -r '.[] | select(.capabilities.rerank).name'
    """
    settings, ways = state.settings, {f.name: f for f in routes(state.settings)}
    for name in provider:  # raises where there is none
        if name not in ways:
            plugin_manager().provider_class(settings.kind_of(settings.name_of(name)))
    found = [ways.get(n) or examine(settings, n) for n in provider]
    found = found or [*everything(settings), *ways.values()]
    missing = sorted(KNOWN.keys() - {f.kind for f in found} if not provider else ())
    found += [Found(n, n, status="available", detail=f"pip install {KNOWN[n]}") for n in missing]
    if as_json:
        write_json([_described(f) for f in found])
    elif provider:
        table([row for one in found for row in [*_portrait(_described(one)), ("", "")]])
    else:
        table([(f.name, f.status, f.source, f.detail) for f in found])
