"""From the dialect's answers to events and values.

A whole answer is read as a stream of one chunk, so that plain and streamed calls
cannot disagree.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from attrs import define, field
from jackfield import (
    ChatResponse,
    Cost,
    Finish,
    FinishReason,
    LLMError,
    MediaPart,
    PartAdded,
    PartMetadata,
    ReasoningDelta,
    RefusalDelta,
    ResponseFormatError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    Usage,
    fold,
)
from jackfield.exchange import Call, decode
from jackfield.failures import event_error
from jackfield.flow import HTTPResponse
from jackfield.framing import Frame

from .wire import COMPLETION, Audio, Choice, Completion, ContentChunk, Function, MessageWire, ToolCallWire

FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "error": FinishReason.ERROR,
}

# The core types what this raises: a wrapper would cost as much as it does.
_decode = COMPLETION.decode

_EXTRAS = ("service_tier", "system_fingerprint", "provider", "citations", "prompt_filter_results")


def count(value: Any) -> int | None:
    """A token count, if *value* is one."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def parse_usage(wire: Mapping[str, Any] | None) -> Usage:
    """Usage in inclusive totals.

    Some servers count reasoning beside the completion and not in it; their total
    tells.
    """
    if not wire:
        return Usage()
    prompt = wire.get("prompt_tokens_details") or {}
    completion = wire.get("completion_tokens_details") or {}
    inputs, outputs = count(wire.get("prompt_tokens")), count(wire.get("completion_tokens"))
    reasoning = count(completion.get("reasoning_tokens"))
    total = count(wire.get("total_tokens"))
    if None not in (inputs, outputs, reasoning, total) and reasoning:
        assert inputs is not None and outputs is not None and total is not None  # noqa: PT018
        if total == inputs + outputs + reasoning:
            outputs += reasoning
    cached = (prompt.get("cached_tokens"), wire.get("cached_tokens"), wire.get("prompt_cache_hit_tokens"))
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        cache_read_tokens=next((c for v in cached if (c := count(v)) is not None), None),
        cache_write_tokens=count(prompt.get("cache_write_tokens")),
        reasoning_tokens=reasoning,
        raw=wire,
    )


def parse_cost(wire: Mapping[str, Any] | None) -> Cost | None:
    """The cost that the server itself reports, in USD."""
    reported = (wire or {}).get("cost")
    if not isinstance(reported, int | float) or isinstance(reported, bool):
        return None
    return Cost(amount=Decimal(str(reported)), source="provider")


def parse_finish_reason(raw: str | None) -> FinishReason:
    """The common word for the dialect's *raw* one."""
    return FINISH_REASONS.get(raw or "", FinishReason.OTHER)


@define
class _Calls:
    """Tells the tool calls of one answer apart, whatever the server numbers them."""

    slots: dict[int | None, int] = field(factory=dict)
    ids: dict[str, int] = field(factory=dict)
    written: dict[int, bool] = field(factory=dict)

    def place(self, index: int | None, id: str, *, whole: bool) -> int:
        """The number of the call that this piece belongs to."""
        if not whole:
            if id in self.ids:
                return self.ids[id]
            if index in self.slots and not id:
                return self.slots[index]
            if index is None and not id and self.written:
                return max(self.written)
        at = len(self.written)
        self.written[at] = False
        self.slots[index] = at
        if id:
            self.ids[id] = at
        return at


