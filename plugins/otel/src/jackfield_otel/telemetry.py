"""The middleware: spans around calls and attempts, and the client metrics."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from jackfield import LLMError, LLMProvider, Request, hookimpl
from jackfield.flow import Flow, Wrapper
from jackfield.middleware.timing import Stopwatch

if TYPE_CHECKING:  # imported once somebody listens
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from .recording import Recorder

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The environment variable that has spans hold what was asked and answered, where it is ``true``."""

_LINK = "jackfield.otel"


class Link:
    """Ties a call's attempts and nested calls to its span, by an explicit context.

    It rides in a request's metadata, of which it is no part: all are equal.
    """

    def __init__(self, parent: Context) -> None:
        self.parent = self.context = parent
        self.attempts = self.calls = 0

    def __repr__(self) -> str:
        return "<Link>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Link)

    def __hash__(self) -> int:
        return hash(Link)


class Telemetry:
    """Middleware: give it providers of its own, or it uses the global ones.

    *capture_content* decides about what was asked and answered; None leaves it to
    the environment (see `CAPTURE`). Where nobody listens it stands aside.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        capture_content: bool | None = None,
    ) -> None:
        self._tracers, self._meters = tracer_provider, meter_provider
        self._capture = capture_content
        self._made: Recorder | None = None

    def _recorder(self) -> Recorder | None:
        """What records; None where nobody listens."""
        given = self._tracers is not None or self._meters is not None
        # Who listens has imported it: until then not even we do.
        if not given and "opentelemetry.trace" not in sys.modules:
            return None
        from .recording import recorder

        self._made = recorder(self._made, self._tracers, self._meters)
        return self._made

    @hookimpl
    def prepare_call(
        self, provider: LLMProvider, request: Request[Any]
    ) -> Callable[[Request[Any]], Request[Any]] | None:
        """Have the request say to whose span its attempts and nested calls belong."""
        return None if self._recorder() is None else _linked

    @hookimpl
    def wrap_call(self, provider: LLMProvider, request: Request[Any]) -> Wrapper | None:
        """A span around the call, and its metrics."""
        if (recorder := self._recorder()) is None:
            return None
        return partial(self._call, recorder, _link(request), provider, request)

    @hookimpl
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper | None:
        """A span around the attempt, inside that of its call."""
        if (recorder := self._recorder()) is None:
            return None
        return partial(_attempt, recorder, _link(request), provider, request)

    def _captures(self) -> bool:
        if self._capture is not None:
            return self._capture
        return os.environ.get(CAPTURE, "").lower() in {"true", "span_only", "span_and_event"}

    def _call(
        self,
        recorder: Recorder,
        link: Link,
        provider: LLMProvider,
        request: Request[Any],
        flow: Flow[Any],
    ) -> Flow[Any]:
        call = recorder.call(provider, request, link.parent, capture=self._captures())
        link.context = call.context
        watch, started = Stopwatch(), time.perf_counter()
        try:
            result = yield from watch.around(flow)
            call.succeeded(result, link.attempts, cached=not (link.attempts or link.calls))
            return result
        except GeneratorExit:
            call.left()
            raise
        except BaseException as error:
            call.failed(error, link.attempts)
            raise
        finally:
            call.end(watch.first, time.perf_counter() - started)


def _attempt(
    recorder: Recorder, link: Link, provider: LLMProvider, request: Request[Any], flow: Flow[Any]
) -> Flow[Any]:
    link.attempts += 1
    with recorder.attempt(provider, request, link.context, link.attempts):
        try:
            return (yield from flow)
        except LLMError as error:
            provider.conceal(error)
            raise


def _link(request: Request[Any]) -> Link:
    """The link in *request*, or one that begins in the caller's context."""
    from opentelemetry.context import get_current

    found = request.metadata.get(_LINK)
    return found if isinstance(found, Link) else Link(get_current())


def _linked(request: Request[Any]) -> Request[Any]:
    """*request* with a link of its own, below that of the call around it."""
    outer = _link(request)
    outer.calls += 1
    return evolve(request, metadata={**request.metadata, _LINK: Link(outer.context)})
