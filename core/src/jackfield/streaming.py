"""The streaming flow: bytes to frames to events, and an honest end.

A stream is whole only with its dialect's terminator or a finish reason. Anything
else is an error; once something was delivered, a `StreamInterruptedError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from attrs import define, evolve, field

from .errors import LLMError, ResponseFormatError, StreamInterruptedError, TransportError
from .events import Finish, ResponseBuilder, StreamEvent, StreamStart, replay
from .exchange import READ_ERRORS, Call, Exchange, StreamParser, unreadable
from .failures import event_error, note_exchange, parse_failure, request_id
from .flow import NOW, Close, Flow, HTTPRequest, HTTPResponse, Read
from .framing import Frame, Framing
from .requests import AnswerRequest, Timeout
from .types import ChatResponse, ToolCall, Usage

if TYPE_CHECKING:
    from .http import HTTPProvider

_PROBE_BYTES = 1024 * 1024
_FIELDS = (b"data:", b"event:", b"id:", b"retry:")  # what a stream begins with, cut or not


@define
class _Stream:
    """The state of one stream: what is parsed, what is built, what was delivered."""

    provider: HTTPProvider
    call: Call[Any]
    framing: Framing
    parser: StreamParser
    built: Any = field(factory=ResponseBuilder)
    delivered: bool = False
    held: list[Any] = field(factory=list)
    probe: list[bytes] | None = field(factory=list)
    probed: int = 0
    out: list[Any] = field(factory=list)

    def feed(self, chunk: bytes) -> None:
        """Put the events in *chunk* into ``out``, those before an error too."""
        frames = self.framing.feed(chunk)
        if self.probe is not None:
            self._probe(chunk, bool(frames))
        if frames:
            self.parse(frames)

    def parse(self, frames: list[Frame], end: bool = False) -> None:
        """Let the parser read *frames*, or tell the *end*; what it cannot read is typed."""
        try:
            self.parser.close(self.out) if end else self.parser.feed(frames, self.out)
        except READ_ERRORS as error:
            raise unreadable(error, frames[-1][1] if frames else b"") from None

    def _probe(self, chunk: bytes, framed: bool) -> None:
        """Keep what came before the first frame: it may be no stream at all."""
        self.probed += len(chunk)
        if framed or self.probed > _PROBE_BYTES:
            self.probe = None
        elif self.probe is not None:
            self.probe.append(chunk)

    def ready(self) -> list[Any]:
        """Take what of ``out`` may be delivered: a bare start waits for something after it."""
        events, self.out = self.out, []
        if not self.delivered:
            events = self.held + events
            if all(type(e) is StreamStart for e in events):
                self.held = events
                return []
            self.held = []
            warned = tuple(self.call.warnings)
            if warned and type(events[0]) is StreamStart:
                start = events[0]
                events[0] = msgspec.structs.replace(start, warnings=(*warned, *start.warnings))
            self.delivered = True
        self.built.extend(events)
        return events

    def finish(self) -> None:
        """Put the closing events, priced, into ``out``."""
        self.parse([], end=True)
        out = self.out
        for at, event in enumerate(out):
            if type(event) is Finish and event.choice == 0 and event.cost is None:
                model = self.built.model or self.call.request.model
                cost = self.provider.price(model, event.usage or Usage())
                if cost is not None:
                    out[at] = msgspec.structs.replace(event, cost=cost)


class _Last:
    """Builds nothing: the response of a stream whose events are not a chat's."""

    def extend(self, events: list[Any]) -> None:
        """Ignore *events*."""

    def build(self) -> None:
        """There is no response."""


def stream_flow(
    call: Call[Any], exchange: Exchange[Any, Any], request: HTTPRequest, timeout: Timeout
) -> Flow[Any]:
    """Send *request* and yield its events in batches; return what they fold into."""
    provider = call.provider
    signed = yield from provider.authorize(request)
    first = min((yield NOW) + timeout.first_chunk, request.deadline)
    response: HTTPResponse = yield evolve(signed, deadline=first)
    note_exchange(provider.name, request, response)
    if response.handle is None:
        raise provider.make_error(response)
    assert exchange.stream is not None
    state = _Stream(provider, call, exchange.framing(), exchange.stream(call))
    if not isinstance(call.request, AnswerRequest):
        state.built = _Last()
    try:
        yield from _read(state, response, first, request)
        yield from _end(state, exchange)
    except LLMError as error:
        if state.out and (ready := state.ready()):
            yield ready
        yield Close(response)
        raise _broken(state, error, response)  # noqa: B904  # its cause is set there
    yield Close(response, drain=state.parser.done)
    return state.built.build()


