"""The script of an answer: what to do with a connection, step by step, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes, in one packet where the system allows it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait this many seconds; a peer that goes meanwhile ends the script."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Say nothing more until the peer goes or the server's patience ends."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Neither say nor read anything more: an upload fills the buffers and stands still."""


@dataclass(frozen=True, slots=True)
class Sip:
    """Say nothing and read *size* bytes every *pause* seconds: an upload crawls."""

    size: int
    pause: float


@dataclass(frozen=True, slots=True)
class Fin:
    """Close our direction in order (FIN) and wait for the peer to close its own."""


@dataclass(frozen=True, slots=True)
class Rst:
    """Abort the connection (RST): the peer loses what it has not read."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The answer is complete; serve the next request on this connection."""


Action = Send | Sleep | Hold | Stall | Sip | Fin | Rst | Keep
Script = Iterable[Action]


def drip(data: bytes, *, size: int = 1, pause: float = 0.0) -> Iterator[Action]:
    """Send *data* in packets of *size* bytes with *pause* seconds after each."""
    for start in range(0, len(data), size):
        yield Send(data[start : start + size])
        if pause:
            yield Sleep(pause)
