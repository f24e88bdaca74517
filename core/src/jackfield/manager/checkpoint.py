"""The file that a batch is resumed from: one line of JSON for each result, on the disk before it is handed out."""

from __future__ import annotations

import json
import os
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from ..errors import ConfigError, LLMError
from .encoding import decode, dumps, encode

HEAD = b'{"jackfield":"batch","version":1}\n'
ANOTHER = "another checkpoint (of `jackfield batch`: another OUT)"
_NONE, _DONE, _FAILED = range(3)
_PIECE = 65_536
_RESULT = frozenset({"response", "error"})


@frozen(kw_only=True)
class Kept:
    """A result as the file has it."""

    key: str
    digest: str
    response: Any = None
    error: LLMError | None = None


def _places(given: Iterable[int]) -> tuple[int, ...]:
    return tuple(given)


@frozen(kw_only=True)
class KeptJob:
    """A batch that was handed in to *provider*, and the places of its requests."""

    id: str
    provider: str
    places: tuple[int, ...] = field(converter=_places)


class Checkpoint:
    """What a batch has done so far, in a file that one process at a time may have open.

    A last line that a crash cut short is taken back. Where in the file a result
    is takes nine bytes of memory. May be written from any thread.

    Raises:
        ConfigError: the file is something else, damaged, or in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._places, self._states = array("q"), bytearray()
        self.jobs: dict[int, KeptJob] = {}
        """Jobs that have not been read yet, by the places of their requests."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            self._claim()
            self._load()
        except BaseException:
            self._file.close()
            raise

    def _claim(self) -> None:
        """Keep other processes off the file, where the system can."""
        try:
            import fcntl
        except ImportError:  # there is none on Windows
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fix = "wait for it, or name another file"
            raise ConfigError(
                f"{self.path}: another batch is using this checkpoint; {fix}"
            ) from None

    def _load(self) -> None:
        good = 0
        for number, (start, line) in enumerate(_lines(self._file), 1):
            if number == 1 and line != HEAD:
                if HEAD.startswith(line):
                    break
                fix = "name another file"
                raise ConfigError(f"{self.path}: this is no checkpoint of a batch; {fix}")
            try:
                read = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                read = None
            if not isinstance(read, dict):
                if self._file.read(1):
                    fix = "start anew with another file"
                    raise ConfigError(f"{self.path}: line {number} is damaged; {fix}")
                break  # a crash cut it short
            try:
                self._take(read, start)
            except (KeyError, TypeError, ValueError):
                fix = "start anew with another file"
                raise ConfigError(f"{self.path}: line {number} is damaged; {fix}") from None
            good = start + len(line)
        self._file.truncate(good)
        self._end = good
        if not good:
            self._append(HEAD)
            _sync_folder(self.path.parent)

    def _take(self, read: Mapping[str, Any], start: int) -> None:
        """What a line says that starts at *start*."""
        if "job" in read:
            job = KeptJob(id=read["job"], provider=read["provider"], places=read["places"])
            self.jobs |= dict.fromkeys(job.places, job)
        elif "index" in read:
            index = read["index"]
            known = isinstance(read["key"], str) and isinstance(read["digest"], str)
            if type(index) is not int or index < 0 or not known or _RESULT.isdisjoint(read):
                raise ValueError(index)
            self._note(index, start, "error" in read)

    def _note(self, index: int, start: int, failed: bool) -> None:
        missing = index + 1 - len(self._places)
        if missing > 0:
            self._places.extend([0] * missing)
            self._states.extend(bytes(missing))
        self._places[index], self._states[index] = start, _FAILED if failed else _DONE
        self.jobs.pop(index, None)

    def __len__(self) -> int:
        """One more than the place of the last request that has a result."""
        return len(self._places)

    def find(self, index: int, key: str, digest: str, *, errors: bool = True) -> Kept | None:
        """The result of the request at *index*, if there is one; a failure only of that very request, if *errors* are wanted.

        Raises:
            ConfigError: it is the answer to another request.
        """
        with self._lock:
            if index >= len(self._states) or self._states[index] == _NONE:
                return None
            line = self._line(self._places[index])
        told: Mapping[str, Any] = json.loads(line)
        if "error" in told and not errors:
            return None
        if (told["key"], told["digest"]) != (key, digest):
            if "error" in told:  # it was mended
                return None
            what = "has changed" if told["key"] == key else f"was {told['key']!r}"
            fix = f"restore the input, or start anew with {ANOTHER}"
            raise ConfigError(f"{self.path}: request {index} ({key!r}) {what} since; {fix}")
        try:
            held = {name: decode(told[name]) for name in ("response", "error") if name in told}
        except ValueError as error:
            raise ConfigError(f"{self.path}: request {index}: {error}") from None
        return Kept(key=key, digest=digest, **held)

    def write(self, index: int, kept: Kept) -> None:
        """Put the result of the request at *index* on the disk."""
        line: dict[str, Any] = {"index": index, "key": kept.key, "digest": kept.digest}
        if kept.error is not None:
            line["error"] = encode(kept.error)
        else:
            line["response"] = encode(kept.response)
        with self._lock:
            self._note(index, self._append(_bytes(line)), kept.error is not None)

    def write_job(self, job: KeptJob) -> None:
        """Put on the disk that *job* was handed in."""
        line = {"job": job.id, "provider": job.provider, "places": list(job.places)}
        with self._lock:
            self._append(_bytes(line))
            self.jobs |= dict.fromkeys(job.places, job)

    def _append(self, line: bytes) -> int:
        start, descriptor = self._end, self._file.fileno()
        try:  # past the buffer, which would keep what found no room
            os.lseek(descriptor, start, os.SEEK_SET)
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except OSError:  # the disk is full, say: what is there stays whole
            os.ftruncate(descriptor, start)
            raise
        self._end = start + len(line)
        return start

    def _line(self, start: int) -> bytes:
        """The line that starts at *start*."""
        descriptor, found = self._file.fileno(), b""
        os.lseek(descriptor, start, os.SEEK_SET)
        while b"\n" not in found and (more := os.read(descriptor, _PIECE)):
            found += more
        return found.partition(b"\n")[0]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _bytes(line: Any) -> bytes:
    return dumps(line).encode() + b"\n"


def _lines(file: Any) -> Iterator[tuple[int, bytes]]:
    """The lines of *file* and where each starts."""
    start = 0
    while line := file.readline():
        yield start, line
        start += len(line)


def _sync_folder(folder: Path) -> None:
    """Make a new file's name as durable as its bytes, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
