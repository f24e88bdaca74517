"""What is wrong with a configuration beyond types: names, targets, circles, keys, places of files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

from attrs import field, fields, frozen

from ..config import check_key, common_issues, structure
from ..errors import ConfigError
from ..plugins import available_providers, canonical
from ..types import ConfigIssue
from .places import Steps, steps_of
from .settings import GuardSettings, RouteSettings

Rule = Iterator[tuple[Steps, str, str]]

KINDS: tuple[str, ...] = get_args(fields(RouteSettings).kind.type) or ("fallback", "balance")
LONGEST = 500
"""Characters that a name may have."""

SHAPES: Mapping[str, str] = {
    "sk-ant-": "claude",
    "sk-or-": "openrouter",
    "sk-proj-": "openai",
    "AIza": "gemini",
    "hf_": "huggingface",
    "nvapi-": "nvidia",
}
"""How keys of some providers begin."""


def tables_in(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The tables under *name*, without what is none."""
    found = tables.get(name)
    kept = found.items() if isinstance(found, Mapping) else ()
    return {str(k): v for k, v in kept if isinstance(v, Mapping)}


def aliases_in(tables: Mapping[str, Any]) -> dict[str, str]:
    """The aliases in *tables*, without what is none."""
    found = tables.get("aliases")
    kept = found.items() if isinstance(found, Mapping) else ()
    return {str(k): v for k, v in kept if isinstance(v, str)}


def stands_for(name: str, aliases: Mapping[str, str]) -> str:
    """What *name* means where it is an alias, perhaps of another; one of them where they lead in a circle."""
    seen: set[str] = set()
    while name in aliases and name not in seen:
        seen.add(name)
        name = aliases[name]
    return name


def _texts(found: Any) -> list[str]:
    return [t for t in found if isinstance(t, str)] if isinstance(found, list | tuple) else []


@frozen
class _Names:
    """What a configuration calls by name; *known* are its tables in plain sight."""

    known: Mapping[str, Any] = field(repr=False)
    providers: dict[str, Any] = field(repr=False)
    routes: dict[str, Any] = field(repr=False)
    aliases: dict[str, str]

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> _Names:
        providers, routes = tables_in(known, "providers"), tables_in(known, "routes")
        return cls(known, providers, routes, aliases_in(known))

    @property
    def instances(self) -> list[str]:
        return [*self.providers, *self.routes]

    def listing(self, model: str, exact: bool = False) -> str | None:
        """The provider that lists *model*, by name or by pattern."""
        for name, table in self.providers.items():
            models = _texts(table.get("models"))
            if model in models or (not exact and any(fnmatchcase(model, m) for m in models)):
                return name
        return None

    @property
    def open(self) -> bool:
        """Whether somebody may serve models that nobody lists."""
        tables = self.providers.values()
        return any(not t.get("models") or t.get("fetch_models") is True for t in tables)


def rule_issues(known: Mapping[str, Any]) -> Rule:
    """Everything that is wrong with the tables *known*, with its steps, problem and fix."""
    names = _Names.of(known)
    yield from _names(names)
    yield from _aliases(names)
    yield from _routes(names)
    yield from _keys(names)
    yield from _limits(known, names)
    yield from _paths(known)
    yield from _guards(known)
    if isinstance(model := known.get("default_model"), str):
        yield from _model(names, ("default_model",), model, installed=True)
    budgets = known.get("budgets")
    for n, budget in enumerate(budgets if isinstance(budgets, list) else ()):
        provider = budget.get("provider") if isinstance(budget, Mapping) else None
        if isinstance(provider, str) and provider not in names.instances:
            yield ("budgets", n, "provider"), *_no(provider, names.instances, "provider or route")


def _odd(name: str) -> str:
    """What keeps *name* from being the name of anything."""
    if not name.strip() or name != name.strip():
        return "is empty, or begins or ends with a blank"
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    return "" if name.isprintable() else "holds control characters"


