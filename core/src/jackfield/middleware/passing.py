"""Streams inside guardrails: held back until they are whole, or guarded as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from ..events import (
    Finish,
    PartAdded,
    PartMetadata,
    ReasoningDelta,
    RefusalDelta,
    ResponseBuilder,
    StreamEvent,
    StreamRestart,
    TextDelta,
    ToolCallDelta,
    replay,
)
from ..flow import Flow, tap
from ..types import ChatResponse, TextPart
from .guards import Feeder, map_texts, refusal

Check = Callable[[ChatResponse], ChatResponse]
"""Has a whole answer pass the guards."""

_TEXTS: Mapping[type[Any], str] = {
    TextDelta: "text",
    ReasoningDelta: "text",
    RefusalDelta: "text",
    ToolCallDelta: "arguments",
}
_Part = tuple[type[Any], int, int]


def held(flow: Flow[ChatResponse], check: Check) -> Flow[ChatResponse]:
    """*flow* whose events come when the whole answer has passed *check*, all at once."""
    streamed = False

    def hold(_: list[StreamEvent]) -> list[StreamEvent]:
        nonlocal streamed
        streamed = True
        return []

    response = check((yield from tap(flow, change=partial(_changed, hold))))
    if streamed:
        yield replay(response)
    return response


def live(flow: Flow[ChatResponse], passing: Passing, check: Check) -> Flow[ChatResponse]:
    """*flow* whose events come as *passing* lets them; an answer without events passes *check*."""
    response = yield from tap(flow, change=partial(_changed, passing.take))
    if not passing.streamed:
        return check(response)
    if rest := passing.end():
        yield rest
    return passing.built.build()


def _changed(change: Callable[[list[Any]], list[Any]], step: Any) -> Any:
    """*step*; of events what *change* makes of them, and None where nothing is left."""
    return (change(step) or None) if type(step) is list else step


class Passing:
    """One stream that is guarded as it comes; *begin* makes its feeders, and new ones at a restart.

    `built` folds what was released. What the provider says beside the texts may
    quote them: it goes where they had to be changed.
    """

    def __init__(self, begin: Callable[[], Sequence[Feeder]]) -> None:
        self._begin = begin
        self.built = ResponseBuilder()
        self.streamed = False
        self._reset()

    def _reset(self) -> None:
        self._feeders = self._begin()
        self._open: dict[_Part, None] = {}
        self._over: set[_Part] = set()
        self._late: list[PartMetadata] = []
        self._given: dict[_Part, list[str]] = {}
        self._passed: dict[_Part, list[str]] = {}

    def take(self, events: list[StreamEvent]) -> list[StreamEvent]:
        """What may be released of *events*, and of what was kept back before."""
        self.streamed = True
        return self._built([passed for event in events for passed in self._take(event)])

    def end(self) -> list[StreamEvent]:
        """What is kept back when the stream has ended."""
        return self._built(self._ended(list(self._open)))

    def _built(self, events: list[StreamEvent]) -> list[StreamEvent]:
        self.built.extend(events)
        return events

    def _take(self, event: Any) -> list[StreamEvent]:
        kind = type(event)
        if kind in _TEXTS:
            return self._text(event, (kind, event.choice, event.index), _TEXTS[kind])
        if kind is PartMetadata:
            self._late.append(event)
            return []
        if kind is PartAdded:
            before = self._texts(event.choice) if isinstance(event.part, TextPart) else []
            return [*before, msgspec.structs.replace(event, part=self._whole(event.part))]
        if kind is Finish:
            return self._finished(event)
        if kind is StreamRestart:
            self._reset()
        return [event]

    def _text(self, event: Any, part: _Part, name: str) -> list[StreamEvent]:
        kind, choice, _ = part
        before: list[StreamEvent] = []
        if part in self._over:  # its end has been handed out: a match could hide in the seam
            raise refusal("parts of the answer that come interleaved")
        if first := part not in self._open:
            before = self._texts(choice) if kind is TextDelta else []
            self._open[part] = None
        text = getattr(event, name)
        self._given.setdefault(part, []).append(text)
        for feeder in self._feeders:
            text = feeder.feed(text, part)
        self._passed.setdefault(part, []).append(text)
        changed: dict[str, Any] = {name: text}
        if told := getattr(event, "provider_metadata", None):
            changed["provider_metadata"] = self._whole(told)
        bare = not (text or first) and kind in {
            TextDelta,
            RefusalDelta,
        }  # the first gives its order
        return before if bare else [*before, msgspec.structs.replace(event, **changed)]

    def _texts(self, choice: int) -> list[StreamEvent]:
        """The end of the texts so far: what is read must come in its order."""
        return self._ended([p for p in self._open if p[:2] == (TextDelta, choice)])

    def _ended(self, parts: list[_Part]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for part in parts:
            kind, choice, index = part
            del self._open[part]
            self._over.add(part)
            text = ""
            for feeder in self._feeders:
                text = feeder.feed(text, part) + feeder.end(part)
            self._passed[part].append(text)
            if text:
                events.append(kind(**{_TEXTS[kind]: text}, index=index, choice=choice))
        return events

    def _finished(self, event: Finish) -> list[StreamEvent]:
        events = self._ended([p for p in self._open if p[1] == event.choice])
        mine = [p for p in self._given if p[1] == event.choice]
        late = [e for e in self._late if e.choice == event.choice]
        if any("".join(self._given[p]) != "".join(self._passed[p]) for p in mine):
            return [*events, msgspec.structs.replace(event, provider_metadata={})]
        for told in late:
            metadata = self._whole(told.provider_metadata)
            events.append(msgspec.structs.replace(told, provider_metadata=metadata))
        metadata = self._whole(event.provider_metadata)
        return [*events, msgspec.structs.replace(event, provider_metadata=metadata)]

    def _whole(self, value: Any) -> Any:
        """*value*, which came whole, as it may be released."""
        return map_texts(value, self._at_once)

    def _at_once(self, text: str) -> str:
        part = object()
        for feeder in self._feeders:
            text = feeder.feed(text, part) + feeder.end(part)
        return text
