"""What a streaming call returns: an iterator of events that also holds the response."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Generic, TypeVar

from .closing import AsyncClosing, Closing
from .drivers.seam import Outcome

E = TypeVar("E")
T = TypeVar("T")


class _Result(Generic[T]):
    _outcome: Outcome[T]

    @property
    def response(self) -> T:
        """What the events fold into, once the stream is drained.

        Raises:
            RuntimeError: the stream has not been read to its end.
        """
        if not self._outcome.done:
            raise RuntimeError("the stream has not been read to its end: no response yet")
        return self._outcome.value


class EventStream(_Result[T], Closing, Generic[E, T]):
    """Events as they come. Leaving its ``with``, closing or dropping it ends the generation."""

    def __init__(self, events: Generator[E, None, None], outcome: Outcome[T]) -> None:
        # The generator must not know this object: dropping it is what closes the stream.
        self._events, self._outcome = events, outcome

    def __iter__(self) -> Iterator[E]:
        events: Iterator[E] = self._events
        return events

    def __next__(self) -> E:
        event: E = next(self._events)
        return event

    def text(self) -> Iterator[str]:
        """The visible text, piece by piece."""
        return (text for event in self._events if (text := str(event)))

    def drain(self) -> T:
        """Read on to the end; return the response."""
        for _ in self._events:
            pass
        return self.response

    def close(self) -> None:
        """Stop: the connection closes, and the provider stops generating."""
        self._events.close()


class AsyncEventStream(_Result[T], AsyncClosing, Generic[E, T]):
    """`EventStream` for an event loop."""

    def __init__(self, events: AsyncGenerator[E, None], outcome: Outcome[T]) -> None:
        self._events, self._outcome = events, outcome

    def __aiter__(self) -> AsyncIterator[E]:
        events: AsyncIterator[E] = self._events
        return events

    async def __anext__(self) -> E:
        event: E = await anext(self._events)
        return event

    async def text(self) -> AsyncIterator[str]:
        """The visible text, piece by piece."""
        async for event in self._events:
            if text := str(event):
                yield text

    async def drain(self) -> T:
        """Read on to the end; return the response."""
        async for _ in self._events:
            pass
        return self.response

    async def aclose(self) -> None:
        """Stop: the connection closes, and the provider stops generating."""
        await self._events.aclose()
