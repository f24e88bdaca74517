"""The ledger's file: rows in SQLite, written in groups, by several processes at once, and recovered after a crash."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..errors import LLMError
from .costs import EXACT
from .folders import make_private
from .presence import Presence

T = TypeVar("T")

VERSION = 1
"""Of the tables; a file of a later one is left alone."""

BUSY = 10.0
"""Seconds to wait for another process that writes."""

GROUP = 256
"""At most so many changes in one transaction."""

BROKEN = (sqlite3.DatabaseError, sqlite3.InternalError)
"""What says that the file itself is broken."""

TABLES = """
CREATE TABLE attempts (
    id TEXT PRIMARY KEY,               -- the attempt's own: a UUID that begins with its time
    call_id TEXT,                      -- the call's, where its metadata has one
    started TEXT NOT NULL,             -- wall clock, UTC
    seconds REAL,                      -- monotonic
    provider TEXT NOT NULL,            -- the instance's name
    kind TEXT NOT NULL,
    operation TEXT NOT NULL,           -- the request's type
    model TEXT NOT NULL,               -- asked
    answered TEXT,                     -- the model that answered
    tags TEXT NOT NULL,                -- a JSON list
    tenant TEXT,
    status TEXT NOT NULL,              -- started, ok, error, cancelled, uncertain
    error TEXT, code TEXT,
    input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER,
    cache_write_tokens INTEGER, reasoning_tokens INTEGER, audio_input_tokens INTEGER,
    audio_output_tokens INTEGER, raw_usage TEXT,
    estimated INTEGER NOT NULL,        -- whether tokens were guessed
    amount TEXT, currency TEXT NOT NULL, source TEXT NOT NULL, price TEXT,
    multiplier TEXT NOT NULL,
    reserved TEXT,                     -- the most it could cost, as far as known before
    request_id TEXT, response_id TEXT,
    owner TEXT NOT NULL                -- the process that settles it
) WITHOUT ROWID;
CREATE INDEX attempts_under_way ON attempts (owner) WHERE status = 'started';
CREATE TABLE counters (
    budget TEXT NOT NULL, period TEXT NOT NULL, amount TEXT NOT NULL,
    PRIMARY KEY (budget, period)
) WITHOUT ROWID;
"""


def stamp(at: datetime) -> str:
    """*at* as the rows say it."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def first_id(at: datetime) -> str:
    """What the ids of attempts from *at* on are not less than."""
    return f"{max(int(at.timestamp() * 1000), 0):012x}"


def new_id(at: datetime) -> str:
    """An id for an attempt at *at*: version 7 of RFC 9562, so that a time is a range of ids."""
    within = at.microsecond % 1000 * 4096 // 1000
    low = (2 << 62) | (int.from_bytes(os.urandom(8), "big") >> 2)
    return f"{first_id(at)}7{within:03x}{low:016x}"


class LedgerError(LLMError):
    """The ledger cannot be written, so nothing was sent: every attempt has its row, or is not made."""

    http_status = 503
    phase = "limit"
    code = "ledger"


def unusable(path: Path, error: Exception) -> LedgerError:
    """The error for a file at *path* that cannot be used."""
    said = str(error)
    if "not a database" in said or "malformed" in said:
        fix = "move it away, or give [ledger] another path"
    elif "locked" in said:
        fix = "another program holds it: end that"
    else:
        fix = "check its folder, its permissions and the free space"
    return LedgerError(f"the ledger {path} cannot be used ({said}): {fix}")


class DecimalSum:
    """An aggregate for SQL: the exact sum of decimals written as text; None of nothing."""

    def __init__(self) -> None:
        self._total: Decimal | None = None

    def step(self, *factors: str | None) -> None:
        """Add the product of *factors*, unless one is missing."""
        if any(f is None for f in factors):
            return
        product = Decimal(1)
        for factor in factors:
            product = EXACT.multiply(product, Decimal(factor or 0))
        self._total = EXACT.add(self._total or Decimal(0), product)

    def finalize(self) -> str | None:
        """The sum as text."""
        return None if self._total is None else f"{self._total:f}"


