"""Loaded models, shared: one for each file and set of options, freed when nobody holds it any more."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Self

from attrs import define, field

from .background import Stream
from .engine import Body, Engine, Sink
from .errors import EngineError

Key = tuple[Hashable, ...]
"""The engine's name, the file as it is now, the options."""


@define(eq=False)
class _Slot:
    """A place for one loaded model; *engine* is None until it is loaded."""

    key: Key
    engine: Engine | None = None
    holders: int = 0
    loading: threading.Lock = field(factory=threading.Lock)
    lock: threading.Lock = field(factory=threading.Lock)


class Lease:
    """A loaded model, held. Whoever has it closes it; calls that run then finish first."""

    def __init__(self, pool: Pool, slot: _Slot) -> None:
        self._pool, self._slot = pool, slot
        self._open = True

    @property
    def engine(self) -> Engine:
        """The model, without its lock: for what touches no context (`limits`, `n_ctx`).

        Raises:
            EngineError: `engine_failed` after the lease was closed.
        """
        if not self._open or self._slot.engine is None:
            raise EngineError("engine_failed", "this model was released; make a new provider")
        return self._slot.engine

    @contextmanager
    def use(self) -> Iterator[Engine]:
        """The model, locked: one call at a time computes with it."""
        with self._slot.lock:
            yield self.engine

    def generate(self, body: Body) -> Stream:
        """The chunks of the answer to *body*; the stream takes this lease over and closes it.

        Iterating raises `EngineError`; see `Engine.generate`.
        """
        return Stream(_Turn(self, self._slot.lock, body))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the model back. Closing twice is nothing."""
        if self._open:
            self._open = False
            self._pool.drop(self._slot)

    def __del__(self) -> None:
        # A thread that is started while the interpreter goes never begins; the system frees all then.
        if self._open and not sys.is_finalizing():
            self._open = False
            # The collector may run while this very thread has a lock: let another one wait for it.
            with contextlib.suppress(RuntimeError):  # too late for threads
                threading.Thread(target=self._pool.drop, args=(self._slot,)).start()


class _Turn:
    """One answer's turn at a model (see `background.Turn`); it owns its lease."""

    def __init__(self, lease: Lease, lock: threading.Lock, body: Body) -> None:
        self._lease, self._lock, self._body = lease, lock, body

    def wait(self, seconds: float) -> bool:
        return self._lock.acquire(timeout=seconds)

    def run(self, sink: Sink) -> None:
        self._lease.engine.generate(self._body, sink)

    def leave(self, *, waited: bool) -> None:
        if waited:
            self._lock.release()
        self._lease.close()


class Pool:
    """All loaded models of this process."""

    def __init__(self) -> None:
        self._slots: dict[Key, _Slot] = {}
        self._guard = threading.Lock()

    def __len__(self) -> int:
        return len(self._slots)

    def acquire(self, key: Key, load: Callable[[], Engine]) -> Lease:
        """The model of *key*, made with *load* when nobody holds it yet.

        Others may load other models meanwhile; who asks for this one waits.

        Raises:
            EngineError: whatever *load* raises.
        """
        with self._guard:
            slot = self._slots.setdefault(key, _Slot(key))
            slot.holders += 1
        lease = Lease(self, slot)
        try:
            with slot.loading:
                if slot.engine is None:
                    slot.engine = load()
        except BaseException:
            lease.close()
            raise
        return lease

    def hold(self, lease: Lease) -> Lease:
        """A further lease of what *lease* holds."""
        slot = lease._slot  # noqa: SLF001 - the two classes are one mechanism
        with self._guard:
            lease.engine  # noqa: B018 - raises when it is closed
            slot.holders += 1
        return Lease(self, slot)

    def drop(self, slot: _Slot) -> None:
        """Count one holder less; free the model after the last, when its last call is over."""
        with self._guard:
            slot.holders -= 1
            if slot.holders:
                return
            self._slots.pop(slot.key, None)
        with slot.lock:
            engine, slot.engine = slot.engine, None
            if engine is not None:
                engine.close()


class Shelf:
    """The models that one provider keeps loaded: the *most* last used."""

    def __init__(self, pool: Pool, most: int) -> None:
        self._pool, self._most = pool, most
        self._kept: dict[Key, Lease] = {}
        self._guard = threading.Lock()

    def take(self, key: Key, load: Callable[[], Engine]) -> Lease:
        """A lease of the model of *key* for the caller to close; the shelf keeps one of its own.

        A model that has to make room goes before the new one is loaded; calls that use it go on.
        """
        with self._guard:
            kept = self._kept.pop(key, None)
            if kept is not None:
                self._kept[key] = kept  # now the last used
                return self._pool.hold(kept)
            leaving = list(self._kept)[: max(0, len(self._kept) + 1 - self._most)]
            going = [self._kept.pop(old) for old in leaving]
        for lease in going:
            lease.close()
        lease = self._pool.acquire(key, load)
        with self._guard:
            surplus = self._kept.pop(key, None)
            self._kept[key] = self._pool.hold(lease)
        if surplus is not None:  # another thread loaded it meanwhile
            surplus.close()
        return lease

    def close(self) -> None:
        """Keep nothing any more."""
        with self._guard:
            going, self._kept = list(self._kept.values()), {}
        for lease in going:
            lease.close()


POOL = Pool()
"""The one that every provider of this process uses."""
