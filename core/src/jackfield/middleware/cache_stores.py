"""Where answers are kept: in this process's memory, or in a file that processes share."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from ..manager.settings import CacheSettings
from .folders import make_private

T = TypeVar("T")

LOG = logging.getLogger("jackfield.cache")

BUSY = 1.0
"""Seconds to wait for a file that another process is writing."""

REST = 30.0
"""Seconds for which a file that failed is left alone."""

_SALT = 32


class Store(Protocol):
    """Keeps texts by their keys until their time is over; *now* is in seconds, of one clock."""

    blocking: bool
    """Whether its methods wait for a disk."""

    def salt(self, now: float) -> bytes | None:
        """What keys are made with, the same for all who share it; None where that is not known."""
        ...

    def get(self, key: bytes, now: float) -> bytes | None:
        """What was put last under *key*, unless its time is over."""
        ...

    def put(self, key: bytes, kept: bytes, now: float) -> bool:
        """Keep *kept*, and let the least recently used go where there is no room; whether that worked."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class MemoryStore:
    """In memory, for this process alone."""

    blocking = False

    def __init__(self, settings: CacheSettings) -> None:
        self._settings = settings
        self._salt = secrets.token_bytes(_SALT)
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._size = 0

    def salt(self, now: float) -> bytes:
        """Chance, once."""
        return self._salt

    def get(self, key: bytes, now: float) -> bytes | None:
        """What was put last under *key*, unless its time is over."""
        with self._lock:
            if (found := self._kept.get(key)) is None:
                return None
            until, kept = found
            if now < until:
                self._kept.move_to_end(key)
                return kept
            self._forget(key)
        return None

    def put(self, key: bytes, kept: bytes, now: float) -> bool:
        """Keep *kept*; the least recently used go where there is no room."""
        entries, size = self._settings.entries, self._settings.megabytes * 1_000_000
        if len(kept) > size:
            return False
        with self._lock:
            self._forget(key)
            self._kept[key] = (now + self._settings.ttl, kept)
            self._size += len(kept)
            while len(self._kept) > entries or self._size > size:
                self._forget(next(iter(self._kept)))
            return True

    def _forget(self, key: bytes) -> None:
        if (gone := self._kept.pop(key, None)) is not None:
            self._size -= len(gone[1])

    def close(self) -> None:
        """Nothing is open."""


_TABLES = """
CREATE TABLE salts (salt BLOB NOT NULL);
CREATE TABLE answers (
    key BLOB PRIMARY KEY, answer BLOB NOT NULL, seal BLOB NOT NULL,
    expires REAL NOT NULL, used INTEGER NOT NULL, size INTEGER NOT NULL
);
CREATE INDEX answers_used ON answers (used, size);
CREATE INDEX answers_expires ON answers (expires);
"""
_PUT = """
INSERT OR REPLACE INTO answers
VALUES (?, ?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM answers), ?)
"""
_TOUCH = """
UPDATE answers SET used = (SELECT max(used) + 1 FROM answers) WHERE key = ?
"""
_OLDEST = "DELETE FROM answers WHERE key = (SELECT key FROM answers ORDER BY used LIMIT 1)"