def _names(names: _Names) -> Rule:
    for table in ("providers", "routes"):
        found = names.known.get(table)
        for name in map(str, found if isinstance(found, Mapping) else ()):
            if "/" in name or not name or any(not c.isprintable() or c.isspace() for c in name):
                yield (table, name), "is no name", "use letters, digits and -"
    for name in names.routes.keys() & names.providers.keys():
        yield ("routes", name), "is the name of a provider, too", "rename one of them"
    for name, table in names.providers.items():
        for n, model in enumerate(_texts(table.get("models"))):
            if odd := _odd(model):
                yield ("providers", name, "models", n), f"the model's name {odd}", "write it anew"


def _no(name: str, have: Iterable[str], what: str) -> tuple[str, str]:
    """Problem and fix for a *name* that nothing has."""
    near = difflib.get_close_matches(name, list(have := [*have]), 1)
    fix = f"there are {', '.join(have)}" if have else f"add [providers.{name}]"
    return f"there is no {what} {name!r}", f"did you mean {near[0]}?" if near else fix


def _model(names: _Names, steps: Steps, model: str, installed: bool = False) -> Rule:
    """What keeps *model*, at *steps*, from meaning a model."""
    head, slash, rest = model.partition("/")
    kinds = {canonical(n) for n in names.providers} | set(
        available_providers() if installed else ()
    )
    if odd := _odd(model):
        yield steps, f"the model's name {odd}", "write it anew"
    elif model in names.routes or model in names.aliases or names.listing(model):
        pass
    elif head in names.instances or (slash and canonical(head) in kinds):
        if not rest:
            yield steps, f"{head} is a provider, not a model", f"write {head}/MODEL"
    elif slash and (near := difflib.get_close_matches(head, names.instances, 1, 0.75)):
        yield steps, f"there is no provider {head!r}", f"did you mean {near[0]}?"
    elif not names.open:
        listed = [m for t in names.providers.values() for m in _texts(t.get("models"))]
        what = "model, alias or route"
        yield steps, *_no(model, [*listed, *names.aliases, *names.routes], what)


def _aliases(names: _Names) -> Rule:
    for alias, target in names.aliases.items():
        steps = ("aliases", alias)
        if alias in names.instances:
            yield steps, "is the name of a provider or route, too", "rename one of them"
        elif owner := names.listing(alias, exact=True):
            yield steps, f"hides the model of that name at {owner}", "call the alias otherwise"
        elif odd := _odd(alias):
            yield steps, f"the alias {odd}", "write it anew"
        chain = _circle(alias, lambda name: [names.aliases[name]] if name in names.aliases else [])
        if chain and alias == min(chain):
            yield steps, f"leads in a circle: {' → '.join(chain)}", "let one of them be a model"
        elif not chain:
            yield from _model(names, steps, target)


def _circle(start: str, following: Any) -> list[str]:
    """The way from *start* back to itself; empty if there is none."""
    ways, seen = [[start]], set()
    while ways:
        way = ways.pop()
        for name in following(way[-1]):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _targets(route: Any) -> list[tuple[int, str]]:
    found = route.get("targets")
    tables = enumerate(found) if isinstance(found, list) else ()
    named = ((n, t.get("target")) for n, t in tables if isinstance(t, Mapping))
    return [(n, t) for n, t in named if isinstance(t, str)]


def _routes(names: _Names) -> Rule:
    def following(name: str) -> list[str]:
        targets = (stands_for(t, names.aliases) for _, t in _targets(names.routes[name]))
        heads = (t.partition("/")[0] for t in targets)
        return [head for head in heads if head in names.routes]

    for name, route in names.routes.items():
        steps = ("routes", name)
        for n, target in _targets(route):
            meant = stands_for(target, names.aliases)
            head, slash, model = meant.partition("/")
            at = (*steps, "targets", n)
            if meant in names.aliases:
                pass  # in a circle, which is told where they are
            elif head == name and head not in names.providers:
                yield at, "is the route itself", "name a provider"
            elif head not in names.instances:
                have = [*(n for n in names.instances if n != name), *names.aliases]
                problem, fix = _no(head, have, "provider, route or alias")
                yield at, problem if meant == target else f"stands for {meant}; {problem}", fix
            elif slash and (odd := _odd(model)):
                yield at, f"the model's name {odd}", f"write {head}/MODEL, or {head}"
        circle = _circle(name, following)
        if len(circle) > 2 and name == min(circle):
            yield steps, f"leads in a circle: {' → '.join(circle)}", "take one target out"
        yield from _details(steps, route)


