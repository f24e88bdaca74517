"""Recorded turns through the real plugins, in both colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

import anyio
from attrs import frozen

from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    Message,
    ModelInfoRequest,
    ModelListRequest,
    Request,
    create_provider,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from openai_dialect.scope import operation, plugin
from support.recordings import Turn

KEY = "made-up-key-for-replays"
OLDER = "/api/v0"
LISTS = ("/api/v1/models", "/api/v0/models")
"""The native lists of LM Studio, in the order in which it is asked for them."""


@frozen
class Outcome:
    """What a call came to: its events and its result, or its error."""

    result: Any = None
    events: tuple[Any, ...] = ()
    error: BaseException | None = None


Replay = Callable[[Turn, Sequence[bytes] | None], Outcome]


def config(turn: Turn) -> dict[str, Any]:
    """A configuration that tries once, so that each recorded response is seen as it is."""
    path = "" if plugin(turn) == "azure" else root(turn)
    base = {} if plugin(turn) == "openai" else {"base_url": f"https://replayed.example{path}"}
    return {"api_key": KEY, "retry": {"attempts": 1}, **base}


def root(turn: Turn) -> str:
    """The path before the dialect's own: LM Studio has had one that is not ``/v1``."""
    return OLDER if turn.path.startswith(OLDER) else "/v1"


def typed(turn: Turn) -> Request[Any]:
    """Some request whose answer *turn* could be."""
    body = turn.body if isinstance(turn.body, dict) else {}
    model = str(body.get("model") or "a-model")
    match operation(turn):
        case "chat":
            own = {key: body[key] for key in ("n", "audio") if body.get(key)}
            options = {plugin(turn): own}
            messages = (Message("user", "Hi"),)
            return ChatRequest(model=model, messages=messages, provider_options=options)
        case "embeddings":
            return EmbeddingRequest(model=model, inputs=["Hi"] * input_count(turn))
        case "models":
            return ModelListRequest()
        case _:
            return ModelInfoRequest(model=unquote(turn.path.rpartition("/")[2]))


def input_count(turn: Turn) -> int:
    """How many inputs *turn* has: a text, texts, one input as tokens, or several.

    Where the recorder kept no request, as many as there are answers.
    """
    if not isinstance(turn.body, dict):
        answer: Any = turn.response.get("body")
        rows = answer.get("data") if isinstance(answer, dict) else []
        return len(rows or ()) or 1
    given: Any = turn.body.get("input")
    several = isinstance(given, list) and not all(isinstance(item, int) for item in given)
    return len(list(given)) if several else 1


def answers(turn: Turn, chunks: Sequence[bytes] | None = None) -> list[Recorded]:
    """What the provider meets: LM Studio is asked for its native lists before the dialect's."""
    asked = plugin(turn) == "lmstudio" and operation(turn) == "models"
    before = LISTS.index(turn.path) if turn.path in LISTS else len(LISTS)
    return [*[Recorded(status=404)] * (before if asked else 0), turn.recorded(chunks)]


def sync(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn*, blocking."""
    driver = ReplayDriver(answers(turn, chunks))
    provider = create_provider(plugin(turn), config(turn), driver=driver)
    events: list[Any] = []
    try:
        if not turn.streamed:
            return Outcome(provider.run(typed(turn)))
        stream = provider.stream(typed(turn))
        events.extend(stream)
        return Outcome(stream.response, tuple(events))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error)


async def _replay(turn: Turn, chunks: Sequence[bytes] | None) -> Outcome:
    driver = AsyncReplayDriver(answers(turn, chunks))
    provider = create_provider(plugin(turn), config(turn), async_driver=driver)
    events: list[Any] = []
    try:
        if not turn.streamed:
            return Outcome(await provider.arun(typed(turn)))
        stream = provider.astream(typed(turn))
        async for event in stream:
            events.append(event)  # noqa: PERF401  # kept also when the stream breaks
        return Outcome(stream.response, tuple(events))
    except Exception as error:  # noqa: BLE001  # the tests judge it
        return Outcome(None, tuple(events), error)


def on_asyncio(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* under asyncio."""
    return anyio.run(_replay, turn, chunks)


def on_trio(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* under trio."""
    return anyio.run(_replay, turn, chunks, backend="trio")


COLOURS: dict[str, Replay] = {"sync": sync, "asyncio": on_asyncio, "trio": on_trio}
