"""What the scripted provider can be told to answer: many forms, and the one they become."""

from __future__ import annotations

import copy
import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from attrs import evolve, field, fields, frozen

from .. import errors
from ..errors import LLMError, ProviderError
from ..events import PartAdded, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta, replay
from ..requests import ChatRequest
from ..types import (
    ChatResponse,
    ConfigIssue,
    FinishReason,
    Message,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
    Usage,
)


@frozen
class Answer:
    """One scripted answer.

    *text*, *reasoning*, *refusal* and *tool_calls* make the message; *events* are
    exact stream events instead. *delay* seconds pass before anything comes and
    *pause* seconds between events, on the driver's clock. With *error* the call
    fails, after the text if there is any; with *cut_after* the stream breaks
    after so many events (a plain call: its connection).
    """

    text: str = ""
    reasoning: str = field(default="", kw_only=True)
    refusal: str = field(default="", kw_only=True)
    tool_calls: tuple[ToolCall, ...] = field(default=(), kw_only=True)
    finish_reason: FinishReason | None = field(default=None, kw_only=True)
    usage: Usage | None = field(default=None, kw_only=True)
    events: tuple[StreamEvent, ...] | None = field(default=None, kw_only=True)
    delay: float = field(default=0.0, kw_only=True)
    pause: float = field(default=0.0, kw_only=True)
    cut_after: int | None = field(default=None, kw_only=True)
    error: LLMError | None = field(default=None, kw_only=True)

    @property
    def breaks(self) -> bool:
        """Whether the answer fails on the way, or at once."""
        return self.error is not None or self.cut_after is not None

    def failure(self) -> LLMError:
        """A fresh copy of *error*: an exception keeps the traces of having been raised."""
        assert self.error is not None
        return copy.copy(self.error)

    def stream(self, request: ChatRequest, number: int) -> list[StreamEvent]:
        """The events that answer *request*, the *number*-th of its provider."""
        if self.events is not None:
            return list(self.events)
        return split(replay(self._response(request, number)))

    def _response(self, request: ChatRequest, number: int) -> ChatResponse:
        parts = [
            ReasoningPart(self.reasoning) if self.reasoning else None,
            TextPart(self.text) if self.text else None,
            RefusalPart(self.refusal) if self.refusal else None,
            *self.tool_calls,
        ]
        usual = FinishReason.TOOL_CALLS if self.tool_calls else FinishReason.STOP
        reason = self.finish_reason or usual
        said = f"{self.reasoning} {self.text} {self.refusal}"
        written = said + " ".join(call.arguments for call in self.tool_calls)
        counted = Usage(
            input_tokens=sum(map(count_words, (m.text for m in request.messages))),
            output_tokens=count_words(written),
        )
        return ChatResponse(
            id=f"scripted-{number}",
            model=request.model,
            message=Message(Role.ASSISTANT, tuple(p for p in parts if p is not None)),
            finish_reason=reason,
            raw_finish_reason=reason.value,
            usage=self.usage or counted,
        )


Script = Answer | Callable[[ChatRequest], Any]
"""An answer, or what makes one from the request."""


def words(text: str) -> list[str]:
    """*text* in pieces, a word and the blanks behind it each."""
    return re.findall(r"\S+\s*|\s+", text)


def count_words(text: str) -> int:
    """How many words *text* has: what the scripted provider calls tokens."""
    return len(text.split())


def split(events: Iterable[StreamEvent]) -> list[StreamEvent]:
    """*events* as a provider would send them: text and thinking in words, arguments in pieces."""
    return [piece for event in events for piece in _pieces(event)]


def _pieces(event: StreamEvent) -> list[StreamEvent]:
    match event:
        case TextDelta(text, index, choice):
            return [TextDelta(word, index, choice) for word in words(text)]
        case PartAdded(ReasoningPart(text) as thought, index, choice) if text:
            told: list[StreamEvent] = [ReasoningDelta(w, index, choice) for w in words(text)]
            last = ReasoningDelta(
                "",
                index,
                choice,
                thought.signature,
                thought.redacted,
                thought.provider_metadata or None,
            )
            return [*told, last]
        case ToolCallDelta(arguments=arguments) if len(arguments) > 8:
            head = msgspec.structs.replace(event, arguments="")
            rest = [arguments[at : at + 8] for at in range(0, len(arguments), 8)]
            return [head, *(ToolCallDelta(event.index, "", "", r, event.choice) for r in rest)]
        case _:
            return [event]


