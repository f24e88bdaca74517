"""The file of a health history: incidents, and what probes found, in SQLite."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..middleware.folders import make_private
from .observations import Finding, Incident, Observation

KEPT = timedelta(days=90)
"""What probes found is forgotten after so long; incidents stay."""

_TABLES = """
CREATE TABLE IF NOT EXISTS incidents (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, cause TEXT NOT NULL, opened TEXT NOT NULL,
    closed TEXT, observations INTEGER NOT NULL, last_error TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS checks (
    provider TEXT NOT NULL, at TEXT NOT NULL, finding TEXT NOT NULL, error TEXT NOT NULL, latency REAL
);
CREATE INDEX IF NOT EXISTS checks_by_provider ON checks (provider, at);
"""
_SAVE = "INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?)"
_CHECK = "INSERT INTO checks VALUES (?, ?, ?, ?, ?)"


def _text(at: datetime) -> str:
    """*at* as text that sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class History:
    """Incidents and checks in the file at *path*, which only its owner can read.

    Several processes may share it. Each method blocks for milliseconds, and raises
    `ConfigError` where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_private(self.path)
            with contextlib.closing(sqlite3.connect(self.path, timeout=10)) as connection:
                connection.executescript(_TABLES)
                with connection:
                    yield connection
        except (OSError, sqlite3.Error) as error:
            message = f"the health history {self.path} cannot be used: {error}"
            fix = "choose another path, or remove the file to begin anew"
            raise ConfigError(f"{message}; {fix}") from error

    def write(self, rows: Iterable[Incident | Observation]) -> None:
        """Keep *rows*: an incident again when it has changed, and probes' observations."""
        with self._opened() as file:
            for row in rows:
                if isinstance(row, Incident):
                    closed = _text(row.closed) if row.closed else None
                    found = (row.id, row.provider, row.cause, _text(row.opened), closed)
                    file.execute(_SAVE, (*found, row.observations, row.last_error))
                else:
                    at, old = _text(row.at), _text(row.at - KEPT)
                    file.execute(_CHECK, (row.provider, at, row.finding, row.error, row.latency))
                    file.execute("DELETE FROM checks WHERE at < ?", (old,))

    def _rows(self, query: str, *values: Any) -> list[Any]:
        """What *query* finds, turned round; nothing where there is no file yet."""
        if not self.path.exists():
            return []
        with self._opened() as file:
            return file.execute(query, values).fetchall()[::-1]

    def incidents(self, limit: int = 1000) -> list[Incident]:
        """The last *limit* incidents, in the order of their opening."""
        query = "SELECT * FROM incidents ORDER BY opened DESC, rowid DESC LIMIT ?"
        return [_incident(*row) for row in self._rows(query, limit)]

    def unclosed(self) -> list[Incident]:
        """The incidents that are open, in the order of their opening."""
        query = "SELECT * FROM incidents WHERE closed IS NULL ORDER BY opened DESC, rowid DESC"
        return [_incident(*row) for row in self._rows(query)]

    def checks(self, limit: int = 100) -> dict[str, list[Observation]]:
        """The last *limit* checks of each provider, the oldest first."""
        names = self._rows("SELECT DISTINCT provider FROM checks")
        query = "SELECT * FROM checks WHERE provider = ? ORDER BY at DESC, rowid DESC LIMIT ?"
        return {name: [_check(*row) for row in self._rows(query, name, limit)] for (name,) in names}


def _incident(key: str, provider: str, cause: str, opened: str, *more: Any) -> Incident:
    closed, observations, last_error = more
    return Incident(
        id=key,
        provider=provider,
        cause=Finding(cause),
        opened=datetime.fromisoformat(opened),
        closed=datetime.fromisoformat(closed) if closed else None,
        observations=observations,
        last_error=last_error,
    )


def _check(provider: str, at: str, finding: str, error: str, latency: float | None) -> Observation:
    return Observation(
        provider=provider,
        at=datetime.fromisoformat(at),
        finding=Finding(finding),
        error=error,
        latency=latency,
        probe=True,
    )
