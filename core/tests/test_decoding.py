"""Compressed bodies are undone in bounded pieces, and a cut or broken one is never shorter text."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ResponseFormatError
from jackfield.decoding import ACCEPTED, PIECE, decoder
from jackfield.testing import strategies as jf


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


def flushed_gzip(data: bytes) -> bytes:
    """What a server sends that flushes its gzip after every event."""
    squeeze = zlib.compressobj(wbits=31)
    pieces = [
        squeeze.compress(data[i : i + 7]) + squeeze.flush(zlib.Z_SYNC_FLUSH)
        for i in range(0, len(data), 7)
    ]
    return b"".join(pieces) + squeeze.flush()


def two_members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:])


FORMS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("GZip", flushed_gzip),
    ("gzip", two_members),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
]


def decoded(encoding: str, chunks: list[bytes]) -> bytes:
    undo = decoder(encoding)
    assert undo is not None
    pieces = [piece for chunk in chunks for piece in undo.feed(chunk)]
    undo.close()
    assert all(0 < len(piece) <= PIECE for piece in pieces)
    return b"".join(pieces)


@given(st.sampled_from(FORMS), st.binary(max_size=200), st.data())
def test_what_was_squeezed_comes_back_however_it_is_cut(form: Any, body: bytes, data: Any) -> None:
    encoding, squeeze = form
    assert decoded(encoding, data.draw(jf.cuts(squeeze(body)))) == body


@pytest.mark.parametrize(("encoding", "squeeze"), FORMS)
def test_a_body_that_is_cut_is_an_error_at_every_byte(encoding: str, squeeze: Any) -> None:
    whole = squeeze(b"Once upon a time there was a pelican.")
    member = len(gzip.compress(b"Once upon a time t")) if squeeze is two_members else -1
    for at in range(1, len(whole)):
        if at == member:
            continue  # the first member is whole; what follows is known to nobody
        with pytest.raises(ResponseFormatError):
            decoded(encoding, [whole[:at]])


def test_a_wrong_checksum_is_an_error() -> None:
    broken = bytearray(gzip.compress(b"Once upon a time"))
    broken[-5] ^= 1
    with pytest.raises(ResponseFormatError, match="gzip body is broken"):
        decoded("gzip", [bytes(broken)])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_not_compressed_is_an_error(encoding: str) -> None:
    with pytest.raises(ResponseFormatError):
        decoded(encoding, [b'{"choices": []}'])


@given(st.sampled_from(["gzip", "deflate"]), st.binary(min_size=1, max_size=60))
def test_any_bytes_decode_or_are_a_typed_error(encoding: str, body: bytes) -> None:
    try:
        decoded(encoding, [body])
    except ResponseFormatError as error:
        assert "body" in str(error)  # noqa: PT017  # both outcomes are good


def test_a_bomb_comes_in_pieces_and_only_as_it_is_asked_for() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    undo = decoder("gzip")
    assert undo is not None
    pieces = undo.feed(bomb)
    assert [len(next(pieces)) for _ in range(3)] == [PIECE] * 3


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_nothing_is_undone_where_nothing_was_done(encoding: str) -> None:
    assert decoder(encoding) is None


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 1000])
def test_an_encoding_nobody_asked_for_is_an_error_that_names_it(encoding: str) -> None:
    with pytest.raises(ResponseFormatError, match=ACCEPTED) as caught:
        decoder(encoding)
    assert encoding[:40] in str(caught.value)
    assert len(str(caught.value)) < 200


def test_padding_behind_a_gzip_body_is_no_further_body() -> None:
    assert decoded("gzip", [gzip.compress(b"x") + b"\0\0\0"]) == b"x"
