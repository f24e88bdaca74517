"""What the blocking client and the asynchronous one have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, NoReturn, Self, TypeVar

from jackfield import LLMProvider, Timeout

from .calls import Caller, closed

C = TypeVar("C")

_HAS = (
    "chat.completions.create and parse, embeddings.create, models.list and retrieve, "
    "with_options(timeout=…), is_closed and close"
)


class Client:
    """What both clients are made of."""

    def __init__(
        self,
        provider: LLMProvider,
        *,
        model: str | None = None,
        timeout: float | Timeout | None = None,
        shared: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._caller = Caller(provider=provider, clock=clock, model=model, timeout=timeout)
        self._shared, self._closed = shared, False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._caller.provider.name!r}>"

    def is_closed(self) -> bool:
        """Whether further calls are refused."""
        return self._closed

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} has no {name!r}; it has {_HAS}")

    @property
    def provider(self) -> LLMProvider:
        """Who is asked."""
        return self._caller.provider

    @property
    def caller(self) -> Caller:
        """How the provider is asked.

        Raises:
            ConfigError: the client is closed.
        """
        if self._closed:
            raise closed(self._caller.provider.name)
        return self._caller

    def with_options(self, *, timeout: float | Timeout | None = None) -> Self:
        """A client of the same provider with another *timeout*; closing it leaves the provider open."""
        caller = self.caller
        changed = caller.timeout if timeout is None else timeout
        return type(self)(
            caller.provider, model=caller.model, timeout=changed, shared=True, clock=caller.clock
        )


class Part(Generic[C]):
    """A group of a client's methods."""

    def __init__(self, client: C) -> None:
        self._client = client

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} has no {name!r}; a client has {_HAS}")
