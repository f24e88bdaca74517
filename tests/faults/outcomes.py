"""What a call came to, as plain data, whatever made the call."""

from __future__ import annotations

import json
import pickle
import traceback
from dataclasses import dataclass, field
from typing import Any

from jackfield import (
    ChatResponse,
    ContentFilterError,
    ContextLengthExceededError,
    FinishReason,
    LLMError,
    ProviderError,
    QuotaExceededError,
    RequestTimeoutError,
    ResponseFormatError,
    ResponseTooLargeError,
    StreamInterruptedError,
    TransportError,
)
from jackfield.testing.faults import Answer

PHASES = ("connect", "head", "body", "stream")


@dataclass
class Outcome:
    """One call: its response or its error, the text that was handed out, and how long it took."""

    response: ChatResponse | None = None
    error: BaseException | None = None
    streamed: str = ""
    seconds: float = 0.0
    told: str = field(default="", repr=False)
    """What the error says."""
    shown: str = field(default="", repr=False)
    """Its traceback with the variables of every frame."""

    def lighten(self) -> None:
        """Let go of what was needed to judge it: the frames of its error hold whole bodies."""
        self.told = self.shown = ""
        links = [self.error]
        while links:
            link = links.pop()
            if link is not None and link.__traceback__ is not None:
                link.__traceback__ = None
                links += [link.__cause__, link.__context__]


def told(error: BaseException | None) -> str:
    """What *error* says: its texts, its facts, its traceback, its pickle."""
    if error is None:
        return ""
    trace = traceback.TracebackException.from_exception(error)
    texts = ["".join(trace.format()), str(error), repr(error), repr(error.args), repr(vars(error))]
    texts.append(pickle.dumps(error).decode("latin-1"))
    return "\n".join(texts)


def shown(error: BaseException | None) -> str:
    """What crash reports may add: the variables of every frame."""
    if error is None:
        return ""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(trace.format())


def arguments(text: str) -> Any:
    """Tool arguments, parsed; the raw text where they are no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def same(response: ChatResponse, answer: Answer, text: str) -> list[str]:
    """How *response* differs from *answer* with *text*, field by field."""
    got = [(call.name, arguments(call.arguments)) for call in response.tool_calls]
    usage = (response.usage.input_tokens, response.usage.output_tokens)
    wanted = answer.usage
    pairs: dict[str, tuple[Any, Any]] = {
        "text": (response.text, text),
        "reasoning": (reasoning(response), answer.thinking),
        "tool calls": (got, [(tool.name, tool.value) for tool in answer.tools]),
        "usage": (usage, (wanted.input, wanted.output) if wanted else (None, None)),
    }
    if answer.finish not in ("stop", "filter"):
        pairs["finish"] = (response.raw_finish_reason, answer.finish)
    return [f"{name} {a!r:.60} is not {b!r:.60}" for name, (a, b) in pairs.items() if a != b]


def reasoning(response: ChatResponse) -> str:
    """The visible thinking of *response*."""
    return "".join(getattr(p, "text", "") for p in response.message.content if is_reasoning(p))


def is_reasoning(part: Any) -> bool:
    """Whether *part* is thinking."""
    return type(part).__name__ == "ReasoningPart"


def successes(response: ChatResponse, answer: Answer, prompt: str) -> set[str]:
    """The verdicts that a success deserves; none of them where something is missing."""
    found = set()
    if not same(response, answer, answer.text):
        found.add("equal")
    if not same(response, answer, answer.text.replace("São", "S\ufffdo")):
        found.add("replaced")
    if response.finish_reason is FinishReason.CONTENT_FILTER:
        found.add("filtered")
    if response.finish_reason is FinishReason.ERROR:
        found.add("failed")
    if response.text == prompt:
        found.add("echo")
    return found


KINDS: tuple[tuple[str, type[BaseException]], ...] = (
    ("timeout", RequestTimeoutError),
    ("too_large", ResponseTooLargeError),
    ("malformed", ResponseFormatError),
    ("transport", TransportError),
    ("quota", QuotaExceededError),
    ("context_length", ContextLengthExceededError),
    ("filtered", ContentFilterError),
    ("interrupted", StreamInterruptedError),
    ("error", LLMError),
)


def failures(error: BaseException) -> set[str]:
    """The verdicts that an error deserves."""
    found = {name for name, kind in KINDS if isinstance(error, kind)}
    if isinstance(error, StreamInterruptedError) and error.__cause__ is not None:
        found |= failures(error.__cause__) - {"retryable"}
    if getattr(error, "retryable", False):
        found.add("retryable")
    if isinstance(error, ProviderError) and error.status:
        found.add(f"status:{error.status}")
    return found
