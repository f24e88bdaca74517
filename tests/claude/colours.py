"""Recorded turns of Anthropic's API through the plugin, whatever they are of, in every colour."""

from __future__ import annotations

import json
from typing import Any

import anyio
from attrs import frozen

from claude import operating, traffic
from claude.reading import read
from claude.replays import PLAIN, asked, replaying
from jackfield import Message, ModelInfoRequest, ModelListRequest, Request, TokenCountRequest
from jackfield.drivers.replay import Recorded
from jackfield_claude import ClaudeProvider
from support.recordings import Turn

LAST = {"data": [], "has_more": False}


@frozen
class Outcome:
    """What a call came to: its events and its result, or its error."""

    result: Any = None
    events: tuple[Any, ...] = ()
    error: BaseException | None = None


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
    provider, events = made(turn), list[Any]()
    try:
        if not _streams(turn):
            return Outcome(provider.run(request_of(turn)))
        with provider.stream(request_of(turn)) as stream:
            events.extend(stream)
        return Outcome(stream.response, tuple(events))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error)


async def _replay(turn: Turn) -> Outcome:
    provider, events = made(turn), list[Any]()
    try:
        if not _streams(turn):
            return Outcome(await provider.arun(request_of(turn)))
        async with provider.astream(request_of(turn)) as stream:
            async for event in stream:
                events.append(event)  # kept also when the stream breaks
        return Outcome(stream.response, tuple(events))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error)


def on_loop(turn: Turn, backend: str) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return anyio.run(_replay, turn, backend=backend)
