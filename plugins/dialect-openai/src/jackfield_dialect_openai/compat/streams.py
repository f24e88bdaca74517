"""What a streamed call returns: chunks as they come."""

from __future__ import annotations

from collections import deque
from typing import Any, Self

from jackfield import AsyncEventStream, ChatResponse, EventStream, LLMError, StreamEvent
from jackfield.closing import AsyncClosing, Closing

from ..server import ChunkRenderer
from .chunks import ChatCompletionChunk


class _Chunks:
    """The chunks that are due; they are made one event at a time."""

    def __init__(self, renderer: ChunkRenderer) -> None:
        self._renderer = renderer
        self._due: deque[dict[str, Any]] = deque()
        self._ended = False

    @property
    def waiting(self) -> bool:
        """Whether the next chunk needs another event."""
        return not self._due and not self._ended

    def take(self, event: StreamEvent) -> None:
        """Note the chunks of *event*."""
        self._due.extend(self._renderer.render((event,)))

    def end(self) -> None:
        """Note the chunks of the end."""
        self._ended = True
        self._due.extend(self._renderer.close())

    def stop(self) -> None:
        """Forget what is due: nothing follows."""
        self._ended = True
        self._due.clear()

    def next(self, end: type[Exception]) -> ChatCompletionChunk:
        """The next chunk; raise *end* after the last."""
        if not self._due:
            raise end
        return ChatCompletionChunk(**self._due.popleft())


class Stream(Closing):
    """Chunks as they come. Leaving its ``with``, closing or dropping it ends the generation."""

    def __init__(
        self, events: EventStream[StreamEvent, ChatResponse], renderer: ChunkRenderer
    ) -> None:
        self._events, self._chunks = events, _Chunks(renderer)

    def begin(self) -> Self:
        """Wait for the first chunk: what the provider refuses is raised here."""
        try:
            while self._chunks.waiting:
                event = next(self._events, None)
                self._chunks.end() if event is None else self._chunks.take(event)
        except LLMError:
            self.close()
            raise
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChatCompletionChunk:
        self.begin()
        return self._chunks.next(StopIteration)

    def close(self) -> None:
        """Stop: the connection closes, and the provider stops generating."""
        self._chunks.stop()
        self._events.close()


class AsyncStream(AsyncClosing):
    """`Stream` for an event loop."""

    def __init__(
        self, events: AsyncEventStream[StreamEvent, ChatResponse], renderer: ChunkRenderer
    ) -> None:
        self._events, self._chunks = events, _Chunks(renderer)

    async def begin(self) -> Self:
        """Wait for the first chunk: what the provider refuses is raised here."""
        try:
            while self._chunks.waiting:
                event = await anext(self._events, None)
                self._chunks.end() if event is None else self._chunks.take(event)
        except LLMError:
            await self.close()
            raise
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        await self.begin()
        return self._chunks.next(StopAsyncIteration)

    async def close(self) -> None:
        """Stop: the connection closes, and the provider stops generating."""
        self._chunks.stop()
        await self._events.aclose()

    aclose = close
