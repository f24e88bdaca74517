"""Rows 7, 8 and 39 to 41: answers that are large, endless, or explode when unpacked."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import repeat

from .answers import ON
from .reply import Reply, changed, chunk, dump, head, healthy, status_line
from .script import Action, Fin, Keep, Send
from .shaping import begin, cut, opening, raw, text_event
from .values import Fault, Situation

MIB = 1 << 20
ENDLESS = 256 * MIB
BOMB = 256 * MIB
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
LARGE = "too_large|interrupted"
BOUND = "timeout|interrupted|too_large"
HEADS = "transport|malformed|too_large"


def _around(reply: Reply) -> tuple[bytes, bytes]:
    """What stands before and after a very long text in *reply*'s body."""
    mark = "PELICAN"
    if reply.stream:
        data = reply.dialect.frame(text_event(reply, mark))
    else:
        data = dump(reply.dialect.message(replace(reply.answer, pieces=(mark,))))
    before, _, after = data.partition(mark.encode())
    return before, after


def endless_text(reply: Reply, _: Situation) -> Iterator[Action]:
    """One event, or one JSON body, whose text never ends."""
    start = reply.with_events(opening(reply)) if reply.stream else reply.with_parts([])
    yield from begin(replace(start, framing="chunked"))
    yield Send(chunk(_around(reply)[0]))
    yield from repeat(Send(chunk(b"pelican " * 8192)), ENDLESS // 65_536)
    yield Fin()


def endless_blanks(reply: Reply, _: Situation) -> Iterator[Action]:
    """Blanks for ever where a body should begin."""
    yield from begin(replace(reply.with_parts([]), framing="chunked"))
    yield from repeat(Send(chunk(b" " * 65_536)), ENDLESS // 65_536)
    yield Fin()


def endless_events(reply: Reply, _: Situation) -> Iterator[Action]:
    """Events without content, as fast as they are read."""
    start = reply.with_events(opening(reply))
    yield from begin(start)
    packet = reply.dialect.frame(text_event(reply, "")) * 256
    yield from repeat(Send(chunk(packet)), ENDLESS // len(packet))
    yield Fin()


@lru_cache(maxsize=16)
def _packed(before: bytes, after: bytes) -> bytes:
    """*before*, 256 MiB of one letter, and *after* in gzip; the middle is packed once and repeated."""
    packer, block = zlib.compressobj(9, wbits=-15), b"a" * MIB
    start = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    middle = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(after) + packer.flush()
    checksum = zlib.crc32(before)
    for _ in range(BOMB // MIB):
        checksum = zlib.crc32(block, checksum)
    size = len(before) + BOMB + len(after)
    trailer = struct.pack("<LL", zlib.crc32(after, checksum), size % (1 << 32))
    return GZIP_HEAD + start + middle * (BOMB // MIB) + end + trailer


def bomb(reply: Reply, _: Situation) -> Iterator[Action]:
    """A quarter of a megabyte that unpacks to a thousand times as much."""
    before, after = _around(reply)
    small = reply.with_parts([_packed(before, after)]).with_header("content-encoding", "gzip")
    yield Send(head(small))
    for start in range(0, len(small.body), 4096):
        data = small.body[start : start + 4096]
        yield Send(chunk(data) if small.framing == "chunked" else data)
    yield Send(b"0\r\n\r\n" if small.framing == "chunked" else b"")
    yield Keep()


def bomb_error(_reply: Reply, _: Situation) -> Iterator[Action]:
    """An error page that is a bomb."""
    body = _packed(b'{"error": {"message": "', b'"}}')
    lines = f"content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {len(body)}\r\n\r\n"
    yield Send(status_line(500) + lines.encode())
    yield Send(body)
    yield Keep()


def torrent(reply: Reply, _: Situation) -> Iterator[Action]:
    """Valid pieces of text as fast as they are read, without end."""
    yield from begin(cut(reply))
    packet = reply.dialect.frame(text_event(reply, ON)) * 256
    yield from repeat(Send(chunk(packet)), ENDLESS // len(packet))
    yield Fin()


def endless_error(_reply: Reply, _: Situation) -> Iterator[Action]:
    """An error page without end."""
    yield Send(status_line(500) + b"content-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n")
    yield from repeat(Send(chunk(b"<p>pelican</p>" * 4096)), ENDLESS // 57_344)
    yield Fin()


def _headers(*lines: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\n"
        + b"".join(lines)
        + b"content-length: 2\r\nconnection: close\r\n\r\n{}"
    )


def endless_head(_reply: Reply, _: Situation) -> Iterator[Action]:
    """Headers for ever."""
    yield Send(b"HTTP/1.1 200 OK\r\n")
    yield from repeat(Send(b"x-pelican: flies on and on\r\n" * 2048), 1024)
    yield Fin()


FAULTS: Sequence[Fault] = (
    Fault(
        "giant_event",
        7,
        "one piece of 4 MiB",
        healthy,
        "equal|too_large|interrupted",
        "equal|too_large",
        answer="giant",
    ),
    Fault(
        "tiny_events",
        8,
        "20,000 pieces of one character",
        changed(),
        "equal",
        "equal",
        answer="tiny",
    ),
    Fault("endless_text", 39, "one text that never ends", endless_text, LARGE, LARGE, big=True),
    Fault(
        "endless_blanks",
        39,
        "blanks for ever",
        endless_blanks,
        "too_large|timeout",
        "too_large|timeout",
        big=True,
    ),
    Fault(
        "endless_events",
        39,
        "events without content for ever",
        endless_events,
        "too_large|timeout|retryable|interrupted",
        big=True,
    ),
    Fault(
        "endless_error",
        39,
        "an error page without end",
        endless_error,
        "status:500",
        "status:500",
        big=True,
    ),
    Fault("bomb", 40, "gzip, 1 to 1000", bomb, LARGE, LARGE, big=True),
    Fault(
        "bomb_error",
        40,
        "an error page in gzip, 1 to 1000",
        bomb_error,
        "status:500",
        "status:500",
        big=True,
    ),
    Fault(
        "torrent",
        73,
        "valid pieces as fast as they are read",
        torrent,
        BOUND,
        truth="endless",
        big=True,
    ),
    Fault(
        "header_1mib",
        41,
        "a header of 1 MiB",
        raw(lambda _r, _: _headers(b"x-big: " + b"p" * MIB + b"\r\n")),
        HEADS,
        HEADS,
    ),
    Fault(
        "headers_20000",
        41,
        "20,000 headers",
        raw(lambda _r, _: _headers(b"x-many: pelican\r\n" * 20_000)),
        HEADS,
        HEADS,
    ),
    Fault(
        "header_folded",
        41,
        "a folded header",
        raw(lambda _r, _: _headers(b"x-fold: one\r\n two\r\n\tthree\r\n")),
        HEADS,
        HEADS,
    ),
    Fault(
        "header_no_colon",
        41,
        "a header without a colon",
        raw(lambda _r, _: _headers(b"pelican\r\n")),
        HEADS,
        HEADS,
    ),
    Fault("endless_head", 41, "headers for ever", endless_head, HEADS, HEADS, big=True),
)
