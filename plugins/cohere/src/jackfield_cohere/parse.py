"""From the API's answers to events and values.

A whole answer is read as a stream of its blocks, so that plain and streamed calls
cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define, field

from jackfield import (
    ChatResponse,
    Finish,
    FinishReason,
    LLMError,
    PartAdded,
    PartMetadata,
    ProviderPart,
    ReasoningDelta,
    ResponseFormatError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    fold,
)
from jackfield.exchange import Call, decode
from jackfield.failures import event_error, parse_failure
from jackfield.flow import HTTPResponse
from jackfield.framing import Frame

from .usage import FINISH_REASONS, parse_usage
from .wire import ANSWER, Answer, Content, Event, Message, ToolUse, normalized, read_event

PLAN: Mapping[str, Any] = {"type": "tool_plan"}
"""What the metadata of a plan says: reasoning that is no block of its own."""


@define
class MessageParser:
    """Reads the events of one answer; *name* is the provider's, for its metadata."""

    name: str
    error_codes: Mapping[str, type[LLMError]]
    finished: bool = False
    done: bool = False
    _stop: str | None = None
    _usage: dict[str, Any] | None = None
    _logprobs: list[Any] = field(factory=list)
    # The index of each part, in the order in which they come: ours for the wire's.
    _places: dict[tuple[str, int], int] = field(factory=dict)
    _cited: dict[tuple[str, int], list[Any]] = field(factory=dict)
    _loose: list[Any] = field(factory=list)
    _held: dict[int, str] = field(factory=dict)
    _novel: dict[int, dict[str, Any]] = field(factory=dict)

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for _, data in frames:
            event = read_event(data)
            message = None if event.delta is None else event.delta.message
            if event.index in self._novel and event.type in ("content-delta", "content-end"):
                self._grow(event, data, out)
            elif event.type == "content-delta" and message is not None:
                self._content(event.index, message.content, out)
                self._note_logprobs(event.logprobs)
            elif event.type == "message-end":
                self._ended(data, event)
                self.done = True
                return
            elif event.type not in ("", "error"):
                self._event(event, message, data, out)
            elif data.strip() != b"[DONE]":
                self._failed(event.type, msgspec.json.decode(data))

    def _event(self, event: Event, message: Message | None, data: bytes, out: list[Any]) -> None:
        """Read one event; one that is not known says nothing."""
        match event.type:
            case "message-start":
                out.append(StreamStart(id=event.id or ""))
                if message is not None:
                    self.whole(message, msgspec.json.decode(data)["delta"]["message"], out)
            case "tool-call-end":
                self._release(event.index, out)
            case "content-start" if message is not None and novel(message.content):
                self._novel[event.index] = _block(data)
            case _ if message is not None:
                self._content(event.index, message.content, out)
                self._plan(message.tool_plan, out)
                if isinstance(message.tool_calls, ToolUse):
                    self._tool(event.index, message.tool_calls, out)
                if isinstance(message.citations, dict):
                    self._citation(message.citations, out)

    def _grow(self, event: Event, data: bytes, out: list[Any]) -> None:
        """Add a piece to a block of a kind that is not known; at its end it comes whole."""
        if event.type == "content-end":
            part = ProviderPart(self.name, self._novel.pop(event.index))
            out.append(PartAdded(part, self._place("novel", event.index)))
            return
        block = self._novel[event.index]
        for key, value in _block(data).items():
            before = block.get(key)
            grows = isinstance(before, str) and isinstance(value, str) and key != "type"
            block[key] = before + value if grows else value

    def _failed(self, kind: str, told: Any) -> None:
        """Raise what has no type of ours and says that something is wrong."""
        if kind or parse_failure(told).message:
            raise event_error(normalized(told), self.error_codes)

    def _ended(self, data: bytes, event: Event) -> None:
        end = event.delta
        if end is not None:
            self.end(end.finish_reason, end.usage, msgspec.json.decode(data)["delta"])
        self.finished = True

    def end(self, reason: str | None, usage: dict[str, Any] | None, told: Any) -> None:
        """Note how the answer ended; *told* is everything that was told about its end.

        Raises:
            ProviderError: it failed.
        """
        self._usage = usage
        said = {name: told.get(name) for name in ("error", "error_type")}
        if reason == "ERROR" or said["error"]:
            raise event_error(normalized(said), self.error_codes)
        self._stop = reason

    def _note_logprobs(self, told: Any) -> None:
        if told:
            self._logprobs += told if isinstance(told, list) else [told]

    def _place(self, kind: str, index: int) -> int:
        return self._places.setdefault((kind, index), len(self._places))

    def _content(self, index: int, given: Any, out: list[Any]) -> None:
        """Read a block, or a piece of one."""
        if isinstance(given, str):
            given = Content(text=given)
        if isinstance(given, Content) and not novel(given):
            if given.thinking:
                out.append(ReasoningDelta(given.thinking, self._place("thinking", index)))
            if given.text:
                out.append(TextDelta(given.text, self._place("text", index)))

    def _plan(self, text: str | None, out: list[Any]) -> None:
        if text:
            own = None if ("plan", 0) in self._places else {self.name: dict(PLAN)}
            out.append(ReasoningDelta(text, self._place("plan", 0), provider_metadata=own))

    def _tool(self, index: int, told: ToolUse, out: list[Any]) -> None:
        """Read a call, or a piece of one. A model that gives no arguments may write ``null``."""
        place, function = self._place("tool", index), told.function
        name = (function.name if function else None) or ""
        if told.id or name:
            out.append(ToolCallDelta(place, told.id or "", name))
            self._held.setdefault(index, "")
        piece = (function.arguments if function else None) or ""
        if index in self._held:
            piece = self._held.pop(index) + piece
            if "null".startswith(piece.strip()):
                self._held[index] = piece
                return
        if piece:
            out.append(ToolCallDelta(place, arguments=piece))

    def _release(self, index: int, out: list[Any]) -> None:
        """End call *index*: what gave no arguments has an empty object of them."""
        if (held := self._held.pop(index, None)) is not None:
            text = "{}" if held.strip() in ("", "null") else held
            out.append(ToolCallDelta(self._place("tool", index), arguments=text))

    def _citation(self, citation: dict[str, Any], out: list[Any]) -> None:
        """Put *citation* onto its part; one whose part is not known stays with the answer."""
        kinds = {"THINKING_CONTENT": "thinking", "PLAN": "plan"}
        kind = kinds.get(str(citation.get("type")), "text")
        index = citation.get("content_index")
        known = [key for key in self._places if key[0] == kind]
        key = known[0] if known else None
        if kind != "plan" and isinstance(index, int):
            key = (kind, index)
        if key is None or key not in self._places:
            self._loose.append(citation)
            return
        cited = self._cited.setdefault(key, [])
        cited.append(citation)
        own = {"citations": list(cited), **(PLAN if kind == "plan" else {})}
        metadata, place = {self.name: own}, self._places[key]
        if kind == "text":
            out.append(PartMetadata(metadata, place))
        else:
            out.append(ReasoningDelta("", place, provider_metadata=metadata))

    def whole(self, message: Message, told: Any, out: list[Any]) -> None:
        """Append the events of a whole message; *told* is all of it."""
        self._plan(message.tool_plan, out)
        for index, block in enumerate(_several(message.content)):
            if novel(block):
                part = ProviderPart(self.name, told["content"][index])
                out.append(PartAdded(part, self._place("novel", index)))
            self._content(index, block, out)
        for index, use in enumerate(_several(message.tool_calls)):
            self._tool(index, use, out)
            self._release(index, out)
        for citation in _several(message.citations):
            self._citation(citation, out)

    def answer(self, answer: Answer, message: Message, told: Any, out: list[Any]) -> None:
        """Append the events of a whole answer; *told* is all of it."""
        out.append(StreamStart(id=answer.id))
        self.whole(message, told["message"], out)
        self._note_logprobs(answer.logprobs)

    def close(self, out: list[Any]) -> None:
        """Append what is due at the end: arguments that are held, and the Finish."""
        for index in sorted(self._held):
            self._release(index, out)
        for index in sorted(self._novel):
            part = ProviderPart(self.name, self._novel[index])
            out.append(PartAdded(part, self._place("novel", index)))
        about: dict[str, Any] = {}
        if self._logprobs:
            about["logprobs"] = self._logprobs
        if self._loose:
            about["citations"] = self._loose
        out.append(
            Finish(
                finish_reason=FINISH_REASONS.get(self._stop or "", FinishReason.OTHER),
                raw_finish_reason=self._stop,
                usage=parse_usage(self._usage),
                provider_metadata={self.name: about} if about else {},
            )
        )


def novel(block: Any) -> bool:
    """Whether *block* is of a kind that is not known yet: it is kept whole."""
    return isinstance(block, Content) and block.type not in ("", "text", "thinking")


def _block(data: bytes) -> dict[str, Any]:
    """The block, or the piece of one, in an event."""
    found: dict[str, Any] = msgspec.json.decode(data)["delta"]["message"]["content"]
    return found


def _several(given: Any) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def message_parser(call: Call[Any]) -> MessageParser:
    """A parser for the answer to *call*."""
    return MessageParser(call.provider.info.name, call.provider.error_codes)


def parse_chat(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    answer = decode(ANSWER, response.body)
    if answer.message is None:
        raise ResponseFormatError("the answer has no message (at $.message)")
    parser, out = message_parser(call), list[Any]()
    told = msgspec.json.decode(response.body)
    parser.answer(answer, answer.message, told, out)
    parser.end(answer.finish_reason, answer.usage, told)
    parser.close(out)
    return fold(out)
