"""The ledger's writer: rows written in groups, by several threads and processes, and recovered after a crash."""

from __future__ import annotations

import _thread
import contextlib
import json
import logging
import os
import sqlite3
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from .budgets import Claim, shift
from .ledger_file import RESERVE, LedgerError, connect, is_the_files, unusable
from .presence import Presence, orphans

T = TypeVar("T")

LOG = logging.getLogger("jackfield")

GROUP = 256
"""At most so many changes in one transaction."""

SOON = 0.02
"""Seconds for which what can wait is gathered."""

_STORES: weakref.WeakSet[Store] = weakref.WeakSet()


def _forking() -> None:
    for store in list(_STORES):
        store.flush_quietly()


def _forked() -> None:
    for store in list(_STORES):
        store.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forking, after_in_child=_forked)


def _worker() -> bool:
    """Whether this is a worker of multiprocessing's: its end runs no finalizers of modules."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def _nothing(_store: Store) -> None:
    """A write that only takes along what waits."""


Quick = tuple[bytes, Callable[["Store"], object]]
"""A line for the journal, and what writes it into the tables."""


class _Job(Generic[T]):
    """Work to be done inside a transaction, and what became of it.

    *quick* gives what may be done in its place: see `Store.write`.
    """

    __slots__ = ("done", "error", "first", "quick", "result", "work")

    def __init__(
        self, work: Callable[[Store], T], first: bool, quick: Callable[[], Quick | None] | None
    ) -> None:
        self.work, self.first, self.quick, self.done = work, first, quick, False
        self.result: Any = None
        self.error: Exception | None = None


_Late = tuple[Callable[["Store"], object], float]
"""Work that must be done, and when it was asked for."""


class Store:
    """One file of attempts; opened by the first who writes, reopened after `close` or a fork.

    Whoever comes to the writer's lock does all that waits there in one transaction:
    many threads share the wait for the disk. What can wait a moment (`later`) is gathered,
    and written by a thread that is there only then, or with the next who asks for it.
    """

    def __init__(self, path: Path, durability: str = "process") -> None:
        self.path, self.durability = path, durability
        self._running = path.with_name(f"{path.name}-running")
        self.counting = False
        """Whether somebody keeps budgets, as the transaction under way sees it."""
        self._begin()
        _STORES.add(self)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a finalizer may come in the middle of a write
        self._busy = False
        self._jobs: deque[_Job[Any]] = deque()
        self._late: deque[_Late] = deque()
        self._flushing = self._came = self._troubled = False
        self._dead: list[str] = []
        self._connection: sqlite3.Connection | None = None
        self._presence: Presence | None = None

    def forked(self) -> None:
        """Begin anew in the child of a fork: a connection of SQLite's must not be taken along, nor closed."""
        self._inherited = self._connection
        if self._presence is not None:
            self._presence.forget()
        self._begin()

    @property
    def connection(self) -> sqlite3.Connection:
        """The writer's connection, for work inside a transaction."""
        assert self._connection is not None
        return self._connection

    @property
    def owner(self) -> str:
        """Who this process is, in the rows that it has under way."""
        assert self._presence is not None
        return self._presence.token

    def write(
        self,
        work: Callable[[Store], T],
        *,
        first: bool = True,
        quick: Callable[[], Quick | None] | None = None,
    ) -> T | None:
        """What *work* returns, once its changes are on the disk; all of them, or none.

        Unless *first* is False, all that was put off is written before it, in the same
        transaction. Where nobody keeps budgets, what *quick* gives is enough: a line in this
        process's journal, which whoever finds the process dead reads, and work for `later`. None
        is nothing to do; there is no result then.

        Raises:
            LedgerError: it could not be written.
        """
        job = _Job(work, first, quick)
        self._jobs.append(job)
        with self._lock:
            if not job.done and not self._busy:
                self._busy = True
                try:
                    self._drain()
                finally:
                    self._busy = False
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[no-any-return]  # what *work* returned

    # What can wait a moment.

    def later(self, work: Callable[[Store], object], *, leaving: bool = False) -> None:
        """Have *work* done within `SOON`, or as soon as that is possible; does not block.

        *leaving* says that this may run in a finalizer, in the middle of anything: no lock of
        Python's is taken then.
        """
        self._late.append((work, time.monotonic()))
        self._came = True
        if self._flushing:
            return
        self._flushing = True
        try:
            if leaving or not _worker():
                _thread.start_new_thread(self._write_soon, ())
            else:  # the end of a worker waits for this, and for nothing else of ours
                threading.Thread(target=self._write_soon, name="jackfield-ledger").start()
        except RuntimeError:  # the program ends, or there are no threads here
            self._flushing = False
            if not leaving:
                self.flush_quietly()

    def _write_soon(self) -> None:
        """Write what waits, again and again until nothing more comes."""
        try:
            while self._came:
                self._came = False
                time.sleep(SOON)
                if not self.flush_quietly():
                    break
        finally:
            self._flushing = False
        if self._came:  # just now: whoever came saw this thread still
            self.later(_nothing)

    def flush(self) -> None:
        """Write what was put off, and wait for what is being written.

        Raises:
            LedgerError: it could not be written.
        """
        with self._lock:
            if self._late and not self._busy:
                self.write(_nothing)

    def flush_quietly(self) -> bool:
        """`flush`; where that fails, say so in the log and return False: the next write tries again."""
        try:
            self.flush()
        except LedgerError as error:
            LOG.error("attempts are not settled yet: %s", error)  # noqa: TRY400  # the trace tells nothing
            return False
        return True

    # Transactions.

    def _drain(self) -> None:
        while self._jobs:
            group = [self._jobs.popleft() for _ in range(min(len(self._jobs), GROUP))]
            late = self._due(any(job.first for job in group))
            try:
                self._open()
                if not self._quickly(group, late):
                    self._transact(group, late)
            except (sqlite3.Error, OSError, LedgerError) as error:
                self._roll_back()
                self._troubled = True
                self._late.extendleft(reversed(late))
                while self._jobs:
                    group.append(self._jobs.popleft())
                for job in group:  # each raises one of its own
                    known = isinstance(error, LedgerError)
                    job.error = copy(error) if known else unusable(self.path, error)
                    job.done = True
                return
            except BaseException:  # Ctrl-C, say: what was not done is there for the next
                self._roll_back()
                self._late.extendleft(reversed(late))
                self._jobs.extendleft(reversed(group))
                raise

    def _due(self, everything: bool) -> list[_Late]:
        """What is to be taken along of what was put off: *everything*, or nothing while it may wait."""
        late = self._late
        with contextlib.suppress(IndexError):  # there is none
            if everything or time.monotonic() - late[0][1] > 2 * SOON:
                return [late.popleft() for _ in range(len(late))]
        return []

    def _quickly(self, group: list[_Job[Any]], late: list[_Late]) -> bool:
        """Whether *group* could be written into the journal alone, and was."""
        if late or self.counting or self._troubled or any(job.quick is None for job in group):
            return False
        told = [
            told for job in group if job.quick is not None and (told := job.quick()) is not None
        ]
        assert self._presence is not None
        lines = b"".join(line + b"\n" for line, _ in told)
        self._presence.append(lines, lasting=self.durability == "power")
        for job in group:
            job.done = True
        for _, work in told:
            self.later(work)
        return True

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _open(self) -> None:
        if self._connection is None:
            self._connection = connect(self.path, self.durability)
            try:
                self._presence = Presence(self._running)
                self._transact([_Job(Store.recover, True, None)], [])
            except BaseException:
                self._let_go()
                raise

    def _transact(self, group: list[_Job[Any]], late: list[_Late]) -> None:
        execute = self.connection.execute
        several = len(group) > 1 or late
        execute("BEGIN IMMEDIATE")
        self.counting = execute("SELECT EXISTS (SELECT 1 FROM counters)").fetchone() == (1,)
        for item in tuple(late):
            try:
                item[0](self)
            except Exception as error:
                if is_the_files(error):
                    raise
                LOG.exception("an attempt cannot be settled")
                self._roll_back()
                late.remove(item)
                self._transact(group, late)
                return
        for job in group:
            if several:
                execute("SAVEPOINT job")
            try:
                job.result, job.error = job.work(self), None
            except Exception as error:
                if is_the_files(error):
                    raise
                job.error = error  # refused, or wrong in itself: the others go on
                execute("ROLLBACK TO job" if several else "ROLLBACK")
            if several:
                execute("RELEASE job")
        if self.connection.in_transaction:
            execute("COMMIT")
        self._troubled = False
        for job in group:
            job.done = True
        assert self._presence is not None
        if late:
            self._presence.clear()
        while self._dead:
            self._presence.bury(self._dead.pop())

    def recover(self) -> int:
        """Settle what dead processes left under way: uncertain, at what was reserved for it."""
        execute, presence = self.connection.execute, self._presence
        assert presence is not None
        rows = execute("SELECT DISTINCT owner FROM attempts WHERE status = 'started'").fetchall()
        owners = {owner for (owner,) in rows}.union(presence.others())
        before, self._dead = self.connection.total_changes, []
        for owner in owners:
            if presence.lives(owner):
                continue
            if lines := presence.left(owner):
                self._dead.append(owner)  # buried when its rows are in the table
            else:
                presence.bury(owner)
            for line in lines:
                self._take_over(line, owner)
            execute(
                "UPDATE attempts SET status = 'uncertain', estimated = 1, amount = reserved,"
                " source = CASE WHEN reserved IS NULL THEN 'unknown' ELSE 'estimated' END"
                " WHERE status = 'started' AND owner = ?",
                (owner,),
            )
        return self.connection.total_changes - before

    def _take_over(self, line: bytes, owner: str) -> None:
        """Write the row of a dead *owner*'s journal, unless it is there."""
        try:
            row = json.loads(line)
            told = (row[3], row[4], row[6], row[7], row[2])
            if self.connection.execute(RESERVE, (*row, owner)).rowcount == 1:
                shift(self.connection.execute, Claim.of(*told), Decimal(row[11] or 0))
        except (ValueError, LookupError, TypeError, sqlite3.ProgrammingError) as error:
            LOG.warning("%s: a line of a journal cannot be read: %r", self.path, error)

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from, beside whoever writes.

        Raises:
            LedgerError: the file cannot be read.
        """
        for store in list(_STORES):  # all that this process has settled is there
            if store.path == self.path:
                store.flush_quietly()
        self._rescue()
        connection = connect(self.path)
        try:
            connection.execute("PRAGMA query_only = ON")
            yield connection
        except sqlite3.Error as error:
            raise unusable(self.path, error) from None
        finally:
            connection.close()

    def _rescue(self) -> None:
        """Have the rows in the file that dead processes left beside it."""
        if orphans(self._running):
            closed = self._connection is None
            with contextlib.suppress(LedgerError):  # it can be read all the same
                self.write(Store.recover)
            if closed:
                self.close()

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        with self._lock:
            self.flush_quietly()
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        presence, self._presence = self._presence, None
        if connection is not None:
            connection.close()
        if presence is not None:
            presence.leave()
