"""Undoing a response's Content-Encoding, within bounds, and never accepting a cut one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from .errors import ResponseFormatError

ACCEPTED = "gzip, deflate"
"""The value of Accept-Encoding: what the standard library undoes."""

PIECE = 256 * 1024
"""At most so many decoded bytes come out at a time."""


class Decoder(Protocol):
    """Turns received bytes into decoded pieces of bounded size."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The pieces that *chunk* decodes to."""
        ...

    def close(self) -> None:
        """Raise `ResponseFormatError` if the encoded body was cut."""
        ...


class Zlib:
    """gzip (also of several members) and deflate (zlib-wrapped or raw)."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._bits = 31 if encoding == "gzip" else 15
        self._inflate = zlib.decompressobj(self._bits)
        self._begun = False
        self._held = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The decoded pieces; nothing is decoded before it is asked for."""
        if not self._begun:
            # Two bytes tell a zlib wrapper from raw deflate.
            self._held = chunk = self._held + chunk
            if len(chunk) < 2:
                return
        while chunk:
            yield from self._piece(chunk)
            if self._inflate.eof and (chunk := self._inflate.unused_data.lstrip(b"\0")):
                self._inflate = zlib.decompressobj(self._bits)
            else:
                chunk = self._inflate.unconsumed_tail

    def _piece(self, chunk: bytes) -> Iterator[bytes]:
        try:
            piece = self._inflate.decompress(chunk, PIECE)
        except zlib.error as error:
            if self._begun or self._encoding == "gzip":
                message = f"the {self._encoding} body is broken: {error}"
                raise ResponseFormatError(message) from None
            # Many servers send deflate without its zlib wrapper.
            self._bits = -15
            self._inflate = zlib.decompressobj(self._bits)
            self._begun = True
            yield from self._piece(chunk)
            return
        self._begun = True
        if piece:
            yield piece

    def close(self) -> None:
        """Raise if the compressed body ended early."""
        if self._held and not self._inflate.eof:
            raise ResponseFormatError(f"the {self._encoding} body was cut")


def decoder(encoding: str) -> Decoder | None:
    """The decoder for a Content-Encoding; None where there is nothing to undo.

    Raises:
        ResponseFormatError: an encoding that was not asked for.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return Zlib("gzip")
        case "deflate":
            return Zlib("deflate")
        case other:
            raise ResponseFormatError(f"the response is encoded as {other[:40]!r}, not {ACCEPTED}")
