"""Which processes still run: each holds a lock on a file of its own, which is its journal, too."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path
from typing import IO


class Presence:
    """Tells which processes still run: each holds a lock on a file of its own, which dies with it.

    What a process writes into its file is there for whoever finds it dead.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.token, self._size = uuid.uuid4().hex, 0
        place = folder / self.token
        while True:
            folder.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(FileNotFoundError, BlockingIOError):  # somebody cleaned up
                self._file = place.open("ab", buffering=0)
                _lock(self._file)
                if place.exists():
                    break

    def append(self, text: bytes, *, lasting: bool) -> None:
        """Write *text*, all of it or nothing; a *lasting* one survives a power cut, and waits for the disk.

        Raises:
            OSError: there is no room.
        """
        number = self._file.fileno()
        try:
            if (self._file.write(text) or 0) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301  # one way back
            if lasting:
                os.fsync(number)
        except OSError:
            os.ftruncate(number, self._size)
            raise
        self._size += len(text)

    def clear(self) -> None:
        """Have nothing written: it is elsewhere now."""
        if self._size:
            os.ftruncate(self._file.fileno(), 0)
            self._size = 0

    def lives(self, token: str) -> bool:
        """Whether the process with *token* may still run."""
        return token == self.token or runs(self._folder / token)

    def left(self, token: str) -> list[bytes]:
        """The whole lines that the dead process with *token* has left."""
        try:
            return (self._folder / token).read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []

    def bury(self, token: str) -> None:
        """Remove the file of a dead process."""
        with contextlib.suppress(OSError):
            (self._folder / token).unlink()

    def others(self) -> list[str]:
        """Who else left a file, alive or dead."""
        return [path.name for path in self._folder.iterdir() if path.name != self.token]

    def forget(self) -> None:
        """Let go of the file, as a child does of its parent's: the lock lives while one has it open."""
        self._file.close()

    def leave(self) -> None:
        """Say that this process has nothing under way; what it has written stays for others."""
        self.forget()
        if self._size:
            return
        with contextlib.suppress(OSError):  # others are there still, or clean it up
            (self._folder / self.token).unlink()
            self._folder.rmdir()


def runs(place: Path) -> bool:
    """Whether the process with the file at *place* may still run."""
    try:
        with place.open("rb+") as file:
            _lock(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def orphans(folder: Path) -> bool:
    """Whether a dead process has left something in *folder*."""
    with contextlib.suppress(OSError):
        return any(place.stat().st_size and not runs(place) for place in folder.iterdir())
    return False


def _lock(file: IO[bytes]) -> None:
    """Lock *file* for as long as it is open; OSError where another has it."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # on Windows alone
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
