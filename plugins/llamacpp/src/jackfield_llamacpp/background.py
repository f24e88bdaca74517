"""Turning an engine's blocking answer into an iterator that may be left at any time.

The engine runs in a thread of its own and never waits for the consumer: a consumer that is slow, or
that starts a second call in the middle of the first, cannot hold the model's lock for ever.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Protocol

from .engine import Chunk, Sink


class _End:
    """The last thing in a channel: the answer is complete, or *error* ended it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Channel:
    """A `Sink` that hands chunks from the engine's thread to the consumer's."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Chunk | _End] = queue.SimpleQueue()
        self._left = False

    def put(self, chunk: Chunk) -> None:
        self._items.put(chunk)

    def cancelled(self) -> bool:
        # A program that ends must not wait for an answer that nobody reads any more.
        return self._left or not threading.main_thread().is_alive()

    def leave(self) -> None:
        self._left = True
        self._items.put(_End())  # wakes a consumer that waits in another thread

    def finish(self, error: BaseException | None = None) -> None:
        self._items.put(_End(error))

    def batch(self) -> tuple[list[Chunk], _End | None]:
        """Wait for the next chunk; return it with all that came after it, and the end if it came."""
        chunks: list[Chunk] = []
        item = self._first()
        while not isinstance(item, _End):
            chunks.append(item)
            if self._items.empty():
                return chunks, None
            item = self._items.get()
        return chunks, item

    def _first(self) -> Chunk | _End:
        while True:
            try:
                # With a timeout, because on Windows nothing else lets Ctrl-C through.
                return self._items.get(timeout=0.5)
            except queue.Empty:
                continue


class Stream:
    """The chunks of an answer, in batches of what is there.

    The first batch asked for starts *turn* in a thread of its own. `close` may be called from any
    thread and at any time: it wakes a consumer that waits, and cancels the run, which stops at its
    next token, or never begins if it still waits for its turn. Dropping the stream closes it.

    Iterating raises whatever the run raises, after the chunks that came before it.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn: Turn | None = turn
        self._channel = _Channel()
        self._over = False
        self._end: _End | None = None

    def __iter__(self) -> Iterator[list[Chunk]]:
        return self

    def __next__(self) -> list[Chunk]:
        if self._over:
            raise StopIteration
        if self._turn is not None:
            # The thread must not know this object: dropping it is what ends the run.
            turn, self._turn = self._turn, None
            name = "jackfield-llamacpp"
            threading.Thread(target=_work, args=(turn, self._channel), name=name).start()
        if self._end is None:
            chunks, self._end = self._channel.batch()
            if chunks:
                return chunks
        assert self._end is not None
        self._over = True
        if self._end.error is not None:
            raise self._end.error
        raise StopIteration

    def close(self) -> None:
        """Stop; see the class. Closing twice is nothing."""
        self._over = True
        self._channel.leave()
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.leave(waited=False)

    def __del__(self) -> None:
        # Nothing here may take a lock: it can run in the middle of anything, in any thread.
        self._channel.leave()


class Turn(Protocol):
    """A run that is ready to go: it waits for its turn at the model, and lets go of it in the end."""

    def wait(self, seconds: float) -> bool:
        """Wait for the model for *seconds*; whether it is ours now."""

    def run(self, sink: Sink) -> None:
        """Put the answer into *sink*."""

    def leave(self, *, waited: bool) -> None:
        """Let go of the model; *waited* says whether it was ours."""


def _work(turn: Turn, channel: _Channel) -> None:
    ours, error = False, None
    try:
        while not channel.cancelled() and not ours:
            ours = turn.wait(0.05)
        if ours and not channel.cancelled():
            turn.run(channel)
    except BaseException as failure:  # noqa: BLE001 - it is raised again where the answer is read
        error = failure
    try:
        turn.leave(waited=ours)
    finally:
        channel.finish(error)
