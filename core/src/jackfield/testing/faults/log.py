"""What the fault server saw: connections, requests, bytes, and who closed what when."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from .values import Json


@dataclass
class Connection:
    """One accepted connection on the listener called *origin*; times are monotonic seconds."""

    origin: str
    opened: float = field(default_factory=time.monotonic)
    received: bytearray = field(default_factory=bytearray, repr=False)
    sent: int = 0
    peer_closed: float | None = None
    ended: float | None = None

    @property
    def open(self) -> bool:
        """Neither side has closed it."""
        return self.ended is None and self.peer_closed is None


@dataclass
class Received:
    """One request: what it said, and how the script for it ended.

    *outcome* is ``""`` while the script runs, then ``kept`` (answered whole, connection kept),
    ``closed`` (the script closed it), ``gone`` (the peer left before the end), or ``stopped``
    (the server stopped or ran out of patience). *gone* is the time at which the peer left.
    """

    connection: Connection
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    raw_head: bytes = field(repr=False)
    fault: str = ""
    tag: str = ""
    operation: str = ""
    dialect: str = ""
    body: bytes = field(default=b"", repr=False)
    at: float = field(default_factory=time.monotonic)
    outcome: str = ""
    gone: float | None = None
    sent: int = 0

    @property
    def json(self) -> Json:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Log:
    """Every connection and request that the server saw, safe to read from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._connections: list[Connection] = []
        self._requests: list[Received] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold this around a change of a record, so that waiters notice it."""
        with self._changed:
            yield
            self._changed.notify_all()

    def add_connection(self, connection: Connection) -> None:
        """Keep *connection*."""
        with self.changing():
            self._connections.append(connection)

    def add_request(self, request: Received) -> int:
        """Keep *request*; how many came before it for the same fault and tag."""
        with self.changing():
            self._requests.append(request)
            self._counts[request.fault, request.tag] += 1
            return self._counts[request.fault, request.tag] - 1

    def requests(self, tag: str | None = None) -> list[Received]:
        """The requests in order, those of *tag* where one is given."""
        with self._changed:
            return [r for r in self._requests if tag is None or r.tag == tag]

    def connections(self, origin: str | None = None) -> list[Connection]:
        """The connections in order, those of one listener where *origin* is given."""
        with self._changed:
            return [c for c in self._connections if origin is None or c.origin == origin]

    def bytes_received(self, origin: str) -> bytes:
        """Everything that reached the listener *origin*."""
        return b"".join(bytes(connection.received) for connection in self.connections(origin))

    def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until *condition* holds, looking again at each change; False after *timeout* seconds."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def wait_gone(self, tag: str, timeout: float) -> bool:
        """Wait until no script for *tag* runs any more."""
        return self.wait(lambda: all(r.outcome for r in self._requests if r.tag == tag), timeout)

    def wait_requests(self, tag: str, count: int, timeout: float) -> bool:
        """Wait until *count* requests for *tag* have arrived."""
        return self.wait(lambda: sum(r.tag == tag for r in self._requests) >= count, timeout)

    def open_connections(self, origin: str | None = None) -> int:
        """How many connections are open at this moment."""
        return sum(connection.open for connection in self.connections(origin))
