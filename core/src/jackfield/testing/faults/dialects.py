"""What a dialect is, the table of those spoken here, and how a request finds its dialect."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from .answers import offered
from .reply import Reply, dump
from .values import Answer, Event, Json

ERROR_STATUS: Mapping[str, int] = {
    "invalid": 400,
    "auth": 401,
    "payment": 402,
    "permission": 403,
    "not_found": 404,
    "too_large": 413,
    "context_length": 400,
    "filtered": 400,
    "rate_limit": 429,
    "quota": 429,
    "conflict": 409,
    "server": 500,
    "loading": 503,
    "overloaded": 503,
}
"""The kinds of error that every dialect can say, with the usual status."""

EMBEDDING = (0.125, -0.5, 0.75, 1.0)
MODELS = ("pelican-1", "pelican-1-mini", "fjord/gull:7b")


def frame_sse(event: Event, end: str = "\n") -> bytes:
    """*event* in the event-stream format."""
    name = f"event: {event.name}{end}" if event.name else ""
    return f"{name}data: {event.data}{end}{end}".encode()


def frame_ndjson(event: Event, end: str = "\n") -> bytes:
    """*event* as one line of JSON."""
    return f"{event.data}{end}".encode()


class Dialect(ABC):
    """How one provider's protocol says things: routes, events, bodies and errors.

    *prefix* is what a base URL of its official SDK ends with; *routes* maps method and the end
    of a path to an operation; *sse* tells the framing of its streams.
    """

    name: ClassVar[str]
    prefix: ClassVar[str]
    sse: ClassVar[bool] = True
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"
    streams_by_default: ClassVar[bool] = False
    routes: ClassVar[Mapping[tuple[str, str], str]]
    terminators: ClassVar[tuple[str, ...]]
    """Kinds of the events after which a stream is complete."""

    @abstractmethod
    def events(self, answer: Answer, request: Json) -> Sequence[Event]:
        """*answer* as the events of a stream."""

    @abstractmethod
    def message(self, answer: Answer) -> Json:
        """*answer* as the body of a plain call."""

    @abstractmethod
    def delta(self, answer: Answer, text: str) -> Event:
        """One more piece of visible text."""

    @abstractmethod
    def error(self, kind: str, message: str = "") -> Json:
        """The body of an error of *kind* (see `ERROR_STATUS`)."""

    def error_event(self, kind: str) -> Event:
        """An error in the middle of a stream."""
        return Event("error", self.error(kind))

    @abstractmethod
    def operation(self, name: str, request: Json) -> Json | Sequence[Event]:
        """The answer of an operation other than chat: a body, or the events of a stream."""

    def frame(self, event: Event, end: str = "\n") -> bytes:
        """*event* as bytes of this dialect's framing."""
        return (frame_sse if self.sse else frame_ndjson)(event, end)

    def wants_stream(self, request: Json) -> bool:
        """Whether *request* asks for a streamed answer."""
        flag = request.get("stream") if isinstance(request, dict) else None
        return self.streams_by_default if flag is None else bool(flag)

    def reply(self, operation: str, body: bytes, answer: Answer) -> Reply:
        """The healthy reply to a request with *body*."""
        request = parse(body)
        if operation != "chat":
            return self._other(operation, request, answer)
        tools = bool(isinstance(request, dict) and request.get("tools"))
        answer = offered(answer, tools=tools)
        if self.wants_stream(request):
            return self._streamed(operation, answer, self.events(answer, request))
        reply = Reply(self, answer, headers=(("content-type", "application/json"),))
        return reply.with_value(self.message(answer))

    def _other(self, operation: str, request: Json, answer: Answer) -> Reply:
        outcome = self.operation(operation, request)
        if isinstance(outcome, tuple):
            return self._streamed(operation, answer, outcome)
        headers = (("content-type", "application/json"),)
        return Reply(self, answer, operation, headers=headers).with_value(outcome)

    def _streamed(self, operation: str, answer: Answer, events: Sequence[Event]) -> Reply:
        headers = (("content-type", self.stream_type), ("cache-control", "no-cache"))
        reply = Reply(self, answer, operation, stream=True, headers=headers, framing="chunked")
        return reply.with_events(events)

    def failure(self, status: int, kind: str, message: str = "") -> Reply:
        """The reply that says an error."""
        value = self.error(kind, message)
        headers = (("content-type", "application/json"),)
        return Reply(
            self,
            Answer(pieces=()),
            "error",
            value=value,
            parts=(dump(value),),
            status=status,
            headers=headers,
        )


def parse(body: bytes) -> Json:
    """The JSON of a request's body; an empty dict where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return {}


def spoken() -> Mapping[str, Dialect]:
    """The dialects by name."""
    from .dialect_anthropic import Anthropic
    from .dialect_cohere import Cohere
    from .dialect_gemini import Gemini
    from .dialect_ollama import Ollama
    from .dialect_openai import OpenAI
    from .dialect_responses import Responses

    every = (OpenAI(), Responses(), Anthropic(), Ollama(), Cohere(), Gemini())
    return {dialect.name: dialect for dialect in every}


def find(method: str, path: str, headers: Mapping[str, str]) -> tuple[Dialect, str]:
    """The dialect and the operation that a request means; operation ``""`` where none is meant.

    Paths that end with ``/models`` are spoken by three: Anthropic's clients send
    ``anthropic-version``, Gemini's a header of their own with the key.
    """
    dialects = spoken()
    order = ["openai", "responses", "ollama", "cohere", "gemini", "anthropic"]
    if "anthropic-version" in headers or "x-api-key" in headers:
        order.reverse()
    elif "x-goog-api-key" in headers:
        order.insert(0, "gemini")
    for name in order:
        for (verb, tail), operation in dialects[name].routes.items():
            if verb == method and (path.endswith(tail) or (tail.endswith("/") and tail in path)):
                return dialects[name], operation
    return dialects[order[0]], ""
