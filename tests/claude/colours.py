"""Recorded turns of Anthropic's API through the plugin, whatever they are of, in every colour."""

from __future__ import annotations

import json
from typing import Any

from claude import operating, traffic
from claude.reading import read
from claude.replays import PLAIN, asked, replaying
from jackfield import Message, ModelInfoRequest, ModelListRequest, Request, TokenCountRequest
from jackfield.drivers.replay import Recorded
from jackfield_claude import ClaudeProvider
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

LAST = {"data": [], "has_more": False}


def request_of(turn: Turn) -> Request[Any]:
    """The request of *turn*, or one that its answer can be to."""
    match traffic.scope(turn):
        case traffic.CHAT:
            return asked(turn) if read(turn).answered else PLAIN
        case traffic.COUNT:
            return TokenCountRequest(model="a-model", messages=[Message("user", "Hi")])
        case traffic.MODELS:
            return ModelListRequest()
        case traffic.MODEL:
            return ModelInfoRequest(model=turn.path.rpartition("/")[2])
    return operating.request(turn)


def answers(turn: Turn) -> list[Recorded]:
    """What is answered: after a page of a list there is the last one."""
    if traffic.scope(turn) in operating.OPERATIONS:
        return operating.answers(turn, turn.recorded())
    last = Recorded(chunks=[json.dumps(LAST).encode()])
    listed = traffic.scope(turn) == traffic.MODELS and turn.status < 300
    return [turn.recorded(), *([last] if listed else [])]


def made(turn: Turn) -> ClaudeProvider:
    """A provider that is answered what *turn* was."""
    base = operating.base_url(turn)
    return replaying(*answers(turn), base_url=base, allow_insecure_http=True)


def _streams(turn: Turn) -> bool:
    return traffic.scope(turn) == traffic.CHAT and turn.streamed


def sync(turn: Turn) -> Outcome:
    """Replay *turn*, blocking."""
    return replayed(made(turn), lambda: request_of(turn), _streams(turn))


def on_loop(turn: Turn, backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return replayed_on(backend, made(turn), lambda: request_of(turn), _streams(turn))
