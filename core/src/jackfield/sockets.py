"""What the transport adds to a socket: a deadline for each operation, and one write a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

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
