"""A provider that answers from bytes, in both colours, and what it sent."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import settings

from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield_claude import ClaudeProvider

# No test asserts a time; HYPOTHESIS_PROFILE=deep looks harder.
settings.register_profile("suite", deadline=None)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)


def recorded(answer: Any) -> Recorded:
    """An answer: the events of a stream, a JSON object, or a response as it is."""
    if isinstance(answer, Recorded):
        return answer
    if isinstance(answer, list):
        lines = (f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in answer)
        return Recorded(chunks=[line.encode() for line in lines])
    return Recorded(chunks=[json.dumps(answer).encode()])


@pytest.fixture(scope="session")
def replayed() -> Callable[..., ClaudeProvider]:
    """Makes a provider that meets each of the answers in turn."""

    def make(*answers: Any, **config: Any) -> ClaudeProvider:
        answered: Sequence[Recorded] = [recorded(a) for a in answers]
        drivers: dict[str, Any] = {
            "driver": ReplayDriver(answered),
            "async_driver": AsyncReplayDriver(answered),
        }
        return ClaudeProvider({"api_key": "made-up", "retry": {"attempts": 1}, **config}, **drivers)

    return make


@pytest.fixture(scope="session")
def sent() -> Callable[[ClaudeProvider], list[Any]]:
    """The requests that a provider sent: method, URL, headers, body."""

    def of(provider: ClaudeProvider) -> list[Any]:
        driver: Any = provider._driver
        return [
            (r.method, r.url, dict(r.headers), json.loads(r.body or b"null"))
            for r in driver.transport.requests
        ]

    return of


def stream(*blocks: Iterable[dict[str, Any]], stop: str = "end_turn", **end: Any) -> list[Any]:
    """The events of a stream of *blocks*, each a start and its deltas."""
    usage = {"input_tokens": 5, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x"}
    events: list[Any] = [{"type": "message_start", "message": {**message, "usage": usage}}]
    for index, (start, *deltas) in enumerate(blocks):
        at = {"index": index}
        events.append({"type": "content_block_start", **at, "content_block": start})
        events += [{"type": "content_block_delta", **at, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", **at})
    delta = {"stop_reason": stop, "stop_sequence": None, **end}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}})
    return [*events, {"type": "message_stop"}]


@pytest.fixture(scope="session", name="stream")
def stream_fixture() -> Callable[..., list[Any]]:
    """The events of a stream of blocks."""
    return stream


def message(*content: dict[str, Any], stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    """A whole answer of *content*."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x"}
    usage = {"input_tokens": 5, "output_tokens": 7}
    return {**head, "content": list(content), "stop_reason": stop, "usage": usage, **more}


@pytest.fixture(scope="session", name="message")
def message_fixture() -> Callable[..., dict[str, Any]]:
    """A whole answer."""
    return message
