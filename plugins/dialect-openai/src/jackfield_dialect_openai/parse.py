"""From the dialect's answers to events and values.

A whole answer is read as a stream of one chunk, so that plain and streamed calls
cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define, field

from jackfield import ChatResponse, FinishReason, TextDelta, fold
from jackfield.errors import LLMError, ResponseFormatError, StreamInterruptedError
from jackfield.events import Finish, PartMetadata, ReasoningDelta, RefusalDelta, StreamStart
from jackfield.exchange import Call, decode
from jackfield.failures import event_error, parse_failure
from jackfield.flow import HTTPResponse
from jackfield.framing import Frame

from .pieces import Sound, join_details, piece_event, shown
from .toolcalls import Calls
from .usage import parse_cost, parse_usage
from .wire import COMPLETION, Choice, Completion, MessageWire, ToolCallWire

FINISH_REASONS: Mapping[str, FinishReason] = {
    word: reason
    for reason, words in (
        (FinishReason.STOP, "stop eos eos_token stop_sequence end_turn"),
        (FinishReason.LENGTH, "length max_tokens model_length"),
        (FinishReason.TOOL_CALLS, "tool_calls function_call"),
        (FinishReason.CONTENT_FILTER, "content_filter"),
        (FinishReason.ERROR, "error abort insufficient_system_resource"),
    )
    for word in words.split()
}

# The core types what this raises: a wrapper would cost as much as it does.
_decode = COMPLETION.decode

_EXTRAS = ("service_tier", "system_fingerprint", "provider", "citations", "prompt_filter_results")
_CHOICE_EXTRAS = ("native_finish_reason", "stop_reason", "content_filter_results")


def parse_finish_reason(raw: str | None) -> FinishReason:
    """The common word for the dialect's *raw* one."""
    return FINISH_REASONS.get(raw or "", FinishReason.OTHER)


@define
class _Answer:
    """What is known so far of one of the answers, beside what its events said."""

    calls: Calls
    reason: str | None = None
    details: list[Any] = field(factory=list)
    annotations: list[Any] = field(factory=list)
    logprobs: Any = None
    sound: Sound | None = None
    pieces: int = 0


