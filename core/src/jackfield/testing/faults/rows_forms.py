"""Rows 1 to 6, 14, 15 and 17 to 21: odd bytes around a whole answer, which must be read as it is."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle, pairwise

from .reply import Reply, head, healthy
from .script import Action, Hold, Keep, Send, drip
from .shaping import each_part, finished, framed, header, paced, then, whole
from .values import Event, Fault, Situation

SSE = ("openai", "responses", "anthropic", "cohere", "gemini")
EQ = "equal"
LABEL = "equal|malformed"


def line_ends(*ends: str) -> Callable[[Reply], Reply]:
    """Frame the events with these line ends in turn."""

    def apply(reply: Reply) -> Reply:
        pairs = zip(reply.events, cycle(ends))
        return reply.with_parts(reply.dialect.frame(event, end) for event, end in pairs)

    return apply


def split_at_cr(part: bytes) -> list[bytes]:
    """Pieces that each end with CR, so that CR and LF travel apart."""
    first, *others = part.split(b"\r")
    return (
        [first + b"\r", *(piece + b"\r" for piece in others[:-1]), others[-1]]
        if others
        else [first]
    )


def inside_characters(part: bytes) -> list[bytes]:
    """Pieces cut after the first byte of every character that has several."""
    cuts = [i + 1 for i, byte in enumerate(part) if byte >= 0xC0]
    return [part[a:b] for a, b in pairwise([0, *cuts, len(part)])]


def slowly(
    pieces: Callable[[bytes], Iterable[bytes]],
) -> Callable[[Reply, Situation], Iterator[Action]]:
    """Send the body in pieces, far enough apart to arrive one by one."""

    def inject(reply: Reply, _: Situation) -> Iterator[Action]:
        return paced((p for part in reply.parts for p in pieces(part)), reply, 0.001)

    return inject


def several_data_lines(reply: Reply) -> Reply:
    """Each event's JSON over several data lines."""

    def frame(event: Event) -> bytes:
        text = event.data if isinstance(event.payload, str) else json.dumps(event.payload, indent=1)
        name = f"event: {event.name}\n" if event.name else ""
        return (name + "".join(f"data: {line}\n" for line in text.split("\n")) + "\n").encode()

    return reply.with_parts(frame(event) for event in reply.events)


def one_packet(reply: Reply, _: Situation) -> Iterable[Action]:
    """Head, body and end in one write."""
    return [Send(finished(reply)), Keep()]


def byte_drip(reply: Reply, _: Situation) -> Iterator[Action]:
    """One byte a write, head included."""
    yield from drip(finished(reply))
    yield Keep()


def with_heartbeats(reply: Reply, situation: Situation) -> Iterator[Action]:
    """Comments, blank lines or blanks between the parts."""
    beats = (
        [b": OPENROUTER PROCESSING\n\n", b": keep-alive\n\n", b"\n\n"]
        if reply.dialect.sse
        else [b"\n"]
    )
    if not reply.stream:
        beats = [b" \n"]
    parts = [piece for part, beat in zip(reply.parts, cycle(beats)) for piece in (beat, beat, part)]
    return paced(parts, reply, situation.pace.gap)


def compressed(encoding: str, wbits: int) -> Callable[[Reply], Reply]:
    """Compress the body, flushed after every part."""

    def apply(reply: Reply) -> Reply:
        packer = zlib.compressobj(wbits=wbits)
        parts = [packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in reply.parts]
        return reply.with_parts([*parts, packer.flush()]).with_header("content-encoding", encoding)

    return apply


def extensions_and_trailers(reply: Reply, _: Situation) -> Iterator[Action]:
    """Chunks with extensions, upper-case and padded sizes, and trailer fields after the last."""
    yield Send(head(replace(reply, framing="chunked")))
    for part in reply.parts:
        yield Send(b'00%X;pelican="a;b";mood\r\n%b\r\n' % (len(part), part))
    yield Send(b"000;last\r\nx-checksum: 7\r\nx-mood: sunny\r\n\r\n")
    yield Keep()


def odd_casing(reply: Reply, _: Situation) -> Iterable[Action]:
    """Header names and framing words in odd case, with blanks around the values."""
    name, rest = finished(reply).split(b"\r\n\r\n", 1)
    first, *lines = name.split(b"\r\n")
    pairs = (line.split(b": ", 1) for line in lines)
    shouted = (
        key.title().swapcase() + b":   " + text.replace(b"chunked", b"Chunked")
        for key, text in pairs
    )
    return [Send(b"\r\n".join([first, *shouted]) + b"\r\n\r\n" + rest), Keep()]


def twice(reply: Reply) -> Reply:
    """Every header twice."""
    return replace(reply, headers=tuple(pair for pair in reply.headers for _ in range(2)))


def unlabelled(reply: Reply) -> Reply:
    """No content type."""
    return replace(reply, headers=())


def unterminated(reply: Reply) -> Reply:
    """The last line without its end."""
    return reply.with_parts([*reply.parts[:-1], reply.parts[-1].rstrip(b"\n")])


