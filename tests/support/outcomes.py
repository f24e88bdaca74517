"""A call to a provider that recorded answers replay to, in any colour, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
from attrs import field, frozen

from jackfield import Request

Ask = Callable[[], Request[Any]]
"""Makes the request; what that raises is the outcome, too."""


@frozen
class Outcome:
    """What a call came to: its events and its result, or its error; and what it sent."""

    result: Any = None
    events: tuple[Any, ...] = ()
    error: BaseException | None = None
    sent: Any = field(default=(), eq=False)

    def facts(self) -> str:
        """All of it but what it sent, as a text."""
        error = self.error
        told = (repr(error), sorted(error.__dict__.items())) if error else None
        return f"{self.result!r} {self.events!r} {told} {getattr(error, '__cause__', None)!r}"

    def value(self) -> Any:
        """The result; the error is raised."""
        if self.error is not None:
            raise self.error
        return self.result


def replayed(provider: Any, ask: Ask, streamed: bool) -> Outcome:
    """Make the call, blocking, its events handed out where it is *streamed*."""
    events, sent = list[Any](), provider._driver.transport.requests
    try:
        if not streamed:
            return Outcome(provider.run(ask()), sent=sent)
        with provider.stream(ask()) as stream:
            events.extend(stream)
        return Outcome(stream.response, tuple(events), sent=sent)
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error, sent)


def replayed_on(backend: str, provider: Any, ask: Ask, streamed: bool) -> Outcome:
    """`replayed`, on the event loop of *backend*."""
    return anyio.run(_replayed, provider, ask, streamed, backend=backend)


async def _replayed(provider: Any, ask: Ask, streamed: bool) -> Outcome:
    events, sent = list[Any](), provider._async_driver.transport.requests
    try:
        if not streamed:
            return Outcome(await provider.arun(ask()), sent=sent)
        async with provider.astream(ask()) as stream:
            async for event in stream:
                events.append(event)  # kept also when the stream breaks
        return Outcome(stream.response, tuple(events), sent=sent)
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error, sent)
