"""Judging an outcome: what a call must never do, and what it should have come to."""

from __future__ import annotations

from collections.abc import Iterator

from faults.cases import KEY, MARGIN, Case
from faults.outcomes import PHASES, Outcome, failures, reasoning, same, successes
from jackfield import LLMError, StreamInterruptedError
from jackfield.testing.faults import FaultServer

GRAVE = ("silent loss", "hang", "leak", "untyped")
"""The classes that must be empty, whatever the entry expects; ``verdict`` is the fifth."""


def verdicts(case: Case, outcome: Outcome, server: FaultServer) -> set[str]:
    """What *outcome* may be called, in the catalogue's words."""
    if outcome.error is not None:
        return failures(outcome.error)
    assert outcome.response is not None
    return successes(outcome.response, case.answer(server), case.prompt)


def judge(case: Case, outcome: Outcome, server: FaultServer, tag: str) -> list[tuple[str, str]]:
    """Everything wrong with *outcome*, as pairs of class and explanation."""
    return [
        *_success(case, outcome, server),
        *_time(case, outcome),
        *_secrets(case, outcome),
        *_type(outcome),
        *_verdict(case, outcome, server, tag),
    ]


def _success(case: Case, outcome: Outcome, server: FaultServer) -> Iterator[tuple[str, str]]:
    if outcome.response is None:
        return
    if not verdicts(case, outcome, server):
        answer = case.answer(server)
        yield "silent loss", "; ".join(same(outcome.response, answer, answer.text))
    elif case.stream and outcome.streamed != outcome.response.text:
        yield "silent loss", "the events do not add up to the response"


def _time(case: Case, outcome: Outcome) -> Iterator[tuple[str, str]]:
    calls = 2 if case.fault.calls > 1 else 1
    if outcome.seconds > calls * case.timeout["total"] + MARGIN:
        yield "hang", f"took {outcome.seconds:.1f} s"


def _secrets(case: Case, outcome: Outcome) -> Iterator[tuple[str, str]]:
    # A body that repeats the key stands in the frames that read it; no text of ours may.
    echoed = case.fault.name.startswith("key_echoed")
    text = outcome.told if echoed else outcome.told + outcome.shown
    if KEY in text:
        at = text.index(KEY)
        yield "leak", f"the key is shown: …{text[max(0, at - 70) : at]!r}"


def _type(outcome: Outcome) -> Iterator[tuple[str, str]]:
    error = outcome.error
    if error is None:
        return
    if not isinstance(error, LLMError):
        yield "untyped", f"{type(error).__name__}: {error}"
        return
    missing = [name for name in ("provider", "model", "message") if not getattr(error, name)]
    if error.phase not in PHASES:
        missing.append(f"phase (is {error.phase!r})")
    if missing:
        yield "untyped", f"{type(error).__name__} without {', '.join(missing)}: {error}"


def _verdict(
    case: Case, outcome: Outcome, server: FaultServer, tag: str
) -> Iterator[tuple[str, str]]:
    found = verdicts(case, outcome, server)
    if not found & case.expected and (found or outcome.response is None):
        told = outcome.error if outcome.error is not None else "success"
        yield "verdict", f"{sorted(found)} not {sorted(case.expected)}: {told!r:.200}"
    error = outcome.error
    if isinstance(error, LLMError) and case.fault.retryable not in (None, error.retryable):
        yield "verdict", f"retryable is {error.retryable}"
    if isinstance(error, LLMError) and case.fault.hint is not None:
        waits = error.retry_after
        if waits is None or not case.fault.hint - 2 <= waits <= case.fault.hint + 1:
            yield "verdict", f"retry_after is {waits}, not {case.fault.hint}"
    if isinstance(error, LLMError) and outcome.streamed and not hasattr(error, "partial_text"):
        yield (
            "verdict",
            f"{outcome.streamed!r:.60} was handed out, and {error!r:.200} does not say so",
        )
    if isinstance(error, StreamInterruptedError) and "interrupted" in case.expected:
        yield from _partial(case, outcome, error, server)
    if case.stream and "interrupted" in case.expected and len(server.log.requests(tag)) > 1:
        yield "verdict", f"sent {len(server.log.requests(tag))} times"


def _partial(
    case: Case, outcome: Outcome, error: StreamInterruptedError, server: FaultServer
) -> Iterator[tuple[str, str]]:
    """What had arrived is kept, no more and no less, and no half tool call is handed out."""
    answer = case.answer(server)
    if error.partial is None:
        yield "verdict", "no partial response"
        return
    if error.partial_text != outcome.streamed:
        yield "verdict", f"partial {error.partial_text!r:.60} is not {outcome.streamed!r:.60}"
    text, thought = error.partial_text, reasoning(error.partial)
    if not (text or thought) and not error.retryable:
        yield "verdict", "an empty partial, and not retryable"
    start = min(len(text), len(answer.text))
    if text[:start] != answer.text[:start] or not answer.thinking.startswith(thought):
        yield "verdict", f"the partial is no beginning of the answer: {text!r:.60}"
    if case.fault.name == "cut_tool_call" and error.partial.tool_calls:
        yield "verdict", f"a half tool call was emitted: {error.partial.tool_calls!r:.80}"
