"""What a manager tells of its providers: their models, how they stand, and whom a call would reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from attrs import field, frozen

from ..errors import LLMError
from ..provider import Explanation, LLMProvider
from ..types import ConfigIssue, ModelInfo, ProviderInfo
from .names import Resolved
from .observations import HealthStatus
from .settings import ProviderSettings

T = TypeVar("T")


@frozen
class ModelListing(Sequence[ModelInfo]):
    """The models of one provider; empty, with the *error*, where it could not tell."""

    models: tuple[ModelInfo, ...] = ()
    error: LLMError | None = None

    def __getitem__(self, index: int | slice) -> ModelInfo | tuple[ModelInfo, ...]:  # type: ignore[override]  # a slice is a tuple
        return self.models[index]

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[ModelInfo]:
        return iter(self.models)


@frozen(kw_only=True)
class ProviderStatus:
    """How a provider or route stands: *issues* keep it from being *ready*; *health* is what was seen."""

    name: str
    info: ProviderInfo
    issues: tuple[ConfigIssue, ...] = ()
    health: HealthStatus
    priority: int | None = None
    models: tuple[str, ...] = field(default=())

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return not self.issues

    @classmethod
    def of(
        cls, provider: LLMProvider, own: ProviderSettings | None, health: HealthStatus | None
    ) -> ProviderStatus:
        """The status of *provider*, of which the manager was told *own*."""
        return cls(
            name=provider.name,
            info=provider.get_info(),
            issues=tuple(provider.validate_config()),
            health=HealthStatus(provider=provider.name) if health is None else health,
            priority=own.priority if own else None,
            models=own.models if own else (),
        )


@frozen(kw_only=True)
class ManagerExplanation(Explanation):
    """What a call would send, to whom, and why to them.

    *how* the model's name was understood; *passed_over* are providers that serve it too;
    *route* is the explanation of the route that it means, with the candidates, if it does.
    """

    how: str = ""
    passed_over: tuple[str, ...] = ()
    route: Explanation | None = None


def explained(found: Resolved, told: Explanation) -> ManagerExplanation:
    """*told*, with how it came to be asked."""
    return told.told_as(
        ManagerExplanation,
        how=found.how,
        passed_over=found.passed_over,
        route=told if hasattr(told, "considered") else None,
    )


def listing(ask: Callable[[], Sequence[ModelInfo]]) -> ModelListing:
    """What *ask* returns or raises, as a listing."""
    try:
        return ModelListing(tuple(ask()))
    except LLMError as error:
        return ModelListing(error=error)


async def alisting(asking: Awaitable[Sequence[ModelInfo]]) -> ModelListing:
    """`listing`, on the event loop."""
    try:
        return ModelListing(tuple(await asking))
    except LLMError as error:
        return ModelListing(error=error)


def each(providers: Mapping[str, LLMProvider], ask: Callable[[LLMProvider], T]) -> dict[str, T]:
    """What *ask* returns for each of *providers*, asked side by side."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=16) as pool:
        return dict(zip(providers, pool.map(ask, providers.values()), strict=True))


async def aeach(
    providers: Mapping[str, LLMProvider], ask: Callable[[LLMProvider], Awaitable[T]]
) -> dict[str, T]:
    """`each`, on the event loop."""
    import anyio

    found: dict[str, T] = {}

    async def one(name: str, provider: LLMProvider) -> None:
        found[name] = await ask(provider)

    async with anyio.create_task_group() as group:
        for name, provider in providers.items():
            group.start_soon(one, name, provider)
    return {name: found[name] for name in providers}
