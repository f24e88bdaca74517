"""What the transport adds to sockets: a deadline for everything, and one write a request."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

S = TypeVar("S")

_PIECE = 256 * 1024
"""Writes of at most so many bytes, together, are sent as one; longer ones in pieces of this size."""


class _Deadline(threading.local):
    at: float = float("inf")


DEADLINE = _Deadline()
"""When the blocking operations of this thread must end, by the monotonic clock."""


def seconds(deadline: float) -> float | None:
    """Seconds until *deadline*, at least 0; None for never."""
    return None if deadline == float("inf") else max(0.0, deadline - time.monotonic())


def left(timeout: float | None) -> float | None:
    """*timeout*, or less where the thread's deadline comes first.

    Raises:
        TimeoutError: the deadline has passed.
    """
    until = seconds(DEADLINE.at)
    if until is None:
        return timeout
    if until == 0:
        raise TimeoutError("the deadline has passed")
    return until if timeout is None else min(timeout, until)


class NoAddressError(OSError):
    """A host name has no address, as far as the resolver knows."""


class NoAddressInTimeError(TimeoutError):
    """The resolver did not answer in time."""


UNRESOLVED = (NoAddressError, NoAddressInTimeError)


def addresses(host: str, port: int, timeout: float | None) -> list[str]:
    """The addresses of *host*, looked up aside: the system's resolver knows no deadline.

    Raises:
        NoAddressError: there is none.
        NoAddressInTimeError: the resolver is slow.
    """
    found: queue.SimpleQueue[list[str] | NoAddressError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(info[4][0]) for info in infos])
        except (OSError, UnicodeError) as error:
            found.put(NoAddressError(f"no address for {host}: {error}"))

    if host.replace(".", "").isdecimal() or ":" in host:
        return [host]
    threading.Thread(target=look_up, daemon=True, name="jackfield-resolver").start()
    try:
        answer = found.get(timeout=timeout)
    except queue.Empty:
        raise NoAddressInTimeError(f"no address for {host} in time") from None
    if isinstance(answer, NoAddressError):
        raise answer
    return answer


def connect(
    host: str, port: int, timeout: float | None, opening: Callable[[str, float | None], S]
) -> S:
    """What *opening* makes of the first address of *host* that answers, all within *timeout*."""
    end = float("inf") if timeout is None else time.monotonic() + timeout
    *others, last = addresses(host, port, timeout)
    for address in others:
        with contextlib.suppress(Exception):
            return opening(address, seconds(end))
    return opening(last, seconds(end))


class Unsent:
    """A socket's writes that are not sent yet: a request's head and body go out together."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.unsent: list[bytes] = []

    def take(self) -> Iterator[bytes]:
        """The writes due now: small ones joined, large ones in pieces, each with its own deadline."""
        due, self.unsent = self.unsent, []
        if sum(map(len, due)) <= _PIECE:
            yield b"".join(due)
            return
        for data in due:
            for start in range(0, len(data), _PIECE):
                yield data[start : start + _PIECE]

    def get_extra_info(self, info: str) -> Any:
        """Facts about the socket."""
        return self.stream.get_extra_info(info)
