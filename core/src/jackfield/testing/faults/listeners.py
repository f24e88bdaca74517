"""The listeners behind the fault server: ordinary ones, and those that fail before any request."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from .script import Action, Fin, Hold, Rst, Script, Send
from .wire import Wire


def listen(backlog: int = 1024) -> socket.socket:
    """A listener on 127.0.0.1 and a port that the system chooses."""
    sock = socket.socket()
    # Connections inherit it: what is not read here soon stops the peer.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    sock.bind(("127.0.0.1", 0))
    sock.listen(backlog)
    return sock


def bound() -> socket.socket:
    """A socket that holds a port of 127.0.0.1 and does not listen: connections are refused."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


class Blackhole:
    """A port that drops connection attempts: its queue is full and nobody accepts."""

    def __enter__(self) -> Self:
        self._listener = listen(backlog=0)
        self.port: int = self._listener.getsockname()[1]
        self._fillers = [self._filler() for _ in range(4)]
        return self

    def _filler(self) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self.port))
        return sock

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sock in (*self._fillers, self._listener):
            with contextlib.suppress(OSError):
                sock.close()


def _reset(_: Wire) -> Script:
    return [Rst()]


def _plain_text(wire: Wire) -> Iterator[Action]:
    """What a web server answers to the hello of TLS on its plain port."""
    wire.receive()
    yield Send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    yield Fin()


def _stall(_: Wire) -> Script:
    return [Hold()]


ON_ACCEPT: Mapping[str, Callable[[Wire], Script]] = {
    "reset": _reset,
    "tls_plain": _plain_text,
    "tls_stall": _stall,
}
"""What to do on accepting a connection, for the listeners that never read a request."""
