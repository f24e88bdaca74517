"""Stream events as the dialect's ``chat.completion.chunk``s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field

from jackfield import (
    CallWarning,
    Finish,
    FinishReason,
    MediaPart,
    PartAdded,
    ReasoningDelta,
    ReasoningPart,
    RefusalDelta,
    RefusalPart,
    ResponseBuilder,
    StreamEvent,
    StreamInterruptedError,
    StreamRestart,
    StreamStart,
    TextDelta,
    TextPart,
    ToolCall,
    ToolCallDelta,
)

from .answers import render_extras, render_finish, render_logprobs, render_usage, render_warnings
from .history import PARTS
from .messages import flattened, plain_message, render_image, render_sound, what_is_beside


@define(kw_only=True)
class ChunkRenderer:
    """Writes the events of one stream, made at the Unix time *created*.

    *id* and *model* are told if the answer's provider tells none. With *include_usage* the last
    chunk has the usage and no choices. *warnings* are told with the first chunk.
    """

    created: int
    id: str = ""
    model: str = ""
    include_usage: bool = False
    warnings: tuple[CallWarning, ...] = ()
    _built: dict[int, ResponseBuilder] = field(factory=dict)
    _calls: dict[int, dict[int, _Call]] = field(factory=dict)
    _begun: set[int] = field(factory=set)
    _said: bool = False
    _metadata: Mapping[str, Any] = field(factory=dict)

    def render(self, events: Iterable[StreamEvent]) -> list[dict[str, Any]]:
        """The chunks for *events*.

        Raises:
            StreamInterruptedError: the model failed, or what was told so far is void:
                the dialect can say neither.
        """
        chunks: list[dict[str, Any]] = []
        for event in events:
            choice: int = getattr(event, "choice", 0)
            self._built.setdefault(choice, ResponseBuilder()).extend((event,))
            match event:
                case StreamStart():
                    self.id, self.model = event.id or self.id, event.model or self.model
                    self.warnings += event.warnings
                    self._begin(0, chunks)
                case StreamRestart():
                    self._restart(event)
                case Finish():
                    self._begin(choice, chunks)
                    chunks.append(self._finish(event))
                case _:
                    if delta := self._delta(event):
                        self._begin(choice, chunks)
                        self._said = True
                        chunks.append(self._chunk(choice, delta))
        return chunks

    def close(self) -> list[dict[str, Any]]:
        """The chunks that are due at the end of a whole stream."""
        response = self._built.get(0, ResponseBuilder()).build()
        usage, told = render_usage(response.usage, response.cost)
        if not (self.include_usage and usage):
            return []
        return [{**self._head(), "choices": [], "usage": usage, **render_warnings(told)}]

    def _head(self) -> dict[str, Any]:
        head = {"id": self.id, "object": "chat.completion.chunk", "created": self.created}
        told, self.warnings = render_warnings(self.warnings), ()
        extras = {"usage": None} if self.include_usage else {}
        return {**head, "model": self.model, **extras, **told, **render_extras(self._metadata)}

    def _chunk(
        self, choice: int, delta: Mapping[str, Any], finish: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        ended = finish or {"finish_reason": None}
        return {**self._head(), "choices": [{"index": choice, "delta": delta, **ended}]}

    def _begin(self, choice: int, chunks: list[dict[str, Any]]) -> None:
        """The chunk that begins an answer, before its first other one."""
        if choice not in self._begun:
            self._begun.add(choice)
            chunks.append(self._chunk(choice, {"role": "assistant", "content": ""}))

    def _restart(self, event: StreamRestart) -> None:
        """Begin anew, if nothing was said yet."""
        if self._said:
            message = (
                f"the stream began anew after {event.reason or 'a break'}, which OpenAI's chunks "
                "cannot say: let the route's stream be before_first_token"
            )
            raise StreamInterruptedError(message, provider=event.provider, model=event.model)
        self._calls.clear()
        self._built.clear()

    def _delta(self, event: Any) -> dict[str, Any]:
        """What *event* adds to an answer; empty if the dialect has no form for it."""
        match event:
            case TextDelta(text) | PartAdded(TextPart(text)) if text:
                return {"content": text}
            case ReasoningDelta(text) | PartAdded(ReasoningPart(text)) if text:
                return {"reasoning_content": text}
            case RefusalDelta(text) | PartAdded(RefusalPart(text)) if text:
                return {"refusal": text}
            case ToolCallDelta(index, id, name, arguments, choice):
                return self._call(choice, index, id, name, arguments)
            case PartAdded(ToolCall(id, name, arguments), index, choice):
                return self._call(choice, index, id, name, arguments)
            case PartAdded(MediaPart() as part):
                sound, images = render_sound(part), render_image(part)
                return {"audio": sound} if sound else {"images": images} if images else {}
        return {}

    def _call(self, choice: int, index: int, id: str, name: str, arguments: str) -> dict[str, Any]:  # noqa: A002  # the dialect's word
        """A piece of a call: its id and name are told once, numbered by their first piece."""
        known = self._calls.setdefault(choice, {})
        call = known.setdefault(index, _Call(len(known)))
        function = {"name": name} if name and not call.named else {}
        told = {"id": id, "type": "function"} if id and not call.known else {}
        call.named, call.known = call.named or bool(function), call.known or bool(told)
        return {
            "tool_calls": [
                {"index": call.at, **told, "function": {**function, "arguments": arguments}}
            ]
        }

    def _finish(self, event: Finish) -> dict[str, Any]:
        """The chunk that ends an answer, with what of it no delta could say."""
        choice, raw = event.choice, event.raw_finish_reason
        whole = self._built[choice].build()
        if event.finish_reason is FinishReason.ERROR:
            message = f"the model failed: the provider ended its answer with an error ({raw})"
            broken = StreamInterruptedError(message, status=502, code=raw, maybe_executed=True)
            broken.partial = whole
            raise broken
        self.warnings += event.warnings
        if choice == 0:
            self._metadata = flattened(event.provider_metadata)
        said = whole.alternatives[0].message if choice else whole.message
        wire = plain_message(said.content)
        delta = {"annotations": wire["annotations"]} if "annotations" in wire else {}
        if beside := what_is_beside(wire, said):
            delta[PARTS] = beside
        logprobs = render_logprobs(self._metadata.get("logprobs"), choice)
        called = bool(said.tool_calls)
        finish = render_finish(event.finish_reason, raw, called=called)
        return self._chunk(
            choice, delta, {**({"logprobs": logprobs} if logprobs else {}), **finish}
        )


@define
class _Call:
    """A call that was begun: its number, and whether its id and name were told."""

    at: int
    known: bool = False
    named: bool = False