def parse_answer(where: str, given: Any, issues: list[ConfigIssue]) -> Script | None:
    """The answer that *given* stands for; what is wrong with it goes to *issues*.

    A text, an `Answer`, a `ChatResponse`, a `Message`, tool calls, stream events,
    an error (or its class), a mapping of `Answer`'s fields, or a function of the
    request that returns any of these.
    """
    match given:
        case Answer():
            return given
        case str():
            return Answer(given)
        case LLMError():
            return Answer(error=given)
        case type() if issubclass(given, LLMError):
            return Answer(error=made_error(given))
        case ChatResponse():
            return Answer(events=tuple(split(replay(given))))
        case Message():
            reason = FinishReason.TOOL_CALLS if given.tool_calls else FinishReason.STOP
            whole = ChatResponse(message=given, finish_reason=reason)
            return Answer(events=tuple(split(replay(whole))))
        case ToolCall():
            return Answer(tool_calls=(given,))
        case Mapping():
            return _from_mapping(where, given, issues)
        case list() | tuple() if given and all(isinstance(e, StreamEvent) for e in given):
            return Answer(events=tuple(given))
        case list() | tuple() if given and all(isinstance(c, ToolCall) for c in given):
            return Answer(tool_calls=tuple(given))
        case _ if callable(given):
            script: Script = given
            return script
    problem = f"a {type(given).__name__} is not an answer"
    fix = "give a text, a table of text, tool_calls, delay, error, …, or a ChatResponse"
    issues.append(ConfigIssue(where, problem, fix))
    return None


def _from_mapping(where: str, given: Mapping[str, Any], issues: list[ConfigIssue]) -> Answer | None:
    facts = {k: v for k, v in given.items() if k in _FACTS}
    names = {f.name for f in fields(Answer)} - {"events"}
    known: dict[str, Any] = {}
    before = len(issues)
    for name, value in given.items():
        if name in facts:
            continue
        if name not in names:
            near = difflib.get_close_matches(str(name), [*names, *_FACTS], 1)
            fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(names))}"
            issues.append(ConfigIssue(f"{where}.{name}", "no such field", fix))
            continue
        try:
            known[name] = _CONVERT[name](value)
        except (ValueError, TypeError, KeyError) as error:
            issues.append(ConfigIssue(f"{where}.{name}", str(error.args[0])))
    if "error" in known:
        known["error"] = made_error(known["error"], **facts)
    elif facts:
        lone = ", ".join(facts)
        issues.append(ConfigIssue(f"{where}.{lone}", "belongs to an error", 'give "error" too'))
    return Answer(**known) if len(issues) == before else None


_FACTS = frozenset(
    {"message", "status", "code", "param", "request_id", "retry_after", "maybe_executed"}
)
"""What may be said about an error beside its class."""


def made_error(kind: LLMError | type[LLMError], **facts: Any) -> LLMError:
    """An error of the class *kind* as a provider would raise it, with *facts*."""
    if isinstance(kind, LLMError):
        facts.pop("message", None)
        return copy.copy(kind).add(**facts)
    message = facts.pop("message", None) or f"a scripted {kind.__name__}"
    if issubclass(kind, ProviderError):
        facts = {"status": kind.http_status, **facts}
    if facts.get("retry_after") is not None:
        facts["retry_after"] = float(facts["retry_after"])
    return kind(message, phase="head").add(**facts)


def _error_class(given: Any) -> LLMError | type[LLMError]:
    if isinstance(given, LLMError):
        return given
    found = getattr(errors, given, None) if isinstance(given, str) else given
    if isinstance(found, type) and issubclass(found, LLMError):
        return found
    names = [n for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, LLMError)]
    near = difflib.get_close_matches(str(given), names, 1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
    raise ValueError(f"{given!r} is no error class of jackfield{hint}")


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"must be text, not {type(given).__name__}")
    return given


def _seconds(given: Any) -> float:
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0 <= given < math.inf:
        raise ValueError(f"must be seconds, 0 or more, not {given!r}")
    return float(given)


def _count(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise ValueError(f"must be a number of events, 0 or more, not {given!r}")
    return given


def _usage(given: Any) -> Usage:
    try:
        return given if isinstance(given, Usage) else Usage(**given)
    except TypeError:
        raise ValueError(f"must be a table of {', '.join(f.name for f in fields(Usage))}") from None


def _calls(given: Any) -> tuple[ToolCall, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise TypeError("must be a list of tool calls")
    return tuple(_call(number, call) for number, call in enumerate(given, 1))


def _call(number: int, given: Any) -> ToolCall:
    if isinstance(given, ToolCall):
        return given
    name = given.get("name") if isinstance(given, Mapping) else None
    if not isinstance(name, str):
        raise ValueError('each tool call is {"name": …, "arguments": {…}}')
    arguments = given.get("arguments", {})
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return ToolCall(given.get("id") or f"call_{number}", name, text)


_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "reasoning": _text,
    "refusal": _text,
    "tool_calls": _calls,
    "finish_reason": FinishReason,
    "usage": _usage,
    "delay": _seconds,
    "pause": _seconds,
    "cut_after": _count,
    "error": _error_class,
}


def with_defaults(answer: Answer, delay: float, pause: float) -> Answer:
    """*answer* with the provider's own *delay* and *pause* where it has none."""
    if not delay and not pause:
        return answer
    return evolve(answer, delay=answer.delay or delay, pause=answer.pause or pause)