def trailing(reply: Reply) -> Reply:
    """Something unreadable after the end, inside the body."""
    garbage = (
        b'data: {"garbage\n\n%%%\n' if reply.dialect.sse and reply.stream else b"%%% garbage\n"
    )
    return reply.with_parts([*reply.parts, garbage])


def bytes_after(reply: Reply, _: Situation) -> Iterator[Action]:
    """A second, forged response on the connection, after the proper end of the first."""
    yield Send(finished(reply) + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged")
    yield Keep()


def blank_lines(part: bytes) -> bytes:
    """Blank lines around each line."""
    return b"\n\r\n" + part + b"\n"


def array(reply: Reply) -> Reply:
    """What Google's API streams where nobody asked for events: one JSON array, an item at a time."""
    items = [event.data.encode() for event in reply.events]
    parts = [(b",\r\n" if at else b"[") + item for at, item in enumerate(items)]
    return reply.with_parts([*parts, b"]\n"]).with_header("content-type", "application/json")


def fields(part: bytes) -> bytes:
    """Known but unused fields, an unknown one, and a field without a colon."""
    return b"id: 7\nretry: 3000\nmood: sunny\nmood\n: comment\n" + part


def tight(part: bytes) -> bytes:
    """No space after the colons."""
    return part.replace(b"data: ", b"data:").replace(b"event: ", b"event:")


def bom(reply: Reply) -> Reply:
    """A byte order mark before everything."""
    return reply.with_parts([b"\xef\xbb\xbf" + reply.parts[0], *reply.parts[1:]])


def crlf_apart(reply: Reply, situation: Situation) -> Iterable[Action]:
    """CR and LF in two packets."""
    return slowly(split_at_cr)(line_ends("\r\n")(reply), situation)


def labelled(name: str, description: str, change: Callable[[Reply], Reply]) -> Fault:
    """An entry of row 18."""
    return whole(name, 18, description, change, plain=LABEL, stream=LABEL)


FAULTS: Sequence[Fault] = (
    Fault("ok", 0, "a healthy answer", healthy, EQ, EQ),
    whole("crlf", 1, "lines end with CRLF", line_ends("\r\n")),
    whole("cr", 1, "lines end with a bare CR", line_ends("\r"), dialects=SSE),
    whole("mixed_ends", 1, "LF, CRLF and CR in turn", line_ends("\n", "\r\n", "\r"), dialects=SSE),
    Fault("crlf_split", 1, "CR and LF of each line end travel in two packets", crlf_apart, EQ),
    whole("bom", 2, "a byte order mark first", bom, plain=LABEL, special={"ollama": LABEL}),
    whole("no_space", 2, "no space after the colon of a field", each_part(tight), dialects=SSE),
    whole("data_lines", 2, "JSON over several data lines", several_data_lines, dialects=SSE),
    whole("odd_fields", 2, "id, retry, unknown fields, comments", each_part(fields), dialects=SSE),
    Fault("heartbeats", 3, "comments and blanks between the parts", with_heartbeats, EQ, EQ),
    Fault("byte_drip", 4, "one byte a packet", byte_drip, EQ, EQ),
    Fault("split_utf8", 5, "packets end inside characters", slowly(inside_characters), EQ, EQ),
    Fault("one_packet", 6, "head, body and end in one packet", one_packet, EQ, EQ),
    whole("no_last_newline", 14, "the terminator without the end of its line", unterminated),
    Fault("open_after_end", 15, "the connection stays open after the terminator", then(Hold()), EQ),
    whole(
        "garbage_after_end",
        17,
        "garbage after the terminator, in the body",
        trailing,
        plain=LABEL,
        # It has no terminator: what is no event after the finish reason may be a broken one.
        special={"gemini": "equal|interrupted|malformed"},
    ),
    Fault(
        "forged_response", 17, "a second response nobody asked for", bytes_after, EQ, EQ, calls=2
    ),
    labelled("label_plain", "the answer as text/plain", header("content-type", "text/plain")),
    labelled("label_html", "the answer as text/html", header("content-type", "text/html")),
    labelled("label_missing", "no content type", unlabelled),
    labelled("headers_twice", "every header twice", twice),
    Fault("odd_casing", 18, "header names and values in odd case", odd_casing, LABEL, LABEL),
    whole("close_delimited", 19, "the body ends at the close", framed("close"), plain=EQ),
    whole("gzip", 20, "gzip, flushed after each event", compressed("gzip", 31), plain=EQ),
    whole("deflate", 20, "deflate (zlib)", compressed("deflate", 15), plain=EQ),
    whole("deflate_raw", 20, "deflate, no zlib header", compressed("deflate", -15), plain=EQ),
    Fault("chunk_extensions", 20, "extensions and trailers", extensions_and_trailers, EQ, EQ),
    whole("array_stream", 21, "a JSON array of events", array, dialects=("gemini",)),
    whole("blank_lines", 21, "blank lines", each_part(blank_lines), dialects=("ollama",)),
)
