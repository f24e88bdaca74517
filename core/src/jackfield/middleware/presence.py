"""Which processes still run: each holds a lock on a file of its own."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path
from typing import IO


class Presence:
    """Tells which processes still run: each holds a lock on a file of its own, which dies with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.token = uuid.uuid4().hex
        place = folder / self.token
        while True:
            folder.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(FileNotFoundError, BlockingIOError):  # somebody cleaned up
                self._file = place.open("w")
                _lock(self._file)
                if place.exists():
                    break

    def lives(self, token: str) -> bool:
        """Whether the process with *token* may still run; the file of a dead one is removed."""
        if token == self.token:
            return True
        try:
            with (self._folder / token).open("r+") as file:
                _lock(file)
                (self._folder / token).unlink()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def others(self) -> list[str]:
        """Who else left a file, alive or dead."""
        return [path.name for path in self._folder.iterdir() if path.name != self.token]

    def forget(self) -> None:
        """Let go of the file, as a child does of its parent's: the lock lives while one has it open."""
        self._file.close()

    def leave(self) -> None:
        """Say that this process has nothing under way."""
        self.forget()
        with contextlib.suppress(OSError):  # others are there still, or clean it up
            (self._folder / self.token).unlink()
            self._folder.rmdir()


def _lock(file: IO[str]) -> None:
    """Lock *file* for as long as it is open; OSError where another has it."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # on Windows alone
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