@define
class ChunkParser:
    """Reads the chunks of one stream; *name* is the provider's, for its metadata."""

    name: str
    error_codes: Mapping[str, type[LLMError]]
    audio_type: str = "audio/wav"
    finished: bool = False
    done: bool = False
    _started: bool = False
    _usage: dict[str, Any] | None = None
    _reasons: dict[int, str | None] = field(factory=dict)
    _calls: dict[int, _Calls] = field(factory=dict)
    _details: dict[int, list[Any]] = field(factory=dict)
    _logprobs: dict[int, Any] = field(factory=dict)
    _extras: dict[str, Any] = field(factory=dict)

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for event, data in frames:
            if data == b"[DONE]":
                self.done = True
                return
            chunk = _decode(data)
            if event == b"error" and chunk.error is None:
                raise event_error(msgspec.json.decode(data), self.error_codes)
            self.chunk(chunk, out)

    def chunk(self, chunk: Completion, out: list[Any]) -> None:
        """Append the events of one *chunk*."""
        if chunk.error is not None or chunk.object == "error":
            raise event_error({"error": chunk.error or chunk.message}, self.error_codes)
        if not self._started and (chunk.id or chunk.choices):
            self._started = True
            out.append(StreamStart(id=chunk.id or "", model=chunk.model or ""))
        if chunk.usage is not None:
            self._usage = chunk.usage
        elif chunk.x_groq and chunk.x_groq.get("usage"):
            self._usage = chunk.x_groq["usage"]
        for choice in chunk.choices or ():
            delta = choice.delta or choice.message
            if delta is not None:
                at = choice.index or 0
                if type(delta.content) is str and delta.content:
                    out.append(TextDelta(delta.content, 0, at))
                self._delta(delta, at, out, whole=choice.delta is None)
            if choice.finish_reason is not None or choice.logprobs or choice.error:
                self._ended(choice)
        if self.finished or not self._extras:
            self._extras.update({e: v for e in _EXTRAS if (v := getattr(chunk, e)) is not None})

    def _ended(self, choice: Choice) -> None:
        """Note how an answer ended."""
        at = choice.index or 0
        if choice.error or choice.finish_reason == "error":
            explained = choice.error or {"message": "the provider ended its answer with an error"}
            raise event_error({"error": explained}, self.error_codes, status=502)
        if choice.logprobs is not None:
            _merge(self._logprobs, at, choice.logprobs)
        if choice.finish_reason is not None:
            self._reasons[at] = choice.finish_reason
            self.finished = True

    def _delta(self, delta: MessageWire, at: int, out: list[Any], *, whole: bool) -> None:
        thought = delta.reasoning_content or delta.reasoning
        if type(thought) is str:
            # Before the text, where a whole message has both.
            place = len(out) - 1 if whole and delta.content and out else len(out)
            out.insert(place, ReasoningDelta(thought, 0, at))
        if type(delta.content) is list:
            for piece in delta.content:
                _content(piece, at, out)
        if delta.refusal:
            out.append(RefusalDelta(delta.refusal, 0, at))
        if delta.reasoning_details:
            self._details.setdefault(at, []).extend(delta.reasoning_details)
        for call in delta.tool_calls or ():
            out.append(self._call(call, at, whole=whole))
        if delta.function_call is not None:
            calls = self._calls.get(at)
            id = "" if calls and calls.written else "call_0"
            call = ToolCallWire(0, id, delta.function_call)
            out.append(self._call(call, at, whole=False))
        if delta.annotations:
            out.append(PartMetadata({self.name: {"annotations": delta.annotations}}, 0, at))
        if delta.audio is not None and delta.audio.data:
            out.append(self._audio(delta.audio, at))

    def _call(self, wire: ToolCallWire, at: int, *, whole: bool) -> ToolCallDelta:
        calls = self._calls.setdefault(at, _Calls())
        function = wire.function or Function()
        id = "" if wire.id is None else str(wire.id)
        fresh = len(calls.written)
        index = calls.place(wire.index, id, whole=whole)
        arguments = function.arguments or ""
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        calls.written[index] = calls.written[index] or bool(arguments)
        if index == fresh and not id:
            id = f"call_{index}"
        return ToolCallDelta(index, id, function.name or "", arguments, at)

    def _audio(self, audio: Audio, at: int) -> PartAdded:
        about = {"id": audio.id, "transcript": audio.transcript, "expires_at": audio.expires_at}
        part = MediaPart(
            self.audio_type, b64decode(audio.data or ""), provider_metadata={self.name: about}
        )
        return PartAdded(part, 0, at)

    def close(self, out: list[Any]) -> None:
        """Append what is due at the end: empty arguments, late metadata, a Finish an answer."""
        for at, calls in self._calls.items():
            out += [ToolCallDelta(i, "", "", "{}", at) for i, w in calls.written.items() if not w]
        for at, details in self._details.items():
            about = {self.name: {"reasoning_details": details}}
            out.append(ReasoningDelta("", 0, at, provider_metadata=about))
        for at in sorted({0, *self._reasons}):
            raw = self._reasons.get(at)
            out.append(Finish(finish_reason=parse_finish_reason(raw), raw_finish_reason=raw, choice=at))
        first = next(i for i, e in enumerate(out) if type(e) is Finish and e.choice == 0)
        extras = dict(self._extras)
        if self._logprobs:
            extras["logprobs"] = self._logprobs[0] if len(self._logprobs) == 1 else self._logprobs
        out[first] = msgspec.structs.replace(
            out[first],
            usage=parse_usage(self._usage),
            cost=parse_cost(self._usage),
            provider_metadata={self.name: extras} if extras else {},
        )


def _content(piece: ContentChunk, at: int, out: list[Any]) -> None:
    """Append the event of one piece of a list of content."""
    if piece.type == "thinking" or piece.thinking is not None:
        thoughts = [piece.thinking] if isinstance(piece.thinking, str) else piece.thinking or []
        text = "".join(t if isinstance(t, str) else t.get("text", "") for t in thoughts)
        out.append(ReasoningDelta(text, 0, at))
    elif piece.text:
        out.append(TextDelta(piece.text, 0, at))


def _merge(kept: dict[int, Any], at: int, logprobs: Any) -> None:
    """Join the log probabilities of a stream's chunks."""
    before = kept.get(at)
    if not isinstance(before, dict) or not isinstance(logprobs, dict):
        kept[at] = logprobs
        return
    for key, value in logprobs.items():
        both = isinstance(before.get(key), list) and isinstance(value, list)
        before[key] = before[key] + value if both else value


def parse_chat(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    completion = decode(COMPLETION, response.body)
    parser = chunk_parser(call)
    out: list[Any] = []
    parser.chunk(completion, out)
    answers = completion.choices
    filtered = "content_filter"  # may come without a message
    if not any(c.message or c.delta or c.finish_reason == filtered for c in answers or ()):
        raise ResponseFormatError("the answer has no choices with a message (at $.choices)")
    parser.close(out)
    return fold(out)


def chunk_parser(call: Call[Any]) -> ChunkParser:
    """A parser for the answer to *call*."""
    audio = call.options.get("audio") or {}
    kind = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}.get(audio.get("format", ""), "audio/wav")
    return ChunkParser(call.provider.info.name, call.provider.error_codes, kind)
