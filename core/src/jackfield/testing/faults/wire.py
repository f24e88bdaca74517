"""One end of a connection: bytes in and out, watched for the peer's leaving, bounded in time."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import time

from .log import Connection, Log
from .script import Fin, Hold, Keep, Rst, Script, Send, Sip, Sleep, Stall

READ = 65_536
GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP
"""What a peer's leaving looks like where its bytes are left unread."""


class PeerGoneError(Exception):
    """The peer closed or reset the connection."""


class OutOfPatienceError(Exception):
    """The connection lived longer than the server's limit."""


class Wire:
    """A socket with a buffer, a record in the log, and a deadline.

    Leaving is noticed at once: while a script sleeps or holds, the wire polls for the end of input.
    """

    def __init__(self, sock: socket.socket, record: Connection, log: Log, *, limit: float) -> None:
        self._sock = sock
        self._record = record
        self._log = log
        self._limit = limit
        self.renew()
        self.buffer = bytearray()
        sock.settimeout(limit)

    def renew(self) -> None:
        """Be patient anew: another request begins."""
        self._deadline = time.monotonic() + self._limit

    def left(self) -> float:
        """Seconds of patience left; raises OutOfPatienceError when none is."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise OutOfPatienceError
        return seconds

    def _gone(self) -> PeerGoneError:
        with self._log.changing():
            self._record.peer_closed = self._record.peer_closed or time.monotonic()
        return PeerGoneError()

    def receive(self, size: int = READ) -> None:
        """Read once into the buffer, at most *size* bytes; raises PeerGoneError at the end of input."""
        self._sock.settimeout(self.left())
        try:
            data = self._sock.recv(size)
        except (TimeoutError, ssl.SSLWantReadError):
            return
        except OSError:
            raise self._gone() from None
        if not data:
            raise self._gone()
        self.buffer += data
        with self._log.changing():
            self._record.received += data

    def send(self, data: bytes) -> None:
        """Write all of *data*."""
        view = memoryview(data)
        while view:
            self._sock.settimeout(self.left())
            try:
                sent = self._sock.send(view)
            except TimeoutError:
                continue
            except OSError:
                raise self._gone() from None
            view = view[sent:]
            self._record.sent += sent

    def wait(self, seconds: float, *, reading: bool = True) -> None:
        """Let *seconds* pass; raises PeerGoneError when the peer leaves meanwhile.

        Without *reading* input stays in the system's buffers, so that a large upload is held up.
        """
        end = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._sock, select.POLLIN if reading else GONE)
        while (rest := min(end - time.monotonic(), self.left())) > 0:
            if not poll.poll(rest * 1000):
                continue
            if not reading:
                raise self._gone()
            self.receive()

    def sip(self, size: int, pause: float, seconds: float) -> None:
        """Read *size* bytes every *pause* seconds for so many *seconds*."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.receive(size)
            self.buffer.clear()
            self.wait(pause, reading=False)

    def fin(self) -> None:
        """Close the outgoing direction and wait for the peer to close its own."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            raise self._gone() from None
        while True:
            self.receive()
            self.buffer.clear()

    def rst(self) -> None:
        """Abort the connection."""
        reset(self._sock)


def reset(sock: socket.socket) -> None:
    """Close *sock* with a reset instead of an orderly end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def run(script: Script, wire: Wire, *, hold: float) -> str:
    """Perform *script* on *wire*; ``kept`` when the connection may serve another request, else ``closed``."""
    for action in script:
        match action:
            case Send(data):
                wire.send(data)
            case Sleep(seconds):
                wire.wait(seconds)
            case Hold():
                wire.wait(hold)
                return "closed"
            case Stall():
                wire.wait(hold, reading=False)
                return "closed"
            case Sip(size, pause):
                wire.sip(size, pause, hold)
                return "closed"
            case Fin():
                _end(wire)
                return "closed"
            case Rst():
                wire.rst()
                return "closed"
            case Keep():
                return "kept"
    return "closed"


def _end(wire: Wire) -> None:
    with contextlib.suppress(PeerGoneError):
        wire.fin()
