"""The fault server: listeners on loopback, a thread a connection, a script a request."""

from __future__ import annotations

import contextlib
import selectors
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from . import plan as plans
from .answers import answer as named_answer
from .answers import offered
from .catalogue import CATALOGUE
from .dialects import find, spoken
from .http import Head, read_body, read_head
from .listeners import ON_ACCEPT, Blackhole, bound, listen
from .log import Connection, Log, Received
from .reply import Reply, healthy
from .script import Script
from .tls import trust
from .values import Answer, Fault, Pace, Situation
from .wire import OutOfPatienceError, PeerGoneError, Wire, run

PLAIN = ("http", "other", "reset", "tls_plain", "tls_stall")
SECURE = ("tls", "tls_wrong_name", "tls_untrusted")
TLS_ORIGINS = (*SECURE, "tls_plain", "tls_stall")


class FaultServer:
    """A server on 127.0.0.1 that answers like a provider, or fails as the catalogue says.

    It speaks every dialect of `DIALECTS` at once and is a context manager::

        with FaultServer() as server:
            client = OpenAI(base_url=server.url("openai", fault="cut_clean"), api_key="x")

    *pace* holds the seconds of gaps and silences, *limit* how long one request may take.
    `log` has what it received. It runs in threads of its own, so sync, asyncio and trio
    programs use it alike.
    """

    def __init__(self, *, pace: Pace | None = None, limit: float = 60.0) -> None:
        self.pace = pace or Pace()
        self.limit = limit
        self.log = Log()
        self._listeners: dict[str, socket.socket] = {}
        self._sockets: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stop: tuple[socket.socket, socket.socket] | None = None
        self._acceptor: threading.Thread | None = None
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._listeners = {origin: listen() for origin in (*PLAIN, *SECURE)}
        self._blackhole = self._cleanup.enter_context(Blackhole())
        self._refused = self._cleanup.enter_context(bound())
        self._stop = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name="faults-accept", daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every listener and connection and wait for the threads."""
        if self._stop is None or self._acceptor is None:
            return
        self._stop[1].send(b"x")
        self._acceptor.join(5)
        for listener in (*self._listeners.values(), *self._stop):
            listener.close()
        with self._lock:
            sockets, threads = list(self._sockets), list(self._threads)
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
        self._cleanup.close()
        self._stop = None

    # Addresses -----------------------------------------------------------------------------

    def origin(self, name: str = "http") -> str:
        """The URL of one listener, without a path. Raises KeyError for an unknown name."""
        if name == "dns":
            return "http://pelican.invalid"
        if name == "refused":
            return f"http://127.0.0.1:{self._refused.getsockname()[1]}"
        if name == "blackhole":
            return f"http://127.0.0.1:{self._blackhole.port}"
        scheme = "https" if name in TLS_ORIGINS else "http"
        return f"{scheme}://127.0.0.1:{self._listeners[name].getsockname()[1]}"

    @property
    def origins(self) -> Mapping[str, str]:
        """The URLs of all listeners by name."""
        return {name: self.origin(name) for name in (*PLAIN, *SECURE)}

    def url(
        self, dialect: str = "openai", fault: str = "", *, tag: str = "", origin: str = ""
    ) -> str:
        """The base URL for a client of *dialect* that shall meet *fault*.

        *fault* is a name of `CATALOGUE`, a sequence (``"503,429,ok"``), or ``"every=3"`` with an
        optional ``":name"``; *tag* keeps counts and log entries of several tests apart. Raises
        ValueError for an unknown fault or dialect.
        """
        dialects = spoken()
        if dialect not in dialects:
            raise ValueError(f"no dialect {dialect!r}; have {', '.join(dialects)}")
        plan = plans.checked(fault or "ok", tag, CATALOGUE)
        origin = origin or (CATALOGUE[fault].origin if fault in CATALOGUE else "http")
        segment = f"/{plan.segment}" if fault or tag else ""
        return self.origin(origin) + segment + dialects[dialect].prefix

    def answer(self, fault: str = "ok", *, tools: bool = False) -> Answer:
        """The answer that a client shall have after *fault*, with its tool calls where it offered *tools*."""
        entry = CATALOGUE[fault]
        return offered(named_answer(entry.truth or entry.answer), tools=tools)

    @property
    def ca_pem(self) -> str:
        """The certificate of the authority behind the listeners ``tls`` and ``tls_wrong_name``."""
        return trust().ca_pem

    @property
    def ca_file(self) -> str:
        """A file with `ca_pem`, removed when the server closes."""
        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory())
        path = Path(folder, "ca.pem")
        path.write_text(self.ca_pem)
        return str(path)

    # Serving -------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._stop is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._stop[0], selectors.EVENT_READ, "")
            for origin, listener in self._listeners.items():
                selector.register(listener, selectors.EVENT_READ, origin)
            while True:
                for key, _ in selector.select():
                    if not key.data:
                        return
                    with contextlib.suppress(OSError):
                        self._start(self._listeners[key.data].accept()[0], key.data)

    def _start(self, sock: socket.socket, origin: str) -> None:
        thread = threading.Thread(
            target=self._serve, args=(sock, origin), name=f"faults-{origin}", daemon=True
        )
        with self._lock:
            self._sockets.add(sock)
            self._threads.add(thread)
        thread.start()

    def _serve(self, sock: socket.socket, origin: str) -> None:
        record = Connection(origin)
        self.log.add_connection(record)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secured = sock
        try:
            if origin in SECURE:
                sock.settimeout(self.limit)
                secured = trust().contexts[origin].wrap_socket(sock, server_side=True)
                with self._lock:
                    self._sockets.add(secured)
            wire = Wire(secured, record, self.log, limit=self.limit)
            if (accept := ON_ACCEPT.get(origin)) is not None:
                run(accept(wire), wire, hold=self.pace.hold)
            else:
                self._requests(wire, record)
        except (PeerGoneError, OutOfPatienceError, OSError, ValueError):
            pass
        finally:
            self._forget(sock, secured, record)

    def _forget(self, sock: socket.socket, secured: socket.socket, record: Connection) -> None:
        with contextlib.suppress(OSError):
            secured.close()
        with self._lock:
            self._sockets -= {sock, secured}
            self._threads.discard(threading.current_thread())
        with self.log.changing():
            record.ended = record.ended or time.monotonic()

    def _requests(self, wire: Wire, record: Connection) -> None:
        outcome: str = "kept"
        seen: Counter[tuple[str, str]] = Counter()
        while outcome == "kept":
            wire.renew()
            head = read_head(wire)
            received, fault, nth = self._register(head, record)
            body = b"" if fault.early else read_body(wire, head)
            with self.log.changing():
                received.body = body
            reply = _reply(head, received, fault, body)
            situation = Situation(
                path=received.path,
                nth=nth,
                on_connection=seen[received.fault, received.tag],
                origins=self.origins,
                pace=self.pace,
                headers=head.headers,
                body=body,
            )
            meant = fault.concerns(reply.dialect.name, stream=reply.stream)
            script = (fault.inject if meant else healthy)(reply, situation)
            outcome = self._play(script, wire, received)
            seen[received.fault, received.tag] += 1

    def _register(self, head: Head, record: Connection) -> tuple[Received, Fault, int]:
        plan, rest = plans.from_path(head.target, CATALOGUE)
        dialect, operation = find(head.method, rest, head.headers)
        received = Received(
            connection=record,
            method=head.method,
            path=rest,
            headers=head.headers,
            raw_head=head.raw,
            fault=plan.text,
            tag=plan.tag,
            operation=operation,
            dialect=dialect.name,
        )
        nth = self.log.add_request(received)
        return received, CATALOGUE[plan.fault(nth)], nth

    def _play(self, script: Script, wire: Wire, received: Received) -> str:
        before, outcome = received.connection.sent, "stopped"
        try:
            outcome = run(script, wire, hold=self.pace.hold)
        except PeerGoneError:
            outcome = "gone"
        finally:
            with self.log.changing():
                received.outcome, received.sent = outcome, received.connection.sent - before
                received.gone = received.connection.peer_closed
        return outcome


def _reply(head: Head, received: Received, fault: Fault, body: bytes) -> Reply:
    dialect = spoken()[received.dialect]
    if not received.operation:
        return dialect.failure(404, "not_found", f"no route {head.method} {received.path}")
    return dialect.reply(received.operation, body, named_answer(fault.answer))
