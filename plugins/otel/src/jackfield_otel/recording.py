"""Spans and instruments: what is said to OpenTelemetry, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from jackfield import LLMProvider, Request

from . import content
from .attributes import Attributes, answered, asked, failed, identity, message, partial_result

_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
_TOKENS = [4**n for n in range(14)]


class Recorder:
    """A tracer and the instruments, of one pair of providers."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self.tracers, self.meters = tracers, meters
        name, number = "jackfield", version("jackfield-otel")
        self._tracer = tracers.get_tracer(name, number)
        meter = meters.get_meter(name, number)
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._first = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time to receive the first chunk of a stream.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

    def call(
        self, provider: LLMProvider, request: Request[Any], parent: Context, *, capture: bool
    ) -> Call:
        """Start the span of a call, below *parent*; with *capture* it holds what is said."""
        common = identity(provider, request)
        span = self._start(common, parent, SpanKind.CLIENT, **asked(provider, request))
        if capture and span.is_recording():
            span.set_attributes(content.asked(request))
        return Call(self, common, span, trace.set_span_in_context(span, parent), capture=capture)

    @contextmanager
    def attempt(
        self, provider: LLMProvider, request: Request[Any], parent: Context, number: int
    ) -> Iterator[Span]:
        """The span of an attempt, below *parent*: it ends with the block, in an error if that does."""
        common = {**identity(provider, request), "jackfield.attempt": number}
        span = self._start(common, parent, SpanKind.INTERNAL, "attempt")
        try:
            yield span
        except Exception as error:
            _fail(span, error)
            raise
        finally:
            span.end()

    def _start(
        self, common: Attributes, parent: Context, kind: SpanKind, name: str = "", **more: Any
    ) -> Span:
        named = (name or common["gen_ai.operation.name"], common.get("gen_ai.request.model", ""))
        attributes = {**common, **more}
        return self._tracer.start_span(" ".join(filter(None, named)), parent, kind, attributes)

    def measure(
        self, common: Attributes, usage: Attributes, first: float | None, total: float
    ) -> None:
        """Record a call that took *total* seconds, its first events *first*, and its tokens."""
        self._duration.record(total, common)
        told = {key: value for key, value in common.items() if key != "error.type"}
        if first is not None:
            self._first.record(first, told)
        for kind in ("input", "output"):
            if (count := usage.get(f"gen_ai.usage.{kind}_tokens")) is not None:
                self._tokens.record(count, {**told, "gen_ai.token.type": kind})


class Call:
    """A call under way: told how it goes, it ends its span and measures it."""

    def __init__(
        self, recorder: Recorder, common: Attributes, span: Span, context: Context, *, capture: bool
    ) -> None:
        self.context = context
        self._recorder, self._common, self._span = recorder, common, span
        self._capture = capture and span.is_recording()
        self._found: Attributes = {}

    def succeeded(self, result: Any, attempts: int, *, cached: bool) -> None:
        """It came to *result*, after so many *attempts* at a backend of its own."""
        self._tell(result, attempts)
        if cached:
            self._span.set_attribute("jackfield.cached", True)

    def failed(self, error: BaseException, attempts: int) -> None:
        """It ended in *error*."""
        self._tell(partial_result(error), attempts)
        _fail(self._span, error)
        self._common |= failed(error)

    def left(self) -> None:
        """Whoever asked has gone: that is no error."""
        self._span.set_attribute("jackfield.left", True)

    def _tell(self, result: Any, attempts: int) -> None:
        self._found = answered(result, asked_backend=attempts > 0)
        if model := self._found.get("gen_ai.response.model"):
            self._common["gen_ai.response.model"] = model
        self._span.set_attributes(self._found)
        if attempts:
            self._span.set_attribute("jackfield.attempts", attempts)
        if self._capture:
            self._span.set_attributes(content.answered(result))

    def end(self, first: float | None, total: float) -> None:
        """End it, *total* seconds after its start and, if it streams, *first* to its first events."""
        if first is not None:
            self._span.set_attribute("gen_ai.request.stream", True)
            self._span.set_attribute("gen_ai.response.time_to_first_chunk", first)
        self._span.end()
        self._recorder.measure(self._common, self._found, first, total)


def _fail(span: Span, error: BaseException) -> None:
    span.set_attributes(failed(error))
    span.set_status(Status(StatusCode.ERROR, message(error)))


def _silent(tracers: TracerProvider, meters: MeterProvider) -> bool:
    """Whether neither does anything: no program has set one."""
    idle = isinstance(tracers, trace.ProxyTracerProvider | trace.NoOpTracerProvider)
    proxy = type(meters).__name__ == "_ProxyMeterProvider"  # it has no public name
    return idle and (proxy or isinstance(meters, metrics.NoOpMeterProvider))


def recorder(
    made: Recorder | None, tracers: TracerProvider | None, meters: MeterProvider | None
) -> Recorder | None:
    """What records to *tracers* and *meters*, or to the global ones; *made*, if that does already."""
    tracers = tracers or trace.get_tracer_provider()
    meters = meters or metrics.get_meter_provider()
    if made is not None and made.tracers is tracers and made.meters is meters:
        return made
    return None if _silent(tracers, meters) else Recorder(tracers, meters)
