"""From the API's answers to events and values.

A whole answer is read as a stream of one event, so that plain and streamed calls
cannot disagree. A part with a signature stays a part of its own, as the API wants
it back: https://ai.google.dev/gemini-api/docs/thought-signatures
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from attrs import define, field

from jackfield import (
    ChatResponse,
    Finish,
    FinishReason,
    LLMError,
    MediaPart,
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
from jackfield.failures import parse_failure
from jackfield.flow import HTTPResponse
from jackfield.framing import Frame

from .usage import FILTERED, FINISH_REASONS, finish_word, parse_usage
from .wire import ANSWER, Answer, Candidate, Part

KEPT = ("promptFeedback", "modelStatus", "turnToken")
KEPT_OF_CANDIDATE = (
    *("finishMessage", "safetyRatings", "citationMetadata", "groundingAttributions"),
    *("groundingMetadata", "avgLogprobs", "logprobsResult", "urlContextMetadata"),
)
"""What is told about an answer, and about the first of several."""

KEPT_OF_PART = ("thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution")
"""What is told about a part, beside what it is."""

GROWING = ("citationMetadata", "logprobsResult")
"""What a stream tells piece by piece; of anything else the last word counts."""


@define
class AnswerParser:
    """Reads the events of one answer; *failure* makes an error of what told one."""

    name: str
    failure: Callable[[Any], LLMError]
    finished: bool = False
    done: bool = False
    _started: bool = False
    _id: str = ""
    _stops: dict[int, str] = field(factory=dict)
    _usage: dict[str, Any] | None = None
    _about: dict[str, Any] = field(factory=dict)
    _calls: dict[int, int] = field(factory=dict)
    # Of each answer: how many parts there are, and what may be added to the last of them.
    _parts: dict[int, int] = field(factory=dict)
    _open: dict[int, str] = field(factory=dict)

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for _, data in frames:
            if data.strip() not in (b"", b"[DONE]"):
                self.read(ANSWER.decode(data), msgspec.json.decode(data), out)

    def read(self, event: Answer, told: Mapping[str, Any], out: list[Any]) -> None:
        """Append the events of one of the API's; *told* is all of it."""
        if event.error or (not self._says(event) and parse_failure(told).message):
            raise self.failure(told)
        if not self._started:
            self._started, self._id = True, event.response_id or ""
            out.append(StreamStart(id=self._id, model=event.model_version or ""))
        self._usage = event.usage_metadata or self._usage
        self._note(told, KEPT)
        for at, candidate in enumerate(event.candidates or ()):
            self._candidate(candidate, out)
            if candidate.index == 0:
                self._note(told["candidates"][at], KEPT_OF_CANDIDATE)
        if event.prompt_feedback and event.prompt_feedback.block_reason and not self._parts:
            self._stops[0] = event.prompt_feedback.block_reason
            self.finished = True
        elif self._stops:
            self.finished = self._parts.keys() <= self._stops.keys()

    @staticmethod
    def _says(event: Answer) -> bool:
        return bool(event.candidates or event.prompt_feedback or event.usage_metadata)

    def _note(self, told: Mapping[str, Any], names: tuple[str, ...]) -> None:
        """Keep what is told about the answer beside its content."""
        for name in names:
            if (value := told.get(name)) is not None:
                before = self._about.get(name)
                grows = isinstance(before, Mapping) and isinstance(value, Mapping)
                self._about[name] = _joined(before, value, name in GROWING) if grows else value

    def _candidate(self, candidate: Candidate, out: list[Any]) -> None:
        choice = candidate.index
        self._parts.setdefault(choice, 0)
        parts = candidate.content.parts if candidate.content else None
        for told in parts or ():
            self._part(choice, told, out)
        if candidate.finish_reason:
            self._stops[choice] = finish_word(candidate.finish_reason)

    def _part(self, choice: int, told: dict[str, Any], out: list[Any]) -> None:
        part = msgspec.convert(told, Part)
        about = {k: told[k] for k in KEPT_OF_PART if told.get(k)}
        if part.function_call is not None:
            self._call(choice, part, about, out)
        elif part.thought and part.text is not None:
            self._thought(choice, part.text, about, out)
        elif part.text is not None or told.keys() == {"thoughtSignature"}:
            self._text(choice, part.text or "", about, out)
        elif not part.thought and (media := _media(part, {self.name: about} if about else {})):
            out.append(PartAdded(media, self._place(choice), choice))
        elif told:
            out.append(PartAdded(ProviderPart(self.name, told), self._place(choice), choice))

    def _place(self, choice: int, kind: str = "", *, alone: bool = False) -> int:
        """The index of a part; a text or thought that is not *alone* goes on where it stopped."""
        if not (kind and not alone and self._open.get(choice) == kind):
            self._parts[choice] = self._parts.get(choice, 0) + 1
        self._open[choice] = "" if alone else kind
        return self._parts[choice] - 1

    def _text(self, choice: int, text: str, about: dict[str, Any], out: list[Any]) -> None:
        about = {k: v for k, v in about.items() if k != "thought"}
        if not text and not about:
            return
        index = self._place(choice, "text", alone=bool(about))
        if text:
            out.append(TextDelta(text, index, choice))
        if about:
            out.append(PartMetadata({self.name: about}, index, choice))

    def _thought(self, choice: int, text: str, about: dict[str, Any], out: list[Any]) -> None:
        if text or len(about) > 1:
            index = self._place(choice, "thought", alone=len(about) > 1)
            out.append(ReasoningDelta(text, index, choice, provider_metadata={self.name: about}))

    def _call(self, choice: int, part: Part, about: dict[str, Any], out: list[Any]) -> None:
        """Read a call, which comes whole; one without an id gets one of ours."""
        wanted = part.function_call
        assert wanted is not None
        number = self._calls[choice] = self._calls.get(choice, 0) + 1
        known = wanted.id or f"call_{self._id}_{choice}_{number}"
        arguments = msgspec.json.encode({} if wanted.args is None else wanted.args).decode()
        own = {self.name: about} if about else None
        index = self._place(choice)
        out.append(ToolCallDelta(index, known, wanted.name, arguments, choice, own))

    def close(self, out: list[Any]) -> None:
        """Append the Finish of each answer."""
        for choice in sorted({0} | self._stops.keys() | self._parts.keys()):
            stop = self._stops.get(choice)
            first: dict[str, Any] = {}
            if choice == 0:
                about = {self.name: self._about} if self._about else {}
                first = {"usage": parse_usage(self._usage), "provider_metadata": about}
            reason = self._reason(choice, stop)
            out.append(Finish(finish_reason=reason, raw_finish_reason=stop, choice=choice, **first))

    def _reason(self, choice: int, stop: str | None) -> FinishReason:
        if not self._parts and stop is not None:
            return FILTERED  # the prompt was blocked: whatever the word, there is no answer
        reason = FINISH_REASONS.get(stop or "", FinishReason.OTHER)
        called = reason is FinishReason.STOP and choice in self._calls
        return FinishReason.TOOL_CALLS if called else reason


