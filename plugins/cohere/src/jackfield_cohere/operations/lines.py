"""Streams of version 1, of chats and of plain texts: JSON lines, the last with the whole answer.

Source: https://docs.cohere.com/v1/reference/chat-stream and https://docs.cohere.com/v1/reference/generate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from jackfield import (
    Finish,
    FinishReason,
    LLMError,
    PartMetadata,
    StreamInterruptedError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from jackfield.exchange import Call, decode
from jackfield.failures import event_error
from jackfield.framing import Frame

from ..usage import FINISH_REASONS, parse_usage
from ..wire import normalized
from .shapes import ANSWER, LINE, PLAIN, Answer, Line, ToolUse

ABOUT = (
    *("response_id", "documents", "search_queries", "search_results", "is_search_required"),
    *("prompt", "likelihood"),
)
"""What an answer says beside its words, and is kept."""


@define
class LineParser:
    """Reads the lines of one answer; *name* is the provider's, for its metadata."""

    name: str
    error_codes: Mapping[str, type[LLMError]]
    finished: bool = False
    done: bool = False
    _id: str = ""
    _ends: dict[int, str | None] = field(factory=dict)
    _meta: dict[str, Any] | None = None
    _about: dict[str, Any] = field(factory=dict)
    _cited: list[Any] = field(factory=list)
    _calls: int = 0

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for _, frame in frames:
            # Through some gateways the lines come as events of a stream.
            if frame.startswith((b"event:", b"id:", b"retry:", b":")):
                continue
            data = frame.removeprefix(b"data:")
            line = decode(LINE, data)
            if line.event_type == "stream-error" or line.finish_reason == "ERROR":
                plain = decode(PLAIN, data)
                self._fail(plain)
            if not line.event_type and line.is_finished is None:
                self._no_line(data, out)
                return
            if line.event_type == "stream-start":
                self.begin(line.generation_id or "", out)
            elif line.is_finished or line.event_type == "stream-end":
                self._last(line, out)
                self.finished = self.done = True
                return
            else:
                self.add(line.text, line.index or 0, line.citations, line.tool_calls, out)

    def _no_line(self, data: bytes, out: list[Any]) -> None:
        """Read what is no event: a whole answer although a stream was asked for, or an error."""
        plain = decode(PLAIN, data)
        if "text" not in plain and "generations" not in plain:
            self._fail(plain)
        self.whole(decode(ANSWER, data), plain, out)
        self.finished = self.done = True

    def _fail(self, told: Mapping[str, Any]) -> None:
        """Raise what a line says is wrong."""
        inner = told.get("response")
        inner = inner if isinstance(inner, Mapping) else {}
        said = told.get("err") or told.get("error") or inner.get("error") or told.get("message")
        type_ = told.get("error_type", inner.get("error_type"))
        raise event_error(normalized({"error": said, "error_type": type_}), self.error_codes)

    def begin(self, id_: str, out: list[Any]) -> None:
        """Append the start."""
        self._id = id_
        out.append(StreamStart(id=id_))

    def add(
        self,
        text: str | None,
        choice: int,
        citations: Sequence[Any] | None,
        calls: Sequence[ToolUse] | None,
        out: list[Any],
    ) -> None:
        """Append more of answer *choice*."""
        if text:
            out.append(TextDelta(text, choice=choice))
        if citations:
            self._cited += citations
            out.append(PartMetadata({self.name: {"citations": list(self._cited)}}))
        for use in calls or ():
            self._calls += 1
            id_ = f"{self._id or 'call'}-{self._calls}"
            out.append(ToolCallDelta(self._calls, id_, use.name, bytes(use.parameters).decode()))

    def _last(self, line: Line, out: list[Any]) -> None:
        """Read the end: it tells the whole answer again."""
        body = bytes(line.response)
        answer = decode(ANSWER, body)
        if not self._id:
            self.begin(answer.generation_id or answer.id or "", out)
        plain = decode(PLAIN, body)
        self.end(answer, plain, line.finish_reason)
        calls = None if self._calls else answer.tool_calls
        self.add(None, 0, None if self._cited else answer.citations, calls, out)

    def whole(self, answer: Answer, told: Mapping[str, Any], out: list[Any]) -> None:
        """Append the events of a whole answer, or of several."""
        self.begin(answer.generation_id or answer.id or "", out)
        self.add(answer.text, 0, answer.citations, answer.tool_calls, out)
        for at, generation in enumerate(answer.generations or ()):
            choice = at if generation.index is None else generation.index
            self.add(generation.text, choice, None, None, out)
        self.end(answer, told, None)

    def end(self, answer: Answer, told: Mapping[str, Any], reason: str | None) -> None:
        """Note how the answer ended, and what was said about it."""
        if answer.finish_reason == "ERROR":
            self._fail(told)
        self._meta = answer.meta
        self._ends[0] = reason or answer.finish_reason
        for at, generation in enumerate(answer.generations or ()):
            choice = at if generation.index is None else generation.index
            self._ends[choice] = generation.finish_reason or self._ends.get(choice)
        self._about = {key: told[key] for key in ABOUT if told.get(key)}
        if answer.meta:
            self._about["meta"] = answer.meta

    def close(self, out: list[Any]) -> None:
        """Append a Finish for each answer."""
        for choice, reason in sorted(self._ends.items()):
            usual = FINISH_REASONS.get(reason or "", FinishReason.OTHER)
            called = self._calls and usual is FinishReason.STOP
            out.append(
                Finish(
                    finish_reason=FinishReason.TOOL_CALLS if called else usual,
                    raw_finish_reason=reason,
                    choice=choice,
                    usage=parse_usage(self._meta) if choice == 0 else None,
                    provider_metadata={self.name: self._about} if self._about else {},
                )
            )


def refuse_event(told: Mapping[str, Any]) -> None:
    """Raise if *told*, taken for a whole answer, is the first event of a stream that was cut."""
    if "event_type" in told or "is_finished" in told:
        raise StreamInterruptedError("the stream ended before its answer did")


def line_parser(call: Call[Any]) -> LineParser:
    """A parser for the answer to *call*."""
    return LineParser(call.provider.info.name, call.provider.error_codes)
