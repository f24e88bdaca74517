"""From Ollama's chat answers to events and values.

A whole answer is read as a stream of one line, so that plain and streamed calls
cannot disagree. A stream is whole with ``"done": true`` and with nothing else.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from hashlib import blake2s
from typing import Any, ClassVar

import msgspec
from attrs import define, field
from msgspec import Raw

from jackfield import (
    ChatResponse,
    Finish,
    FinishReason,
    LLMError,
    MediaPart,
    PartAdded,
    ReasoningDelta,
    ResponseFormatError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    Usage,
    fold,
)
from jackfield.attachments import sniff
from jackfield.exchange import Call, decode
from jackfield.flow import HTTPResponse
from jackfield.framing import Frame

from .refusals import refused
from .wire import CHAT, ChatLine, MessageWire

FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
}
"""``load`` and ``unload`` are no ends of an answer: they stay `FinishReason.OTHER`."""

_COUNTS = ("prompt_eval_count", "eval_count")
_ABOUT = (
    *("created_at", "total_duration", "load_duration", "prompt_eval_duration", "eval_duration"),
    *("remote_model", "remote_host"),
)


def parse_usage(line: ChatLine) -> Usage:
    """The counts of *line*; a server that reuses a whole prompt may report none for it."""
    return Usage(
        input_tokens=line.prompt_eval_count,
        output_tokens=line.eval_count,
        raw=_given(line, _COUNTS),
    )


def _given(line: ChatLine, names: Any) -> dict[str, Any]:
    return {n: value for n in names if (value := getattr(line, n)) is not None}


def arguments_text(wire: Raw) -> str:
    """A call's arguments as JSON text; some servers send that text in a string."""
    text = bytes(wire).decode()
    if text.startswith('"'):
        text = str(msgspec.json.decode(text))
    return "{}" if text.strip() in ("", "null") else text


@define
class ChatParser:
    """Reads the lines of one answer; *name* is the provider's, for its metadata."""

    decoder: ClassVar[msgspec.json.Decoder[Any]] = CHAT
    about: ClassVar[tuple[str, ...]] = _ABOUT

    name: str
    error_codes: Mapping[str, type[LLMError]]
    finished: bool = False
    done: bool = False
    _started: bool = False
    _end: ChatLine = field(factory=ChatLine)
    _ids: list[str] = field(factory=list)
    _images: int = 0
    _logprobs: list[Any] = field(factory=list)

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for _, data in frames:
            self.line(self.read(data), out)
            if self.done:
                return

    def read(self, data: bytes) -> ChatLine:
        """The line in *data*; an error in it is raised."""
        line: ChatLine = decode(self.decoder, data)
        if line.error:
            raise refused(data, self.error_codes)
        return line

    def line(self, line: ChatLine, out: list[Any]) -> None:
        """Append the events of one *line*."""
        if not self._started:
            self._started = True
            out.append(StreamStart(model=line.model or ""))
        message = line.message
        if message is not None:
            if message.thinking:
                out.append(ReasoningDelta(message.thinking))
            if message.content:
                out.append(TextDelta(message.content))
            if message.tool_calls or message.images:
                self._whole_parts(message, line, out)
        if line.logprobs:
            self._logprobs += line.logprobs
        if line.done:
            self._end = line
            self.finished = self.done = True

    def _whole_parts(self, message: MessageWire, line: ChatLine, out: list[Any]) -> None:
        for call in message.tool_calls or ():
            index, name = len(self._ids), call.function.name
            arguments = arguments_text(call.function.arguments)
            given = call.id
            if not given or given in self._ids:
                # The same answer gets the same id, and two answers of one conversation do not.
                seed = f"{line.created_at}\n{index}\n{name}\n{arguments}"
                given = f"call_{blake2s(seed.encode(), digest_size=8).hexdigest()}"
            self._ids.append(given)
            out.append(ToolCallDelta(index, given, name, arguments))
        for image in message.images or ():
            data = b64decode(image, validate=True)
            out.append(PartAdded(MediaPart(sniff(data) or "image/*", data), self._images))
            self._images += 1

    def close(self, out: list[Any]) -> None:
        """Append the `Finish`. Tool calls end with Ollama's ``stop``; we say what they are."""
        end = self._end
        reason = FINISH_REASONS.get(end.done_reason or "", FinishReason.OTHER)
        if self._ids and reason in (FinishReason.STOP, FinishReason.OTHER):
            reason = FinishReason.TOOL_CALLS
        about = _given(end, self.about)
        if self._logprobs:
            about["logprobs"] = self._logprobs
        out.append(
            Finish(
                finish_reason=reason,
                raw_finish_reason=end.done_reason,
                usage=parse_usage(end),
                provider_metadata={self.name: about} if about else {},
            )
        )


def chat_parser(call: Call[Any]) -> ChatParser:
    """A parser for the answer to *call*."""
    return ChatParser(call.provider.info.name, call.provider.error_codes)


def parse_chat(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer.

    Raises:
        ResponseFormatError: it has no message, or does not say that it is done.
    """
    return whole(chat_parser(call), response, "message")


def whole(parser: ChatParser, response: HTTPResponse, wanted: str) -> ChatResponse:
    """A whole answer, which has the field *wanted*, read by *parser*."""
    line, out = parser.read(response.body), list[Any]()
    if getattr(line, wanted) is None:
        raise ResponseFormatError(f"the answer has no {wanted} (at $.{wanted})")
    if not line.done:
        raise ResponseFormatError("the answer does not say that it is done (at $.done)")
    parser.line(line, out)
    parser.close(out)
    return fold(out)