class DiskStore:
    """In an SQLite file at *path* that only its owner can read; processes of one machine share it.

    Whatever is wrong with the file, no method fails: there is a warning in the log,
    and for half a minute it is left alone. Rows are sealed with the file's salt, and one
    that was damaged is not found. When something was used is written with the next
    answer, so that a hit writes nothing.
    """

    blocking = True

    def __init__(self, path: Path, settings: CacheSettings) -> None:
        self._path, self._settings = path, settings
        self._lock = threading.Lock()
        self._open: tuple[int, sqlite3.Connection, bytes] | None = None
        self._used: dict[bytes, None] = {}
        self._failed: dict[str, float] = {}

    def salt(self, now: float) -> bytes | None:
        """Chance, once a file."""
        return self._tried("opened", now, lambda _, salt: salt)

    def get(self, key: bytes, now: float) -> bytes | None:
        """What was put last under *key*, unless its time is over or it was damaged."""

        def read(file: sqlite3.Connection, salt: bytes) -> bytes | None:
            row = file.execute("SELECT answer, seal, expires FROM answers WHERE key = ?", (key,))
            found = row.fetchone()
            # A clock that was set back makes no answer live longer.
            if found is None or not 0 < found[2] - now <= self._settings.ttl:
                return None
            kept, seal = found[0], found[1]
            if not isinstance(kept, bytes) or not isinstance(seal, bytes):
                return None
            if not hmac.compare_digest(seal, _seal(salt, key, kept)):
                return None
            self._used.pop(key, None)
            self._used[key] = None
            return kept

        return self._tried("read", now, read)

    def put(self, key: bytes, kept: bytes, now: float) -> bool:
        """Keep *kept*; the least recently used go where there is no room."""
        if len(kept) > self._settings.megabytes * 1_000_000:
            return False

        def write(file: sqlite3.Connection, salt: bytes) -> bool:
            row = (key, kept, _seal(salt, key, kept), now + self._settings.ttl, len(kept))
            with _transaction(file):
                file.execute("DELETE FROM answers WHERE expires <= ?", (now,))
                file.executemany(_TOUCH, [(used,) for used in self._used])
                file.execute(_PUT, row)
                self._make_room(file)
            self._used.clear()
            return True

        return self._tried("written", now, write) or False

    def _make_room(self, file: sqlite3.Connection) -> None:
        entries, most = self._settings.entries, self._settings.megabytes * 1_000_000
        while True:
            count, size = file.execute("SELECT count(*), total(size) FROM answers").fetchone()
            if count <= entries and size <= most:
                return
            file.execute(_OLDEST)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if self._open is not None and self._open[0] == os.getpid():
                self._open[1].close()
            self._open = None

    def _tried(
        self, what: str, now: float, act: Callable[[sqlite3.Connection, bytes], T]
    ) -> T | None:
        """What *act* returns; None where the file fails, or failed lately."""
        with self._lock:
            if abs(now - self._failed.get(what, float("-inf"))) < REST:
                return None
            try:
                return act(*self._connection())
            except (sqlite3.Error, OSError) as error:
                self._failed[what] = now
                LOG.warning(
                    "the cache %s cannot be %s, calls go on without it: %s; free the disk, or delete the file",
                    self._path,
                    what,
                    error,
                )
                return None

    def _connection(self) -> tuple[sqlite3.Connection, bytes]:
        if self._open is None or self._open[0] != os.getpid():  # no connection survives a fork
            file, salt = _opened(self._path)
            self._open = (os.getpid(), file, salt)
        return self._open[1], self._open[2]


def _seal(salt: bytes, key: bytes, kept: bytes) -> bytes:
    return hashlib.blake2b(key + kept, key=salt, digest_size=16).digest()


@contextlib.contextmanager
def _transaction(file: sqlite3.Connection) -> Iterator[None]:
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
        file.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
            file.execute("ROLLBACK")
        raise


def _opened(path: Path) -> tuple[sqlite3.Connection, bytes]:
    """The file at *path*, made where there is none, and its salt."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_private(path)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    file = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        with contextlib.suppress(sqlite3.OperationalError):  # another process does the same now
            file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        return file, _prepared(file)
    except BaseException:
        file.close()
        raise


def _prepared(file: sqlite3.Connection) -> bytes:
    """The salt of *file*, whose tables are made where there are none."""
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'answers'"
    if not file.execute(known).fetchone()[0]:
        with _transaction(file):
            if not file.execute(known).fetchone()[0]:
                for statement in filter(str.strip, _TABLES.split(";")):
                    file.execute(statement)
                file.execute("INSERT INTO salts VALUES (?)", (secrets.token_bytes(_SALT),))
    salt = file.execute("SELECT salt FROM salts").fetchone()
    if salt is None or not isinstance(salt[0], bytes) or len(salt[0]) != _SALT:
        raise sqlite3.DatabaseError("it is no cache of this program")
    return salt[0]
