"""A stream for consumers who want events alone: how it failed is its last event, and no exception."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any, overload

from ..errors import LLMError
from ..events import StreamEvent
from ..streams import AsyncEventStream, EventStream
from ..types import ChatResponse


class StreamFailed(StreamEvent, frozen=True, kw_only=True):
    """The stream ended with *error*; *partial* is the answer so far, if there is some.

    It shows no text. Whether another try may help is ``error.retryable``.
    """

    error: LLMError
    partial: ChatResponse | None = None


@overload
def with_errors(stream: EventStream[Any, Any]) -> Generator[StreamEvent, None, None]: ...


@overload
def with_errors(stream: AsyncEventStream[Any, Any]) -> AsyncGenerator[StreamEvent, None]: ...


def with_errors(stream: EventStream[Any, Any] | AsyncEventStream[Any, Any]) -> Any:
    """The events of *stream*; a failure is a last one, `StreamFailed`, and is not raised.

    Only what the library raises on purpose, an `LLMError`, is told so. Closing what is
    returned, or cancelling the task, closes the stream, and the provider stops generating.
    """
    return _awaited(stream) if isinstance(stream, AsyncEventStream) else _told(stream)


def _told(stream: EventStream[Any, Any]) -> Generator[StreamEvent, None, None]:
    with stream:
        try:
            yield from stream
        except LLMError as error:
            yield _failed(error)


async def _awaited(stream: AsyncEventStream[Any, Any]) -> AsyncGenerator[StreamEvent, None]:
    async with stream:
        try:
            async for event in stream:
                yield event
        except LLMError as error:
            yield _failed(error)


def _failed(error: LLMError) -> StreamFailed:
    return StreamFailed(error=error, partial=getattr(error, "partial", None))
