"""Bytes to frames, whole reads at a time: server-sent events and JSON lines."""

from __future__ import annotations

from typing import Protocol

from .errors import ResponseTooLargeError

Frame = tuple[bytes, bytes]
"""The event's name (``b""`` if it has none) and its data."""

MAX_EVENT = 8 * 1024 * 1024


class Framing(Protocol):
    """Cuts a stream of bytes into frames; holds what is not whole yet."""

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that *chunk* completes."""
        ...

    def close(self) -> list[Frame]:
        """What an end without its blank line or newline leaves over."""
        ...


class _Lines:
    """Joins what reads cut apart: gives out whole lines, holds the rest."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0

    def complete(self, chunk: bytes) -> bytes:
        """The whole lines that *chunk* completes; ``b""`` if there are none yet."""
        end = chunk.rfind(b"\n") + 1
        if not end:
            self.hold(chunk)
            return b""
        text = chunk[:end] if not self._chunks else self.take() + chunk[:end]
        self.hold(chunk[end:])
        return text

    def hold(self, rest: bytes) -> None:
        """Keep *rest* until more comes."""
        if rest:
            self._size += len(rest)
            if self._size > MAX_EVENT:
                raise ResponseTooLargeError(f"a stream event is longer than {MAX_EVENT} bytes")
            self._chunks.append(rest)

    def take(self) -> bytes:
        """What is held, which is then held no more."""
        held = b"".join(self._chunks)
        self._chunks, self._size = [], 0
        return held

    def __bool__(self) -> bool:
        return bool(self._chunks)


class SSE:
    """Server-sent events, as the HTML standard defines the stream.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
    """

    def __init__(self) -> None:
        self._held = _Lines()
        self._event = b""
        self._data: list[bytes] = []
        self._first = True
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """The events that *chunk* completes."""
        if not (self._held or self._data or self._event or self._first or self._after_cr):
            # The usual read: one event, one line of data, and nothing held.
            end = len(chunk) - 2
            whole = chunk[end:] == b"\n\n" and chunk.find(b"\n") == end and b"\r" not in chunk
            if whole and chunk[:6] == b"data: ":
                return [(b"", chunk[6:end])]
        if self._first and (chunk := self._without_bom(chunk)) == b"":
            return []
        if self._after_cr and chunk:
            # The other half of a CRLF whose CR already ended its line.
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        text = self._held.complete(chunk)
        return self._lines(text) if text else []

    def _without_bom(self, chunk: bytes) -> bytes:
        """The stream's first bytes, whole enough to tell a byte order mark."""
        chunk = self._held.take() + chunk
        if len(chunk) < 3 and b"\xef\xbb\xbf".startswith(chunk):
            self._held.hold(chunk)
            return b""
        self._first = False
        return chunk.removeprefix(b"\xef\xbb\xbf")

    def _lines(self, text: bytes) -> list[Frame]:
        frames: list[Frame] = []
        for line in text[:-1].split(b"\n"):
            if line[:6] == b"data: ":
                self._data.append(line[6:])
            elif not line:
                if self._data:
                    data = self._data
                    frames.append((self._event, data[0] if len(data) == 1 else b"\n".join(data)))
                    self._data = []
                self._event = b""
            elif line[:7] == b"event: ":
                self._event = line[7:]
            else:
                self._field(line)
        if len(self._data) > 1 and sum(map(len, self._data)) > MAX_EVENT:
            raise ResponseTooLargeError(f"a stream event is longer than {MAX_EVENT} bytes")
        return frames

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._event = value.removeprefix(b" ")

    def close(self) -> list[Frame]:
        """The last event, where the stream ended without its blank line."""
        return self._lines(self._held.take() + b"\n\n")


class NDJSON:
    """One JSON document a line."""

    def __init__(self) -> None:
        self._held = _Lines()

    def feed(self, chunk: bytes) -> list[Frame]:
        """The documents that *chunk* completes."""
        lines = self._held.complete(chunk).split(b"\n")
        return [(b"", line) for line in lines if line.strip()]

    def close(self) -> list[Frame]:
        """The last line, where the stream ended without its newline."""
        return self.feed(b"\n")
