"""Providers in this process: blocking generators of events, run off the event loop."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar, cast

from .errors import LLMError, RequestTimeoutError, StreamInterruptedError
from .events import Finish, ResponseBuilder, StreamEvent, StreamStart
from .flow import NOW, Defer, Flow, invoke
from .params import normalize
from .provider import LLMProvider
from .requests import ChatRequest, Request
from .types import CallWarning, ChatResponse

R = TypeVar("R")

BATCH_SECONDS = 0.01
"""Tokens that come within this time travel together: a thread hop costs more than a token."""


class _Generation:
    """Takes events off a generator, a batch at a time; may be closed from any thread."""

    def __init__(self, events: Iterable[StreamEvent]) -> None:
        self._events = iter(events)  # a list would begin anew with each batch
        self._error: Exception | None = None
        self._closed = False

    def batch(self) -> list[StreamEvent]:
        """The next event, and those that follow it at once; empty at the end."""
        if self._error is not None:
            raise self._error
        batch: list[StreamEvent] = []
        until = time.monotonic() + BATCH_SECONDS
        try:
            for event in self._events:
                batch.append(event)
                if time.monotonic() >= until or self._closed:
                    break
        except Exception as error:
            if not batch:
                raise
            # What came before it is delivered first.
            self._error = error
        if self._closed:
            self.close()
        return batch

    def close(self) -> None:
        """Stop the generation, now or when the step that it is in has ended."""
        self._closed = True
        close: Callable[[], None] = getattr(self._events, "close", lambda: None)
        # A generator that is running in another thread cannot be closed: `batch` will do it.
        with contextlib.suppress(ValueError):
            close()


class LocalProvider(LLMProvider):
    """A provider that runs in this process. Write `generate`, and ``handlers`` for the rest.

    ``handlers`` maps a request type to a method's name; the method takes the
    request and returns its result, blocking as long as it likes.
    """

    handlers: ClassVar[Mapping[type[Request[Any]], str]] = {}

    @property
    def operations(self) -> frozenset[type[Request[Any]]]:
        """Chat, and every request type with a handler."""
        return frozenset({ChatRequest, *self.handlers})

    def generate(
        self, request: ChatRequest, wire: Mapping[str, Any], warnings: list[CallWarning]
    ) -> Iterator[StreamEvent]:
        """The events of an answer, ending with `Finish`; *wire* holds the normalized parameters.

        Append to *warnings* what cannot be honoured, before the first event.
        Closing the iterator must stop the generation.
        """
        raise NotImplementedError(f"{type(self).__name__} lacks generate(request, wire, warnings)")

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt at *request*; plain and streamed chats are the same generation."""
        if isinstance(request, ChatRequest):
            return (yield from cast("Flow[R]", self._chat(request, deadline)))
        handler: Callable[[Request[R]], R] = getattr(self, self.handlers[type(request)])
        return (yield from invoke(lambda: handler(request)))

    def _chat(self, request: ChatRequest, deadline: float) -> Flow[ChatResponse]:
        wire, warnings = normalize(self.params, request.params)
        built = ResponseBuilder()
        generation = _Generation(self.generate(request, wire, warnings))
        yield Defer(generation.close)
        delivered = finished = False
        try:
            while batch := (yield from invoke(generation.batch)):
                if not delivered:
                    self.strictly(request, warnings)
                    batch = _warned(batch, warnings)
                built.extend(batch)
                delivered = True
                finished = finished or any(type(e) is Finish for e in batch)
                yield batch
                if not finished and (yield NOW) > deadline:
                    raise RequestTimeoutError("the generation took too long", phase="stream")
            if not finished:
                raise StreamInterruptedError("the generation ended without a Finish")
        except LLMError as error:
            if not delivered:
                raise
            broken = StreamInterruptedError(f"the generation broke: {error.message}")
            broken.partial = built.build()
            raise broken from error
        return built.build()


def _warned(batch: list[StreamEvent], warnings: list[CallWarning]) -> list[StreamEvent]:
    """*batch* with *warnings* on its start."""
    if not warnings:
        return batch
    first = batch[0] if isinstance(batch[0], StreamStart) else StreamStart()
    rest = batch[1:] if isinstance(batch[0], StreamStart) else batch
    start = StreamStart(
        id=first.id, model=first.model, usage=first.usage, warnings=(*warnings, *first.warnings)
    )
    return [start, *rest]
