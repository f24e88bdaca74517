"""From the Messages API's answers to events and values.

A whole answer is read as a stream of its blocks, so that plain and streamed calls
cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define, field

from jackfield import (
    CallWarning,
    ChatResponse,
    Finish,
    FinishReason,
    LLMError,
    PartAdded,
    PartMetadata,
    ReasoningDelta,
    ResponseFormatError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    fold,
)
from jackfield.exchange import Call, decode
from jackfield.failures import event_error
from jackfield.flow import HTTPResponse
from jackfield.framing import Frame

from .blocks import BLOCKS, KIND, WholeBlock
from .usage import EMPTY, FINISH_REASONS, parse_usage
from .wire import MESSAGE, Delta, Event, Message, read_event

_ABOUT = (
    *("stop_sequence", "stop_details", "container"),
    *("context_management", "diagnostics", "input_transformations"),
)


@define
class MessageParser:
    """Reads the events of one answer.

    *name* is the provider's, for its metadata; *answer_tool* names the tool whose
    input is the answer's text, where a format was asked for that way.
    """

    name: str
    error_codes: Mapping[str, type[LLMError]]
    answer_tool: str | None = None
    finished: bool = False
    done: bool = False
    _stop: str | None = None
    _usage: dict[str, Any] = field(factory=dict)
    _about: dict[str, Any] = field(factory=dict)
    # Blocks that are not closed: a tool's input should no piece of it come, or a whole block.
    _open: dict[int, str | WholeBlock] = field(factory=dict)
    _citations: dict[int, list[Any]] = field(factory=dict)
    _answers: set[int] = field(factory=set)
    _called: bool = False

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for name, data in frames:
            if name == b"error":
                raise self._failure(data)
            event = read_event(data)
            delta = event.delta
            if event.type == "content_block_delta" and delta is not None:
                if delta.type == "text_delta" and not self._open:
                    out.append(TextDelta(delta.text, event.index))
                else:
                    self._delta(event.index, delta, data, out)
            elif event.type == "message_stop":
                self.done = True
                return
            elif event.type == "error" or event.error is not None:
                raise self._failure(data)
            else:
                self._event(event, out)

    def _failure(self, data: bytes) -> LLMError:
        """The typed error for an error event; what is no JSON is its message."""
        try:
            body = msgspec.json.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            body = data[:200].decode("utf-8", "replace")
        return event_error(body, self.error_codes)

    def _event(self, event: Event, out: list[Any]) -> None:
        """Read what comes once a block or message; an unknown event (or ping) says nothing."""
        match event.type:
            case "message_start" if event.message is not None:
                self._note_usage(event.message.usage)
                self._note_about(event.message)
                out.append(self._started(event.message))
            case "content_block_start":
                self.open(event.index, event.content_block, out)
            case "content_block_stop":
                self.shut(event.index, out)
            case "message_delta":
                self._note_usage(event.usage)
                self._note_about(event)
                if event.delta is not None:
                    self._ended(event.delta)

    def _started(self, message: Message) -> StreamStart:
        usage = parse_usage(self._usage) if self._usage else None
        return StreamStart(id=message.id, model=message.model, usage=usage)

    def _note_usage(self, usage: Mapping[str, Any] | None) -> None:
        """Later counts are cumulative: they replace earlier ones."""
        self._usage.update({k: v for k, v in (usage or EMPTY).items() if v is not None})

    def _note_about(self, told: Event | Delta | Message) -> None:
        for name in _ABOUT:
            if (value := getattr(told, name, None)) is not None:
                self._about[name] = value

    def _ended(self, end: Delta | Message) -> None:
        self._note_about(end)
        if end.stop_reason is not None:
            self._stop = end.stop_reason
            self.finished = True

    def open(self, index: int, raw: msgspec.Raw, out: list[Any]) -> None:
        """Begin block *index*; a whole one may be closed at once."""
        data = bytes(raw)
        kind = decode(KIND, data).type
        decoder = BLOCKS.get(kind)
        if decoder is None:
            self._open[index] = WholeBlock(msgspec.json.decode(data))
            return
        block = decode(decoder, data)
        match kind:
            case "text":
                if block.text:
                    out.append(TextDelta(block.text, index))
                out.extend(self._cited(index, citation) for citation in block.citations or ())
            case "thinking":
                if block.thinking or block.signature:
                    signature = block.signature or None
                    out.append(ReasoningDelta(block.thinking, index, signature=signature))
            case "redacted_thinking":
                out.append(ReasoningDelta("", index, redacted=block.data))
            case "tool_use":
                self._open[index] = bytes(block.input).decode()
                if block.name == self.answer_tool:
                    self._answers.add(index)
                    return
                self._called = True
                direct = (block.caller or EMPTY).get("type", "direct") == "direct"
                about = None if direct else {self.name: {"caller": block.caller}}
                out.append(ToolCallDelta(index, block.id, block.name, provider_metadata=about))

    def _cited(self, index: int, citation: Any) -> PartMetadata:
        cited = self._citations.setdefault(index, [])
        cited.append(citation)
        return PartMetadata({self.name: {"citations": list(cited)}}, index)

    def _delta(self, index: int, delta: Delta, data: bytes, out: list[Any]) -> None:
        """Read a piece of a block."""
        opened = self._open.get(index)
        if isinstance(opened, WholeBlock):
            opened.add(msgspec.json.decode(data)["delta"])
            return
        match delta.type:
            case "text_delta":
                out.append(TextDelta(delta.text, index))
            case "thinking_delta":
                out.append(ReasoningDelta(delta.thinking, index))
            case "signature_delta":
                out.append(ReasoningDelta("", index, signature=delta.signature or None))
            case "citations_delta":
                out.append(self._cited(index, delta.citation))
            case "input_json_delta" if delta.partial_json:
                self._open[index] = ""
                out.append(self._input(index, delta.partial_json))

    def _input(self, index: int, piece: str) -> TextDelta | ToolCallDelta:
        if index in self._answers:
            return TextDelta(piece, index)
        return ToolCallDelta(index, arguments=piece)

    def shut(self, index: int, out: list[Any]) -> None:
        """End block *index*."""
        opened = self._open.pop(index, "")
        if isinstance(opened, WholeBlock):
            out.append(PartAdded(opened.build(self.name), index))
        elif opened:
            out.append(self._input(index, opened))

    def whole(self, message: Message, out: list[Any]) -> None:
        """Append the events of a whole answer."""
        self._note_usage(message.usage)
        out.append(self._started(message))
        for index, raw in enumerate(message.content or ()):
            self.open(index, raw, out)
            self.shut(index, out)
        self._ended(message)

    def close(self, out: list[Any]) -> None:
        """Append what is due at the end: blocks that nobody closed, and the Finish."""
        for index in sorted(self._open):
            self.shut(index, out)
        reason = FINISH_REASONS.get(self._stop or "", FinishReason.OTHER)
        warnings: tuple[CallWarning, ...] = ()
        if self.answer_tool and not self._called:
            if self._answers and reason is FinishReason.TOOL_CALLS:
                reason = FinishReason.STOP
            if not self._answers:
                told = "the model answered in words of its own"
                warnings = (CallWarning("dropped", "response_format", told),)
        out.append(
            Finish(
                finish_reason=reason,
                raw_finish_reason=self._stop,
                usage=parse_usage(self._usage),
                warnings=warnings,
                provider_metadata={self.name: self._about} if self._about else {},
            )
        )


def message_parser(call: Call[Any]) -> MessageParser:
    """A parser for the answer to *call*."""
    provider = call.provider
    return MessageParser(provider.info.name, provider.error_codes, call.memo.get("answer_tool"))


def parse_chat(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    message = decode(MESSAGE, response.body)
    if message.error is not None:
        raise call.provider.make_error(response)
    if message.content is None:
        raise ResponseFormatError("the answer has no content (at $.content)")
    parser, out = message_parser(call), list[Any]()
    parser.whole(message, out)
    parser.close(out)
    return fold(out)