def connect(path: Path, durability: str = "power") -> sqlite3.Connection:
    """A connection to the file at *path*, its tables made, for any thread that holds it alone.

    What was committed survives the end of a process, with the *durability* ``power`` a power
    cut too: then each commit waits for the disk.

    Raises:
        LedgerError: it cannot be opened or made, or is not ours to read.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make_private(path)
        connection = sqlite3.connect(
            path, timeout=BUSY, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, "FULL" if durability == "power" else "NORMAL")
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from None
    return connection


def _prepare(connection: sqlite3.Connection, synchronous: str) -> None:
    """Set *connection* up, and make the tables where there are none."""
    until = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except (
            sqlite3.OperationalError
        ) as error:  # two who make the file: SQLite does not wait here
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.create_aggregate("exact_sum", -1, DecimalSum)  # type: ignore[arg-type]  # any number of factors
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise sqlite3.DatabaseError("a later Jackfield wrote it")
    if version < VERSION:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone() == (0,):
            for statement in TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()


def _forked() -> None:
    for store in list(_STORES):
        store.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class _Job(Generic[T]):
    """Work to be done inside a transaction, and what became of it."""

    __slots__ = ("done", "error", "must", "result", "work")

    def __init__(self, work: Callable[[Store], T], must: bool) -> None:
        self.work, self.must, self.done = work, must, False
        self.result: Any = None
        self.error: Exception | None = None


class Store:
    """One file of attempts; opened by the first who writes, reopened after `close` or a fork.

    Whoever comes to the writer's lock does all that waits there in one transaction:
    many threads share the wait for the disk.
    """

    def __init__(self, path: Path, durability: str = "power") -> None:
        self.path, self.durability = path, durability
        self._begin()
        _STORES.add(self)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a finalizer may come in the middle of a write
        self._busy = False
        self._jobs: deque[_Job[Any]] = deque()
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

    def write(self, work: Callable[[Store], T], *, must: bool = False) -> T:
        """What *work* returns, once its changes are on the disk; all of them, or none.

        What *must* be written waits for the next write where this one fails.

        Raises:
            LedgerError: it could not be written.
        """
        job = _Job(work, must)
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

    def _drain(self) -> None:
        while self._jobs:
            group = [self._jobs.popleft() for _ in range(min(len(self._jobs), GROUP))]
            try:
                self._open()
                self._transact(group)
            except (sqlite3.Error, OSError, LedgerError) as error:
                self._roll_back()
                for job in group:  # each raises one of its own
                    known = isinstance(error, LedgerError)
                    job.error = copy(error) if known else unusable(self.path, error)
                    job.done = True
                self._jobs.extendleft(_Job(j.work, True) for j in reversed(group) if j.must)
                return
            except BaseException:  # Ctrl-C, say: what was not done is there for the next
                self._roll_back()
                self._jobs.extendleft(reversed(group))
                raise

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _open(self) -> None:
        if self._connection is None:
            self._connection = connect(self.path, self.durability)
            try:
                self._presence = Presence(self.path.with_name(f"{self.path.name}-running"))
                self._transact([_Job(Store.recover, must=False)])
            except BaseException:
                self._let_go()
                raise

    def _transact(self, group: list[_Job[Any]]) -> None:
        execute, many = self.connection.execute, len(group) > 1
        execute("BEGIN IMMEDIATE")
        for job in group:
            if many:
                execute("SAVEPOINT job")
            try:
                job.result, job.error = job.work(self), None
            except Exception as error:
                if isinstance(error, sqlite3.OperationalError) or type(error) in BROKEN:
                    raise
                job.error = error  # refused, or wrong in itself: the others go on
                execute("ROLLBACK TO job" if many else "ROLLBACK")
            if many:
                execute("RELEASE job")
        if self.connection.in_transaction:
            execute("COMMIT")
        for job in group:
            job.done = True

    def recover(self) -> int:
        """Settle what dead processes left under way: uncertain, at what was reserved for it."""
        execute, presence = self.connection.execute, self._presence
        assert presence is not None
        rows = execute("SELECT DISTINCT owner FROM attempts WHERE status = 'started'").fetchall()
        owners = {owner for (owner,) in rows}.union(presence.others())
        dead = [owner for owner in owners if not presence.lives(owner)]
        before = self.connection.total_changes
        for owner in dead:
            execute(
                "UPDATE attempts SET status = 'uncertain', estimated = 1, amount = reserved,"
                " source = CASE WHEN reserved IS NULL THEN 'unknown' ELSE 'estimated' END"
                " WHERE status = 'started' AND owner = ?",
                (owner,),
            )
        return self.connection.total_changes - before

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from, beside whoever writes.

        Raises:
            LedgerError: the file cannot be read.
        """
        connection = connect(self.path)
        try:
            connection.execute("PRAGMA query_only = ON")
            yield connection
        except sqlite3.Error as error:
            raise unusable(self.path, error) from None
        finally:
            connection.close()

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        with self._lock:
            if self._jobs and not self._busy:
                self._drain()
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        presence, self._presence = self._presence, None
        if connection is not None:
            connection.close()
        if presence is not None:
            presence.leave()
