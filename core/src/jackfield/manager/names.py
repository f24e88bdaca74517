"""Whom a model's name means: exact, alias, pattern, catalogue; what is ambiguous is an error."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from attrs import frozen

from ..errors import NotFoundError
from ..plugins import canonical
from ..provider import LLMProvider
from .build import follow
from .settings import ManagerSettings, ProviderSettings


@frozen
class Resolved:
    """A model's name, resolved: who is asked, for which *model*, and *how* that was found.

    *passed_over* are others that serve it too, less preferred.
    """

    provider: str
    model: str
    how: str
    passed_over: tuple[str, ...] = ()


class Names:
    """Resolves names of models among *providers* and *routes*, as *settings* say."""

    def __init__(
        self,
        settings: ManagerSettings,
        providers: Mapping[str, LLMProvider],
        routes: Mapping[str, LLMProvider],
    ) -> None:
        self._settings, self._providers, self._routes = settings, providers, routes

    def resolve(
        self, model: str, fetched: Mapping[str, Iterable[str]] | None = None
    ) -> Resolved | None:
        """Whom *model* means; None where only the providers themselves can tell.

        *fetched* are the models that providers said they have; then the answer is final.

        Raises:
            NotFoundError: nobody is meant, or several are; the message lists them.
        """
        asked = model or self._settings.default_model or ""
        if not asked:
            fix = "name a model, or set default_model"
            raise _nobody("no model is asked for, and there is no default_model", fix)
        meant = follow(asked, self._settings.aliases)
        how = "exact" if meant == asked else f"alias of {meant}"
        if meant in self._routes:
            return Resolved(meant, meant, how)
        if found := self._addressed(meant):
            return Resolved(*found, how)
        steps: tuple[tuple[str, Callable[[str, LLMProvider], bool]], ...] = (
            ("listed", lambda name, _: meant in self._own(name).models),
            ("pattern", lambda name, _: matches(meant, self._own(name).models)),
            ("known for such", lambda _, provider: matches(meant, provider.info.models)),
        )
        for step, serves in steps:
            able = [n for n, p in self._providers.items() if serves(n, p)]
            if able:
                return self._preferred(able, meant, how if step == "listed" else step)
        unlisted = [n for n in self._providers if not self._own(n).models]
        if len(unlisted) == len(self._providers) == 1:
            return Resolved(unlisted[0], meant, "the only provider")
        if fetched is None:
            return None
        if able := [name for name, models in fetched.items() if meant in models]:
            return self._preferred(able, meant, "asked")
        if len(unlisted) == 1 and not fetched.get(unlisted[0]):
            return Resolved(unlisted[0], meant, "the only one that lists no models")
        raise self._unknown(meant, fetched)

    def _own(self, name: str) -> ProviderSettings:
        return self._settings.providers.get(name) or ProviderSettings(provider=name)

    def _addressed(self, meant: str) -> tuple[str, str] | None:
        """Provider and model of ``PROVIDER/MODEL``."""
        head, slash, rest = meant.partition("/")
        if not slash or not rest:
            return None
        if head in self._providers or head in self._routes:
            return head, rest
        same = [n for n in self._providers if canonical(n) == canonical(head)]
        kind = [n for n, p in self._providers.items() if p.info.name == canonical(head)]
        return (same[0], rest) if same else (kind[0], rest) if len(kind) == 1 else None

    def _preferred(self, able: list[str], model: str, how: str) -> Resolved:
        """The one of *able* with the lowest priority number.

        Raises:
            NotFoundError: several have it.
        """
        able.sort(key=lambda name: self._own(name).priority)
        first = self._own(able[0]).priority
        equal = [name for name in able if self._own(name).priority == first]
        if len(equal) > 1:
            fix = f"write {equal[0]}/{model}, or give them priorities"
            raise _nobody(f"model {model!r} is served by {', '.join(equal)}", fix)
        return Resolved(able[0], model, how, tuple(able[1:]))

    def _unknown(self, model: str, fetched: Mapping[str, Iterable[str]]) -> NotFoundError:
        known = [*self._settings.aliases, *self._routes]
        known += [m for name in self._providers for m in self._own(name).models]
        known += [m for models in fetched.values() for m in models]
        problem, have = f"nobody serves the model {model!r}", [*self._providers, *self._routes]
        near = difflib.get_close_matches(model, known, 3)
        head, slash, rest = model.partition("/")
        if slash and rest and not near:
            problem += f", and there is no provider or route {head!r}"
            near = [f"{name}/{rest}" for name in difflib.get_close_matches(head, have, 1)]
        if near:
            return _nobody(problem, f"did you mean {' or '.join(near)}?")
        listed = ", ".join(have) or "no provider"
        return _nobody(problem, f"have {listed}: write PROVIDER/MODEL")

    def serving(self, model: str) -> list[str]:
        """All providers that serve *model* by their lists or fame, the preferred first."""
        able = [
            name
            for name, provider in self._providers.items()
            if matches(model, (*self._own(name).models, *provider.info.models))
        ]
        return sorted(able, key=lambda name: self._own(name).priority)


def matches(model: str, patterns: Iterable[str]) -> bool:
    """Whether *model* is one of the names, or fits one of the *patterns*."""
    return any(fnmatchcase(model, pattern) for pattern in patterns)


def _nobody(problem: str, fix: str) -> NotFoundError:
    return NotFoundError(f"{problem}: {fix}", param="model", phase="build")