@define
class ChunkParser:
    """Reads the chunks of one stream; *name* is the provider's, for its metadata.

    *expected* is the number of answers asked for.
    """

    name: str
    error_codes: Mapping[str, type[LLMError]]
    sound_type: str = "audio/wav"
    expected: int = 1
    finished: bool = False
    done: bool = False
    _id: str | None = None
    _usage: dict[str, Any] | None = None
    _answers: dict[int, _Answer] = field(factory=dict)
    _extras: dict[str, Any] = field(factory=dict)

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for event, data in frames:
            if data[:6] == b"[DONE]":
                self.done = True
                return
            if not data:
                continue
            chunk = _decode(data)
            if chunk.error or event == b"error" or chunk.object == "error":
                raise event_error(msgspec.json.decode(data), self.error_codes)
            if chunk.choices is None and parse_failure(plain := msgspec.json.decode(data)).message:
                raise event_error(plain, self.error_codes)
            self.chunk(chunk, out)

    def chunk(self, chunk: Completion, out: list[Any]) -> None:
        """Append the events of one *chunk*."""
        if self._id is None and (chunk.id or chunk.choices):
            self._id = str(chunk.id or "")
            out.append(StreamStart(id=self._id, model=chunk.model or ""))
        if chunk.x_groq:
            self._groq(chunk.x_groq)
        if chunk.usage:
            self._usage = chunk.usage
        for place, choice in enumerate(chunk.choices or ()):
            at = place if choice.index is None else int(choice.index)
            if at not in self._answers:
                self._answers[at] = _Answer(Calls(self._id or ""))
            delta = choice.delta or choice.message
            if delta is not None:
                if type(delta.content) is str and delta.content:
                    out.append(TextDelta(delta.content, 0, at))
                self._delta(delta, at, out, whole=choice.delta is None)
            if choice.finish_reason or choice.logprobs or choice.error:
                self._ended(choice, at)
        if self.finished or not self._extras:
            self._extras.update({e: v for e in _EXTRAS if (v := getattr(chunk, e)) is not None})

    def _groq(self, told: Mapping[str, Any]) -> None:
        """What Groq keeps beside the protocol: usage, and why it stopped early."""
        if told.get("error"):
            raise event_error({"error": told["error"]}, self.error_codes, status=502)
        self._usage = told.get("usage") or self._usage

    def _ended(self, choice: Choice, at: int) -> None:
        """Note how an answer ended."""
        raw = choice.finish_reason
        if choice.error or FINISH_REASONS.get(raw or "") is FinishReason.ERROR:
            told = f"the provider ended its answer with an error ({raw})"
            explained = choice.error or {"message": told}
            raise event_error({"error": explained}, self.error_codes, status=502)
        answer = self._answers[at]
        if choice.logprobs is not None:
            answer.logprobs = _merged(answer.logprobs, choice.logprobs)
        if choice.finish_reason:
            answer.reason = choice.finish_reason
            ended = sum(1 for a in self._answers.values() if a.reason is not None)
            self.finished = ended >= max(self.expected, len(self._answers))
            if at == 0:
                found = {e: getattr(choice, e) for e in _CHOICE_EXTRAS}
                self._extras.update({e: v for e, v in found.items() if v is not None})

    def _delta(self, delta: MessageWire, at: int, out: list[Any], *, whole: bool) -> None:
        details = delta.reasoning_details
        thought = delta.reasoning_content or delta.reasoning or (details and shown(details))
        if type(thought) is str:
            # Before the text, where a message has both.
            spoken = type(delta.content) is str and delta.content
            place = len(out) - 1 if spoken else len(out)
            out.insert(place, ReasoningDelta(thought, 0, at))
        if delta.refusal:
            out.append(RefusalDelta(delta.refusal, 0, at))
        if delta.tool_calls:
            calls, told = self._answers[at].calls, delta.tool_calls
            listed = told if isinstance(told, list) else [told]
            out += [calls.add(call, at, whole=whole) for call in listed]
        if type(delta.content) is list or delta.images:
            self._pieces(delta, at, out)
        if delta.reasoning_details or delta.annotations or delta.audio or delta.function_call:
            self._rare(delta, at, out, whole=whole)

    def _pieces(self, delta: MessageWire, at: int, out: list[Any]) -> None:
        """Append the events of content that comes as a list."""
        answer = self._answers[at]
        listed = delta.content if isinstance(delta.content, list) else []
        for piece in (*listed, *(delta.images or ())):
            event = piece_event(piece, answer.pieces, at, self.name)
            answer.pieces += 1
            if event is not None:
                out.append(event)

    def _rare(self, delta: MessageWire, at: int, out: list[Any], *, whole: bool) -> None:
        """Keep what is told at the end, and call functions in the old way."""
        answer = self._answers[at]
        if delta.reasoning_details:
            join_details(answer.details, delta.reasoning_details, whole=whole)
        answer.annotations += delta.annotations or ()
        if delta.audio is not None:
            answer.sound = answer.sound or Sound()
            answer.sound.add(delta.audio)
        if delta.function_call is not None:
            call = ToolCallWire(0, None, delta.function_call)
            out.append(answer.calls.add(call, at, whole=whole))

    def close(self, out: list[Any]) -> None:
        """Append what is due at the end: what came in pieces, and a Finish an answer."""
        extras = dict(self._extras)
        logprobs = {at: a.logprobs for at, a in self._answers.items() if a.logprobs is not None}
        if logprobs:
            extras["logprobs"] = logprobs[0] if list(logprobs) == [0] else logprobs
        for at in sorted({0, *self._answers}):
            answer = self._answers.get(at) or _Answer(Calls())
            if self.done and answer.reason is None and answer.calls.is_cut():
                raise StreamInterruptedError("the stream ended inside a tool call")
            out += answer.calls.close(at, self.name)
            if answer.details:
                kept = {self.name: {"reasoning_details": answer.details}}
                out.append(ReasoningDelta("", 0, at, provider_metadata=kept))
            if answer.annotations:
                out.append(PartMetadata({self.name: {"annotations": answer.annotations}}, 0, at))
            if answer.sound is not None:
                out.append(answer.sound.event(self.sound_type, answer.pieces, at, self.name))
            out.append(self._finish(answer.reason, at, extras))

    def _finish(self, reason: str | None, at: int, extras: dict[str, Any]) -> Finish:
        first = at == 0
        return Finish(
            finish_reason=parse_finish_reason(reason),
            raw_finish_reason=reason,
            choice=at,
            usage=parse_usage(self._usage) if first else None,
            cost=parse_cost(self._usage) if first else None,
            provider_metadata={self.name: extras} if first and extras else {},
        )


def _merged(before: Any, logprobs: Any) -> Any:
    """The log probabilities of a stream's chunks, joined."""
    if not isinstance(before, dict) or not isinstance(logprobs, dict):
        return logprobs
    joined = dict(before)
    for key, value in logprobs.items():
        old = before.get(key)
        if isinstance(old, list) and isinstance(value, list):
            joined[key] = old + value
        elif value is not None:
            joined[key] = value
    return joined


def parse_chat(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    completion = decode(COMPLETION, response.body)
    parser = chunk_parser(call)
    if completion.error or completion.object == "error":
        raise event_error(msgspec.json.decode(response.body), parser.error_codes)
    out: list[Any] = []
    parser.chunk(completion, out)
    filtered = "content_filter"  # may come without a message
    told = [c for c in completion.choices or () if c.message or c.delta]
    if not told and not any(c.finish_reason == filtered for c in completion.choices or ()):
        plain = msgspec.json.decode(response.body)
        if not completion.choices and parse_failure(plain).message:
            raise event_error(plain, parser.error_codes)
        raise ResponseFormatError("the answer has no choices with a message (at $.choices)")
    parser.close(out)
    return fold(out)


_SOUNDS = {"mp3": "audio/mpeg", "opus": "audio/ogg", "pcm16": "audio/pcm"}


def chunk_parser(call: Call[Any]) -> ChunkParser:
    """A parser for the answer to *call*."""
    audio, expected = call.options.get("audio"), call.options.get("n")
    sound = str(audio.get("format", "wav")) if isinstance(audio, Mapping) else "wav"
    return ChunkParser(
        name=call.provider.info.name,
        error_codes=call.provider.error_codes,
        sound_type=_SOUNDS.get(sound, f"audio/{sound}"),
        expected=expected if isinstance(expected, int) else 1,
    )
