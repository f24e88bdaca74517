"""Stream events, the fold that turns them into a response, and its inverse, `replay`.

Events are msgspec Structs and not attrs classes: a long answer makes thousands
of them, and a Struct costs a quarter (see docs/why/msgspec-wire-shapes.md).
``str(event)`` is the event's visible text, or ``""``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve
from msgspec import Struct

from .types import (
    Alternative,
    CallWarning,
    ChatResponse,
    ContentPart,
    Cost,
    FinishReason,
    Json,
    Message,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
    Usage,
)


class StreamEvent(Struct, frozen=True):
    """Base of all stream events."""

    def __str__(self) -> str:
        return ""


class StreamStart(StreamEvent, frozen=True, kw_only=True):
    """The provider accepted the request; *usage* is what it already knows.

    A further one corrects what the first said: which model answers, say.
    """

    id: str = ""
    model: str = ""
    usage: Usage | None = None
    warnings: tuple[CallWarning, ...] = ()


class TextDelta(StreamEvent, frozen=True):
    """More of the text part *index* of answer *choice*."""

    text: str
    index: int = 0
    choice: int = 0

    def __str__(self) -> str:
        return self.text if self.choice == 0 else ""


class ReasoningDelta(StreamEvent, frozen=True):
    """More thinking; *signature* and *redacted* come whole."""

    text: str = ""
    index: int = 0
    choice: int = 0
    signature: str | None = None
    redacted: str | None = None
    provider_metadata: Mapping[str, Any] | None = None


class RefusalDelta(StreamEvent, frozen=True):
    """More of the model's words for declining."""

    text: str
    index: int = 0
    choice: int = 0


class ToolCallDelta(StreamEvent, frozen=True):
    """More of tool call *index*: its id and name once, its arguments in pieces."""

    index: int = 0
    id: str = ""
    name: str = ""
    arguments: str = ""
    choice: int = 0
    provider_metadata: Mapping[str, Any] | None = None


class PartAdded(StreamEvent, frozen=True):
    """A part that arrives whole: media, a provider's own block, an annotated text."""

    part: ContentPart
    index: int = 0
    choice: int = 0

    def __str__(self) -> str:
        visible = isinstance(self.part, TextPart) and self.choice == 0
        return self.part.text if visible else ""  # type: ignore[union-attr]  # just checked


class PartMetadata(StreamEvent, frozen=True):
    """What a provider says late about the text part *index*: citations, annotations."""

    provider_metadata: Mapping[str, Any]
    index: int = 0
    choice: int = 0


class StreamRestart(StreamEvent, frozen=True, kw_only=True):
    """The answer so far is void, and begins anew: a route's next target answers.

    *reason* says what broke, *provider* and *model* where.
    """

    reason: str = ""
    provider: str = ""
    model: str = ""


class Finish(StreamEvent, frozen=True, kw_only=True):
    """The end of answer *choice*; usage, cost and metadata come with choice 0."""

    finish_reason: FinishReason = FinishReason.OTHER
    raw_finish_reason: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    warnings: tuple[CallWarning, ...] = ()
    provider_metadata: Mapping[str, Any] = {}
    choice: int = 0


class _Draft:
    """A part under construction."""

    __slots__ = ("metadata", "part", "pieces")

    def __init__(self, part: ContentPart) -> None:
        self.part = part
        self.pieces: list[str] = []
        self.metadata: dict[str, Any] = {}

    def build(self) -> ContentPart:
        extra: dict[str, Any] = {}
        if self.metadata:
            extra["provider_metadata"] = {**self.part.provider_metadata, **self.metadata}  # type: ignore[union-attr]  # only parts with metadata get some
        if isinstance(self.part, ToolCall):
            return evolve(self.part, arguments="".join(self.pieces), **extra)
        if self.pieces:
            return evolve(self.part, text="".join(self.pieces), **extra)  # type: ignore[arg-type]  # text-like parts only
        return evolve(self.part, **extra) if extra else self.part


_EMPTY: Mapping[type[StreamEvent], ContentPart] = {
    TextDelta: TextPart(""),
    PartMetadata: TextPart(""),
    ReasoningDelta: ReasoningPart(""),
    RefusalDelta: RefusalPart(""),
    ToolCallDelta: ToolCall("", "", ""),
}


