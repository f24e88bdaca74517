"""The ledger's file: its tables, and connections to it that are ready for use."""

from __future__ import annotations

import os
import sqlite3
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ..errors import LLMError
from .costs import EXACT
from .folders import make_private

VERSION = 2
"""Of the tables; a file of a later one is left alone."""

BUSY = 10.0
"""Seconds to wait for another process that writes."""

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

BATCHES = """
CREATE TABLE batches (                 -- providers' own batches, since version 2
    kind TEXT NOT NULL, job TEXT NOT NULL,
    attempt TEXT,                      -- the row of its hand-in, where it was seen
    booked TEXT,                       -- when its answers were
    PRIMARY KEY (kind, job)
) WITHOUT ROWID;
"""

RESERVE = (
    "INSERT OR IGNORE INTO attempts (id, call_id, started, provider, kind, operation, model, tags,"
    " tenant, multiplier, price, reserved, owner, status, estimated, currency, source) VALUES"
    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'started', 0, 'USD', 'unknown')"
)
"""Writes what an attempt has reserved, and its owner; nothing where its row is there."""


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


def is_the_files(error: Exception) -> bool:
    """Whether *error* says that the file cannot be used, and not that something else is wrong."""
    broken = (sqlite3.DatabaseError, sqlite3.InternalError)
    return isinstance(error, sqlite3.OperationalError) or type(error) in broken


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


def connect(path: Path, durability: str = "process") -> sqlite3.Connection:
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
        (version,) = connection.execute("PRAGMA user_version").fetchone()  # nobody else now
        for statement in ";\n".join((TABLES, BATCHES)[version:]).split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