def _joined(before: Any, after: Mapping[str, Any], grow: bool) -> dict[str, Any]:
    """*before* and *after* in one; lists that *grow* one after the other."""
    joined = dict(before)
    for key, value in after.items():
        known = joined.get(key)
        both = grow and isinstance(known, list) and isinstance(value, list)
        joined[key] = known + value if both else value
    return joined


def _media(part: Part, about: dict[str, Any]) -> MediaPart | None:
    if part.inline_data is not None:
        text = part.inline_data.data.translate(STANDARD)
        data = b64decode(text + "=" * (-len(text) % 4), validate=True)
        return MediaPart(part.inline_data.mime_type, data, provider_metadata=about)
    if part.file_data is not None:
        kind, uri = part.file_data.mime_type, part.file_data.file_uri
        return MediaPart(kind, url=uri, provider_metadata=about)
    return None


STANDARD = str.maketrans("-_", "+/", "=")


def answer_parser(call: Call[Any]) -> AnswerParser:
    """A parser for the answer to *call*."""
    provider: Any = call.provider
    return AnswerParser(provider.info.name, provider.stream_failure)


def parse_chat(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer.

    Raises:
        ResponseFormatError: it has neither an answer nor the reason why there is none.
    """
    parser, out = answer_parser(call), list[Any]()
    answer = decode(ANSWER, response.body)
    parser.read(answer, msgspec.json.decode(response.body), out)
    if not answer.candidates and not parser.finished:
        raise ResponseFormatError("the answer has no candidates (at $.candidates)")
    parser.close(out)
    return fold(out)