class ResponseBuilder:
    """Folds events, batch by batch, into the response that they amount to."""

    def __init__(self) -> None:
        self._start = StreamStart()
        self._finish: dict[int, Finish] = {}
        self._drafts: dict[tuple[int, type[Any], int], _Draft] = {}

    @property
    def model(self) -> str:
        """The model that the stream's start named."""
        return self._start.model

    def extend(self, events: Iterable[StreamEvent]) -> None:
        """Add *events* in their order."""
        for event in events:
            kind = type(event)
            if kind is TextDelta:
                key = (event.choice, TextPart, event.index)  # type: ignore[attr-defined]  # a TextDelta
                draft = self._drafts.get(key)
                if draft is None:
                    draft = self._drafts[key] = _Draft(_EMPTY[kind])
                draft.pieces.append(event.text)  # type: ignore[attr-defined]  # a TextDelta
            else:
                self._add(event)

    def _add(self, event: StreamEvent) -> None:
        match event:
            case StreamStart():
                before = self._start
                self._start = StreamStart(
                    id=event.id or before.id,
                    model=event.model or before.model,
                    usage=event.usage or before.usage,
                    warnings=before.warnings + event.warnings,
                )
            case StreamRestart():
                self._start = StreamStart()
                self._finish.clear()
                self._drafts.clear()
            case Finish():
                self._finish[event.choice] = event
            case PartAdded(part, index, choice):
                self._drafts[choice, type(part), index] = _Draft(part)
            case PartMetadata():
                self._draft(event).metadata.update(event.provider_metadata)
            case RefusalDelta():
                self._draft(event).pieces.append(event.text)
            case ReasoningDelta():
                self._reason(self._draft(event), event)
            case ToolCallDelta():
                draft = self._draft(event)
                call = draft.part
                assert isinstance(call, ToolCall)
                if (event.id and not call.id) or (event.name and not call.name):
                    draft.part = evolve(call, id=call.id or event.id, name=call.name or event.name)
                draft.pieces.append(event.arguments)
                draft.metadata.update(event.provider_metadata or {})

    @staticmethod
    def _reason(draft: _Draft, event: ReasoningDelta) -> None:
        thought = draft.part
        assert isinstance(thought, ReasoningPart)
        if event.signature is not None or event.redacted is not None:
            draft.part = evolve(
                thought,
                signature=thought.signature if event.signature is None else event.signature,
                redacted=thought.redacted if event.redacted is None else event.redacted,
            )
        draft.pieces.append(event.text)
        draft.metadata.update(event.provider_metadata or {})

    def _draft(self, event: Any) -> _Draft:
        empty = _EMPTY[type(event)]
        key = (event.choice, type(empty), event.index)
        draft = self._drafts.get(key)
        if draft is None:
            draft = self._drafts[key] = _Draft(empty)
        return draft

    def _message(self, choice: int) -> Message:
        return Message(
            Role.ASSISTANT, tuple(d.build() for k, d in self._drafts.items() if k[0] == choice)
        )

    def build(self) -> ChatResponse:
        """The response so far; partial if the stream has not finished."""
        end = self._finish.get(0) or Finish(usage=self._start.usage)
        others = sorted(({k[0] for k in self._drafts} | self._finish.keys()) - {0})
        return ChatResponse(
            id=self._start.id,
            model=self._start.model,
            message=self._message(0),
            finish_reason=end.finish_reason,
            raw_finish_reason=end.raw_finish_reason,
            usage=end.usage or self._start.usage or Usage(),
            cost=end.cost or Cost(),
            warnings=self._start.warnings + end.warnings,
            alternatives=tuple(self._alternative(n) for n in others),
            provider_metadata=end.provider_metadata,
        )

    def _alternative(self, choice: int) -> Alternative:
        end = self._finish.get(choice) or Finish()
        return Alternative(
            message=self._message(choice),
            finish_reason=end.finish_reason,
            raw_finish_reason=end.raw_finish_reason,
        )


def fold(events: Iterable[StreamEvent]) -> ChatResponse:
    """The response that *events* amount to."""
    builder = ResponseBuilder()
    builder.extend(events)
    return builder.build()


def replay(response: ChatResponse) -> list[StreamEvent]:
    """Events that fold into *response*: what a cache or a plain answer streams."""
    events: list[StreamEvent] = [
        StreamStart(id=response.id, model=response.model, warnings=response.warnings)
    ]
    answers = [(response.message, response.finish_reason, response.raw_finish_reason)]
    answers += [(a.message, a.finish_reason, a.raw_finish_reason) for a in response.alternatives]
    for choice, (message, reason, raw) in enumerate(answers):
        events += [_whole(p, i, choice) for i, p in enumerate(message.content)]
        first: Json = (
            {
                "usage": response.usage,
                "cost": response.cost,
                "provider_metadata": response.provider_metadata,
            }
            if choice == 0
            else {}
        )
        events.append(Finish(finish_reason=reason, raw_finish_reason=raw, choice=choice, **first))
    return events


def _whole(part: ContentPart, index: int, choice: int) -> StreamEvent:
    match part:
        case TextPart(text, provider_metadata=metadata) if text and not metadata:
            return TextDelta(text, index, choice)
        case ToolCall(id, name, arguments, provider_metadata=metadata):
            return ToolCallDelta(index, id, name, arguments, choice, metadata or None)
        case _:
            return PartAdded(part, index, choice)