def _details(steps: Steps, route: Mapping[str, Any]) -> Rule:
    from ..routing.strategies import make_strategy

    if route.get("targets", []) == []:
        yield (*steps, "targets"), "has none", 'write targets = ["PROVIDER/MODEL", …]'
    strategy = route.get("strategy")
    if isinstance(strategy, str):
        if route.get("kind", "fallback") == "fallback":
            yield (*steps, "strategy"), "is for routes that balance", 'write kind = "balance"'
        try:
            make_strategy(strategy)
        except ConfigError as error:
            for issue in error.issues:
                yield (*steps, "strategy"), issue.problem, issue.fix
    found: list[ConfigIssue] = []
    made = structure(RouteSettings, {**route, "targets": ()}, found)
    if made is None:
        return
    for issue in common_issues(made):
        yield (*steps, *steps_of(issue.path)), issue.problem, issue.fix
    if made.breaker.longest < made.breaker.cooldown:
        yield (*steps, "breaker", "longest"), "is less than cooldown", "give at least that"


def _keys(names: _Names) -> Rule:
    for name, table in names.providers.items():
        keys = _texts(table.get("api_keys"))
        for n, key in enumerate(keys):
            steps = ("providers", name, "api_keys", n)
            yield from ((steps, i.problem, i.fix) for i in check_key("", key))
            if key in keys[:n]:
                yield steps, "is there twice", "keep one"


def _limits(known: Mapping[str, Any], names: _Names) -> Rule:
    places = [((), known), *((("providers", n), t) for n, t in names.providers.items())]
    for steps, table in places:
        limits = table.get("limits")
        for model, inner in tables_in(
            limits if isinstance(limits, Mapping) else {}, "models"
        ).items():
            if not steps:
                fix = f'write [providers.NAME.limits.models."{model}"]'
                yield ("limits", "models", model), "stands under a provider's limits", fix
            elif inner.get("models"):
                at = (*steps, "limits", "models", model, "models")
                yield at, "limits of a model have no models", "remove it"


def _guards(known: Mapping[str, Any]) -> Rule:
    from .guards import make_guard

    for when in ("before", "after"):
        table = known.get("guardrails")
        found = table.get(when) if isinstance(table, Mapping) else None
        for n, guard in enumerate(found if isinstance(found, list) else ()):
            made = structure(GuardSettings, guard, [])
            try:
                made is None or make_guard(made)
            except ConfigError as error:
                for issue in error.issues:
                    steps = ("guardrails", when, n, *steps_of(issue.path))
                    yield steps, issue.problem, issue.fix


def _paths(known: Mapping[str, Any]) -> Rule:
    for name in ("cache", "ledger", "health", "logs"):
        table = known.get(name)
        path = table.get("path") if isinstance(table, Mapping) else None
        if isinstance(path, str) and (not path.strip() or "\0" in path):
            yield (name, "path"), "is no path", "name a file, or leave it out"
        elif isinstance(path, str) and Path(path).expanduser().is_dir():
            yield (name, "path"), "is a folder", "name a file in it"
    cache = known.get("cache")
    if isinstance(cache, Mapping) and cache.get("path") and cache.get("store", "memory") != "disk":
        yield ("cache", "path"), "is for a cache on disk", 'write store = "disk"'


def shape_warning(path: str, key: Any, kind: str) -> ConfigIssue | None:
    """That *key*, of a provider of that *kind*, begins as another provider's keys do."""
    if not isinstance(key, str) or kind not in SHAPES.values():
        return None
    owner = next((who for start, who in SHAPES.items() if key.startswith(start)), kind)
    fix = f"check whether it belongs to {kind}"
    return None if owner == kind else ConfigIssue(path, f"looks like a key of {owner}", fix)
