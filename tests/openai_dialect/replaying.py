"""Recorded turns through the real plugins, in both colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote

from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    LLMProvider,
    Message,
    ModelInfoRequest,
    ModelListRequest,
    Request,
    create_provider,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from openai_dialect.scope import operation, plugin
from support.outcomes import Outcome, replayed, replayed_on
from support.recordings import Turn

KEY = "made-up-key-for-replays"
OLDER = "/api/v0"
LISTS = ("/api/v1/models", "/api/v0/models")
"""The native lists of LM Studio, in the order in which it is asked for them."""


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


def replaying(turn: Turn, chunks: Sequence[bytes] | None) -> LLMProvider:
    """A provider that is answered what *turn* was, in either colour."""
    recorded = answers(turn, chunks)
    drivers = {"driver": ReplayDriver(recorded), "async_driver": AsyncReplayDriver(recorded)}
    return create_provider(plugin(turn), config(turn), **drivers)


def sync(turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn*, blocking."""
    return replayed(replaying(turn, chunks), lambda: typed(turn), turn.streamed)


def on_loop(backend: str, turn: Turn, chunks: Sequence[bytes] | None = None) -> Outcome:
    """Replay *turn* on the event loop of *backend*."""
    return replayed_on(backend, replaying(turn, chunks), lambda: typed(turn), turn.streamed)


COLOURS: dict[str, Replay] = {
    "sync": sync,
    "asyncio": partial(on_loop, "asyncio"),
    "trio": partial(on_loop, "trio"),
}
