"""Which test folder takes a recorded turn, and how it replays it in each colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import frozen

from claude import colours as claude_replays
from claude import traffic as claude
from cohere_wire import replays as cohere_replays
from cohere_wire import traffic as cohere
from gemini import replays as gemini_replays
from gemini import traffic as gemini
from huggingface import replays as huggingface_replays
from huggingface import traffic as huggingface
from llamacpp_server import props
from openai_dialect import replaying as dialect_replays
from openai_dialect import scope as dialect
from openai_operations import replaying as operation_replays
from openai_operations import scope as operations
from support import ollama_replays
from support import ollama_scope as ollama
from support.outcomes import Outcome
from support.recordings import Turn


@frozen
class Taker:
    """A folder of tests that replays recordings.

    Attributes:
        name: the folder.
        takes: whether it replays a turn, which its own tests hold to what the wire says.
        beyond: why nobody takes a turn, as far as this folder knows.
        blocking: replays a turn without an event loop.
        on_loop: replays a turn on the event loop of a name.
    """

    name: str
    takes: Callable[[Turn], bool]
    beyond: Callable[[Turn], str | None]
    blocking: Callable[[Turn], Outcome]
    on_loop: Callable[[Turn, str], Outcome]

    def colours(self, turn: Turn) -> dict[str, Outcome]:
        """What *turn* comes to in each colour."""
        loops = {backend: self.on_loop(turn, backend) for backend in ("asyncio", "trio")}
        return {"sync": self.blocking(turn), **loops}


def _nothing(_turn: Turn) -> None:
    return None


def _speaks_the_dialect(turn: Turn) -> bool:
    named = turn.provider in (*dialect.OWN, *dialect.BORROWED)
    return named and dialect.operation(turn) is not None


def _has_another_operation(turn: Turn) -> bool:
    named = turn.provider in operations.SERVICES
    return named and operations.operation(turn) is not None


def _beyond_the_dialect(turn: Turn) -> str | None:
    if turn.provider not in (*dialect.OWN, *dialect.BORROWED):
        return None
    return operations.foreign(turn) or dialect.beyond(turn)


def _only(provider: str, found: Callable[[Turn], Any]) -> Callable[[Turn], Any]:
    return lambda turn: found(turn) if turn.provider == provider else None


TAKERS = (
    Taker(
        "openai_dialect",
        _speaks_the_dialect,
        _beyond_the_dialect,
        dialect_replays.sync,
        lambda turn, backend: dialect_replays.COLOURS[backend](turn, None),
    ),
    Taker(
        "openai_operations",
        _has_another_operation,
        _nothing,
        operation_replays.sync,
        operation_replays.on_loop,
    ),
    Taker(
        "claude",
        lambda turn: claude.speaks(turn) and claude.scope(turn) is not None,
        lambda turn: claude.reason(turn) if claude.speaks(turn) else None,
        claude_replays.sync,
        claude_replays.on_loop,
    ),
    Taker(
        "cohere_wire",
        lambda turn: turn.provider == "cohere" and cohere.operation(turn) is not None,
        _only("cohere", cohere.reason),
        cohere_replays.replay,
        lambda turn, backend: cohere_replays.on_loop(turn, [turn.payload], backend),
    ),
    Taker(
        "gemini",
        lambda turn: turn.provider == "gemini" and gemini.operation(turn) is not None,
        _only("gemini", gemini.reason),
        gemini_replays.replay,
        lambda turn, backend: gemini_replays.on_loop(turn, None, backend),
    ),
    Taker(
        "huggingface",
        lambda turn: turn.provider == "huggingface" and huggingface.operation(turn) is not None,
        _nothing,
        huggingface_replays.replay,
        lambda turn, backend: huggingface_replays.COLOURS[backend](turn),
    ),
    Taker(
        "ollama",
        lambda turn: turn.provider == "ollama" and ollama.taken(turn),
        _only("ollama", ollama.beyond),
        ollama_replays.sync,
        ollama_replays.on_loop,
    ),
    Taker("llamacpp_server", props.takes, _nothing, props.blocking, props.on_loop),
)


def takers(turn: Turn) -> list[Taker]:
    """The folders that replay *turn*."""
    return [taker for taker in TAKERS if taker.takes(turn)]


def reason(turn: Turn) -> str | None:
    """Why nobody takes *turn*; None if somebody does, or nobody can say why not."""
    if takers(turn):
        return None
    return next(filter(None, _reasons(turn)), None)


def _reasons(turn: Turn) -> Iterator[str | None]:
    return (taker.beyond(turn) for taker in TAKERS)