def _read(state: _Stream, response: HTTPResponse, first: float, request: HTTPRequest) -> Flow[None]:
    """Read to the terminator or the end; ``state.out`` holds what an error leaves undelivered.

    The first content must come by *first*, each further one within the request's idle time.
    """
    parser, deadline, wait = state.parser, request.deadline, first
    while not parser.done:
        try:
            chunk: bytes = yield Read(response, min(deadline, wait))
        except TransportError:
            if parser.finished:
                return
            raise
        if not chunk:
            return
        state.feed(chunk)
        if state.out and (ready := state.ready()):
            wait = response.at + request.idle
            yield ready


def _end(state: _Stream, exchange: Exchange[Any, Any]) -> Flow[None]:
    """Deliver what is left, if the stream is whole.

    Raises:
        StreamInterruptedError: it ended without its terminator or finish reason.
    """
    parser = state.parser
    if not parser.done:
        try:
            state.parse(state.framing.close())
        except ResponseFormatError:
            # A half event at the end: the stream was cut in the middle of it.
            if not parser.finished:
                raise StreamInterruptedError("the stream was cut inside an event") from None
    if not (parser.done or parser.finished):
        body = b"".join(state.probe or ())
        said = [x for x in map(bytes.strip, body.splitlines()) if x and not x.startswith(b":")]
        if said and not any(said[0].startswith(f) or f.startswith(said[0]) for f in _FIELDS):
            state.out += _not_a_stream(state, exchange, body)
        else:
            raise StreamInterruptedError("the stream ended before its answer did")
    else:
        state.finish()
    if ready := state.ready():
        yield ready


def _not_a_stream(state: _Stream, exchange: Exchange[Any, Any], body: bytes) -> list[StreamEvent]:
    """Events from a body that came whole although a stream was asked for."""
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise unreadable(error, body) from None
    if isinstance(plain, dict) and ("error" in plain or plain.get("object") == "error"):
        raise event_error(plain, state.provider.error_codes)
    try:
        result = state.provider.read(state.call, exchange, HTTPResponse(200, body=body))
    except ResponseFormatError:
        if parse_failure(plain).message:
            raise event_error(plain, state.provider.error_codes) from None
        raise
    state.call.warnings.clear()
    if not isinstance(result, ChatResponse):
        raise ResponseFormatError("a whole answer came instead of a stream")
    return replay(result)


def _broken(state: _Stream, error: LLMError, response: HTTPResponse) -> LLMError:
    """*error* as the caller is to see it, given what was delivered before."""
    error.add(phase="stream", request_id=request_id(response.headers))
    if not isinstance(error, StreamInterruptedError):
        if not state.delivered:
            return error
        broken = StreamInterruptedError(f"the stream broke: {error.message}")
        broken.add(code=error.code, retry_after=error.retry_after, request_id=error.request_id)
        broken.add(status=error.status, maybe_executed=True)
        broken.__cause__ = error
    else:
        broken = error
        broken.retryable = not state.delivered
        broken.maybe_executed = True
    if state.held:
        state.built.extend(state.held)
    partial = state.built.build()
    if isinstance(partial, ChatResponse):
        broken.partial = _whole_calls(partial)
    return broken


def _whole_calls(partial: ChatResponse) -> ChatResponse:
    """*partial* without tool calls that were cut: nobody should run half a call."""
    message = partial.message
    kept = tuple(p for p in message.content if type(p) is not ToolCall or _whole(p.arguments))
    if len(kept) == len(message.content):
        return partial
    return evolve(partial, message=evolve(message, content=kept))


def _whole(arguments: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except msgspec.MsgspecError:
        return False
