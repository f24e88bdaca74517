"""Providers in this process: blocking generators of events, run off the event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar, cast

from .errors import InvalidRequestError, LLMError, RequestTimeoutError, StreamInterruptedError
from .events import Finish, ResponseBuilder, StreamEvent, StreamStart
from .flow import NOW, Defer, Flow, invoke
from .params import normalize
from .provider import LLMProvider
from .requests import ChatRequest, Request
from .types import CallWarning, ChatResponse

R = TypeVar("R")

BATCH_SECONDS = 0.01
"""Tokens that come within this time travel together: a thread hop costs more than a token."""


def next_batch(events: Iterator[StreamEvent]) -> list[StreamEvent]:
    """The next event, and those that follow it at once; empty at the end."""
    batch: list[StreamEvent] = []
    until = time.monotonic() + BATCH_SECONDS
    for event in events:
        batch.append(event)
        if time.monotonic() >= until:
            break
    return batch


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
        raise NotImplementedError

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt at *request*; plain and streamed chats are the same generation."""
        if isinstance(request, ChatRequest):
            return (yield from cast("Flow[R]", self._chat(request, deadline)))
        handler: Callable[[Request[R]], R] = getattr(self, self.handlers[type(request)])
        return (yield from invoke(lambda: handler(request)))

    def _chat(self, request: ChatRequest, deadline: float) -> Flow[ChatResponse]:
        wire, warnings = normalize(self.params, request.params)
        built = ResponseBuilder()
        events = self.generate(request, wire, warnings)
        closing = getattr(events, "close", None)
        if closing is not None:
            yield Defer(closing)
        delivered = finished = False
        try:
            while batch := (yield from invoke(lambda: next_batch(events))):
                if not delivered:
                    self._strictly(request, warnings)
                    batch = _warned(batch, warnings)
                built.extend(batch)
                delivered = True
                finished = finished or any(type(e) is Finish for e in batch)
                yield batch
                if not finished and (yield NOW) > deadline:
                    raise RequestTimeoutError("the generation took too long", phase="stream")
            if not finished:
                raise StreamInterruptedError("the generation ended before its answer did")
        except LLMError as error:
            if not delivered:
                raise
            broken = StreamInterruptedError(f"the generation broke: {error.message}")
            broken.partial = built.build()
            raise broken from error
        return built.build()

    def _strictly(self, request: ChatRequest, warnings: list[CallWarning]) -> None:
        strict = self.config.strict if request.strict is None else request.strict
        if strict and warnings:
            listed = "; ".join(map(str, warnings))
            message = f"{self.name} cannot do this as asked: {listed}"
            raise InvalidRequestError(message, param=warnings[0].subject, phase="build")


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
