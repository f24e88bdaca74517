"""Framing reads what the standards say, however the bytes are cut, and within its limits."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jackfield import ResponseTooLargeError
from jackfield.framing import MAX_EVENT, NDJSON, SSE, Framing
from jackfield.testing import strategies as jf

Frames = list[tuple[bytes, bytes]]


def reference(stream: bytes) -> Frames:
    """The WHATWG event stream grammar, word by word, over the whole text; at the end, what is left.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    The standard discards an event without its blank line. A client that must not lose text looks
    at it, and decides by the dialect's own terminator; so does this one.
    """
    text = stream.removeprefix(b"\xef\xbb\xbf")
    frames: Frames = []
    kind = b""
    data: list[bytes] = []
    for line in [*re.split(rb"\r\n|\n|\r", text), b""]:
        if not line:
            if data:
                frames.append((kind, b"\n".join(data)))
            kind, data = b"", []
            continue
        if line.startswith(b":"):
            continue
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            kind = value
        elif name == b"data":
            data.append(value)
    return frames


def fed(framing: Framing, chunks: list[bytes]) -> Frames:
    return [f for chunk in chunks for f in framing.feed(chunk)] + framing.close()


FIELDS = st.sampled_from(
    [b"data", b"data", b"data", b"event", b"id", b"retry", b"odd", b"", b"Data", b"data "]
)
VALUES = st.sampled_from(
    [b": x", b":x", b":  x", b"", b":", b": ", b': {"a": 1}', b": \xc3\xa9", b": [DONE]", b" : x"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b""])
STREAMS = st.tuples(
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef"]),
    st.lists(st.tuples(FIELDS, VALUES, ENDS).map(b"".join), max_size=8),
).map(lambda parts: parts[0] + b"".join(parts[1]))


@given(STREAMS, st.data())
def test_events_are_those_of_the_standard_however_the_bytes_are_cut(
    stream: bytes, data: Any
) -> None:
    assert fed(SSE(), data.draw(jf.cuts(stream))) == reference(stream)


@given(st.binary(max_size=60), st.data())
def test_any_bytes_give_the_standards_events(stream: bytes, data: Any) -> None:
    assert fed(SSE(), data.draw(jf.cuts(stream))) == reference(stream)


@given(STREAMS)
def test_one_byte_at_a_time_is_no_different(stream: bytes) -> None:
    assert fed(SSE(), [stream[i : i + 1] for i in range(len(stream))]) == reference(stream)


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b"data: a\n\n", [(b"", b"a")]),
        (b"data:a\n\n", [(b"", b"a")]),
        (b"data:  a\n\n", [(b"", b" a")]),
        (b"data\n\n", [(b"", b"")]),
        (b"data: a\ndata: b\n\n", [(b"", b"a\nb")]),
        (b"event: ping\ndata: {}\n\ndata: x\n\n", [(b"ping", b"{}"), (b"", b"x")]),
        (b"event: lonely\n\ndata: x\n\n", [(b"", b"x")]),
        (b": comment\n\n:\n\ndata: x\n\n", [(b"", b"x")]),
        (b"\xef\xbb\xbfdata: x\n\n", [(b"", b"x")]),
        (b"data: \xef\xbb\xbfx\n\n", [(b"", b"\xef\xbb\xbfx")]),
        (b"id: 1\nretry: 5\nodd\ndata: x\n\n", [(b"", b"x")]),
        (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [(b"", b"a"), (b"", b"b"), (b"", b"c")]),
        (b"data: no blank line", [(b"", b"no blank line")]),
        (b"data: no blank line\n", [(b"", b"no blank line")]),
        (b"", []),
        (b"\n\n\n", []),
    ],
)
def test_an_event_stream_reads_as_the_standard_says(stream: bytes, frames: Frames) -> None:
    assert fed(SSE(), [stream]) == frames == reference(stream)


def test_events_come_as_soon_as_they_are_whole() -> None:
    framing = SSE()
    assert framing.feed(b"data: a\n") == []
    assert framing.feed(b"\ndata: b\n\nda") == [(b"", b"a"), (b"", b"b")]
    assert framing.feed(b"ta: c\r") == []
    assert framing.feed(b"\n\r") == [(b"", b"c")]
    assert framing.feed(b"\ndata: d\n\n") == [(b"", b"d")]


@pytest.mark.parametrize("framing", [SSE, NDJSON])
@pytest.mark.parametrize("size", [1000, 1024 * 1024])
def test_an_endless_line_is_refused_in_bounded_memory(framing: Any, size: int) -> None:
    with pytest.raises(ResponseTooLargeError, match=f"longer than {MAX_EVENT} bytes"):
        fed(framing(), [b"x" * size] * (2 * MAX_EVENT // size))


def test_an_event_of_endless_lines_is_refused() -> None:
    line = b"data: " + b"x" * 65_529 + b"\n"
    with pytest.raises(ResponseTooLargeError):
        fed(SSE(), [line] * (2 * MAX_EVENT // len(line)))


@pytest.mark.parametrize("framing", [SSE, NDJSON])
def test_one_event_of_many_megabytes_comes_whole(framing: Any) -> None:
    big = b'"' + b"x" * (5 * 1024 * 1024) + b'"'
    stream = b"data: " + big + b"\n\n" if framing is SSE else big + b"\n"
    chunks = [stream[i : i + 65_536] for i in range(0, len(stream), 65_536)]
    assert fed(framing(), chunks) == [(b"", big)]


DOCUMENTS = st.lists(jf.json_values().map(lambda v: json.dumps(v, ensure_ascii=False)), max_size=5)


@given(DOCUMENTS, st.sampled_from(["\n", "\r\n", "\n\n", "\n \n"]), st.booleans(), st.data())
@example(["1"], "\n", False, None)
def test_json_lines_are_read_however_they_are_cut(
    documents: list[str], end: str, ended: bool, data: Any
) -> None:
    stream = "".join(d + end for d in documents).encode()
    if not ended:
        stream = stream.rstrip()
    chunks = [stream] if data is None else data.draw(jf.cuts(stream))
    frames = fed(NDJSON(), chunks)
    assert [json.loads(text) for _, text in frames] == [json.loads(d) for d in documents]
    assert {name for name, _ in frames} <= {b""}
