"""What a route makes of a target's stream: watched, marked, and gone on with where it broke."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from attrs import evolve

from ..errors import RequestTimeoutError
from ..events import Finish, PartMetadata, ResponseBuilder, StreamEvent, StreamStart, TextDelta
from ..flow import NOW, Flow, performed
from ..middleware.bounded import bounded
from ..provider import LLMProvider
from ..requests import ChatRequest
from ..types import CallWarning, ChatResponse, Message, Role, TextPart, Usage

T = TypeVar("T")

_UNCOUNTED = CallWarning("dropped", "usage", "that of the part before the stream broke is unknown")


class Watch:
    """What is seen of one attempt: when its first event came, and whether the caller has some.

    It is to come by the time *until*; *began* is told when it did.
    """

    def __init__(
        self,
        mark: Mapping[str, Any] | None = None,
        prefix: Prefix | None = None,
        *,
        until: float = float("inf"),
        began: Callable[[float], object] = lambda _now: None,
    ) -> None:
        self.first: float | None = None
        self._mark, self._prefix, self._until, self._began = mark, prefix, until, began

    def relay(self, flow: Flow[T]) -> Flow[T]:
        """*flow*, its events as the caller is to see them."""
        result: T = self._result((yield from performed(flow, self._perform)))
        return result

    def _perform(self, step: Any) -> Flow[Any]:
        if type(step) is list:
            if self.first is None:
                self.first = yield NOW
                self._began(self.first)
            step = self._seen(step)
        elif self.first is None and self._until < float("inf"):
            return (yield from bounded(step, self._until, _late))
        return (yield step)

    def _seen(self, events: list[Any]) -> list[Any]:
        last = events[-1] if events else None
        if self._mark is not None and type(last) is Finish and last.choice == 0:
            marked = {**last.provider_metadata, "jackfield": self._mark}
            events = [*events[:-1], msgspec.structs.replace(last, provider_metadata=marked)]
        return events if self._prefix is None else self._prefix.extend(events)

    def _result(self, result: Any) -> Any:
        if self._mark is not None and hasattr(result, "provider_metadata"):
            marked = {**result.provider_metadata, "jackfield": self._mark}
            result = evolve(result, provider_metadata=marked)
        if self._prefix is not None and isinstance(result, ChatResponse):
            return self._prefix.response()
        return result


def _late() -> RequestTimeoutError:
    """Who waits for more than the time for the first event is told to ask another."""
    message = "the time to begin a stream was over while the call waited for its turn"
    return RequestTimeoutError(message, phase="limit", retryable=False)


class Prefix:
    """Keeps what of an answer has been delivered, so that another target can go on with it."""

    def __init__(self) -> None:
        self._built = ResponseBuilder()
        self._index = 0
        self._only_text = True
        self._broken: ChatResponse | None = None
        self._gap = ""

    def extend(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """Take in *events* of the target that answers now; return them as the caller is to see them."""
        if self._broken is not None:
            events = [seen for event in events if (seen := self._continued(event)) is not None]
        for event in events:
            if type(event) is TextDelta and event.choice == 0:
                self._index = event.index
            elif not isinstance(event, StreamStart | Finish | PartMetadata):
                self._only_text = False
        self._built.extend(events)
        return events

    def response(self) -> ChatResponse:
        """What was delivered, as one answer."""
        return self._built.build()

    def can(self, provider: LLMProvider) -> bool:
        """Whether *provider* can go on with what was delivered."""
        said = self._only_text and self._built.build().text.strip()
        return bool(said) and provider.prefill is not None

    def request(self, request: ChatRequest, provider: LLMProvider) -> ChatRequest:
        """*request* for the rest of the answer from *provider*, which can go on with it."""
        self._broken = partial = self._built.build()
        said = partial.text.rstrip()  # some refuse a last message that ends in blanks
        self._gap = partial.text[len(said) :]
        kind, options = provider.get_info().name, provider.prefill or {}
        own = {**options, **request.provider_options.get(kind, {})}
        return evolve(
            request,
            messages=(*request.messages, Message(Role.ASSISTANT, (TextPart(said),))),
            provider_options={**request.provider_options, kind: own},
        )

    def _continued(self, event: StreamEvent) -> StreamEvent | None:
        """*event* of the second target, as part of the answer that the first began."""
        if isinstance(event, StreamStart):
            return StreamStart(warnings=event.warnings) if event.warnings else None
        if type(event) is TextDelta and event.choice == 0:
            text, gap = event.text, self._gap  # which comes again, maybe piece by piece
            pairs = enumerate(zip(text, gap, strict=False))
            same = next((i for i, (a, b) in pairs if a != b), min(len(text), len(gap)))
            self._gap = gap[same:] if same == len(text) else ""
            return TextDelta(text[same:], self._index) if text[same:] else None
        if type(event) is Finish and event.choice == 0:
            return self._finish(event)
        return event

    def _finish(self, event: Finish) -> Finish:
        """*event* with the usage of both parts."""
        assert self._broken is not None
        before, after = self._broken.usage, event.usage or Usage()
        if before.input_tokens is None or before.output_tokens is None:
            return msgspec.structs.replace(event, warnings=(*event.warnings, _UNCOUNTED))
        names = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
        added: dict[str, Any] = {
            name: _sum(getattr(before, name), getattr(after, name)) for name in names
        }
        return msgspec.structs.replace(event, usage=evolve(after, **added))


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
