"""Rows 63 and 66 to 71: HTTP itself goes wrong, or leads elsewhere."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from .reply import Reply, changed, chunk, head, play, status_line
from .script import Action, Fin, Keep, Rst, Send, Sip, Sleep, Stall
from .shaping import finished, raw
from .values import Fault, Injector, Situation

BAD = "transport|malformed"
BAD_OR_CUT = "transport|malformed|interrupted|retryable"
UPLOAD = 8 << 20


def redirect(status: int, where: Callable[[Situation], str]) -> Injector:
    """A redirect to where *where* says; no Location where it says nothing."""

    def inject(_reply: Reply, situation: Situation) -> Iterator[Action]:
        target = where(situation)
        location = f"location: {target}\r\n" if target else ""
        yield Send(status_line(status) + f"{location}content-length: 0\r\n\r\n".encode())
        yield Keep()

    return inject


def elsewhere(situation: Situation) -> str:
    """The same path on the second origin."""
    return situation.origins["other"] + situation.path


def elsewhere_by_name(situation: Situation) -> str:
    """The second origin by another host name."""
    return elsewhere(situation).replace("127.0.0.1", "localhost")


def framing(*lines: bytes, body: Callable[[Reply], bytes] = lambda reply: reply.body) -> Injector:
    """The body under framing headers of our own."""

    def make(reply: Reply, _: Situation) -> bytes:
        kind = "".join(f"{name}: {text}\r\n" for name, text in reply.headers).encode()
        return (
            status_line(200)
            + kind
            + b"connection: close\r\n"
            + b"".join(line + b"\r\n" for line in lines)
            + b"\r\n"
            + body(reply)
        )

    return raw(make)


def bad_chunk(size: bytes) -> Callable[[Reply], bytes]:
    """Half of the body as a good chunk, the rest under a bad size."""

    def make(reply: Reply) -> bytes:
        half = len(reply.body) // 2
        return chunk(reply.body[:half]) + size + b"\r\n" + reply.body[half:] + b"\r\n0\r\n\r\n"

    return make


def early_hints(reply: Reply, _: Situation) -> Iterator[Action]:
    """100 and 103 before the real head."""
    yield Send(b"HTTP/1.1 100 Continue\r\n\r\n")
    yield Send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n")
    yield from play(reply)


def early_413(reply: Reply, _: Situation) -> Iterator[Action]:
    """413 at once; the upload is read to its end, so that the answer arrives."""
    failed = reply.dialect.failure(413, "too_large")
    yield Send(finished(failed.with_header("connection", "close")))
    yield Fin()


def early_413_reset(reply: Reply, _: Situation) -> Iterator[Action]:
    """413 at once, then a reset."""
    yield Send(finished(reply.dialect.failure(413, "too_large")))
    yield Rst()


def old_version(reply: Reply, _: Situation) -> Iterator[Action]:
    """HTTP/1.0: no chunks, no length, and a close."""
    data = head(replace(reply, framing="close")).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    yield Send(data + reply.body)
    yield Fin()


def head_with(change: Callable[[bytes], bytes]) -> Injector:
    """The healthy reply under a changed head."""

    def inject(reply: Reply, _: Situation) -> Iterator[Action]:
        start = head(reply)
        yield Send(change(start) + finished(reply)[len(start) :])
        yield Keep()

    return inject


def stale_reset(reply: Reply, situation: Situation) -> Iterable[Action]:
    """A second request on a connection is met with a reset."""
    return [Rst()] if situation.on_connection else play(reply)


def stale_close(reply: Reply, situation: Situation) -> Iterator[Action]:
    """The connection is closed soon after an answer that promised to keep it."""
    for action in play(reply):
        if isinstance(action, Keep):
            yield Sleep(situation.pace.gap)
            yield Fin()
        yield action


def packed(reply: Reply) -> bytes:
    """The body in gzip."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(reply.body) + packer.flush()


def encoded(change: Callable[[Reply], bytes], encoding: str = "gzip") -> Callable[[Reply], Reply]:
    """The body as *change* makes it, under the label *encoding*."""
    return lambda reply: reply.with_parts([change(reply)]).with_header("content-encoding", encoding)


def utf16(reply: Reply) -> Reply:
    """The body in UTF-16, as its content type says."""
    kind = dict(reply.headers)["content-type"].partition(";")[0]
    body = reply.body.decode().encode("utf-16")
    return reply.with_parts([body]).with_header("content-type", f"{kind}; charset=utf-16")


def _redirect(name: str, description: str, inject: Injector) -> Fault:
    return Fault(name, 66, description, inject, "error", "error")


def _framing(name: str, description: str, inject: Injector, verdict: str = BAD_OR_CUT) -> Fault:
    return Fault(name, 67, description, inject, verdict, verdict)


def _encoding(
    name: str, description: str, change: Callable[[Reply], Reply], verdict: str = "error"
) -> Fault:
    return Fault(name, 71, description, changed(change), verdict, verdict)


def http2(_reply: Reply, _: Situation) -> bytes:
    """A SETTINGS frame and a GOAWAY frame of HTTP/2."""
    return b"\0\0\0\4\0\0\0\0\0" + b"\0\0\x08\7\0\0\0\0\0" + b"\0" * 8


def not_early(reply: Reply) -> bytes:
    """A chunked body."""
    return chunk(reply.body) + b"0\r\n\r\n"


FAULTS: Sequence[Fault] = (
    Fault("http10", 19, "HTTP/1.0: the body ends at the close", old_version, "equal", "equal"),
    Fault(
        "no_reason",
        18,
        "a status line without a phrase",
        head_with(lambda data: data.replace(b" OK\r\n", b"\r\n", 1)),
        "equal",
        "equal",
    ),
    Fault(
        "bare_lf_head",
        18,
        "a head whose lines end with LF",
        head_with(lambda data: data.replace(b"\r\n", b"\n")),
        f"equal|{BAD}",
        f"equal|{BAD}",
    ),
    Fault("early_hints", 63, "100 and 103 before the head", early_hints, "equal", "equal"),
    *(
        _redirect(f"redirect_{n}", f"{n} to another port", redirect(n, elsewhere))
        for n in (301, 302, 303, 307, 308)
    ),
    _redirect("redirect_host", "307 to another host name", redirect(307, elsewhere_by_name)),
    _redirect(
        "redirect_scheme", "307 to https", redirect(307, lambda s: s.origins["tls"] + s.path)
    ),
    _redirect("redirect_loop", "307 to itself", redirect(307, lambda s: s.path)),
    _redirect("redirect_nowhere", "307 without Location", redirect(307, lambda _: "")),
    _framing("length_negative", "content-length: -1", framing(b"content-length: -1")),
    _framing(
        "length_conflict",
        "two lengths that differ",
        framing(b"content-length: 7", b"content-length: 70000"),
    ),
    _framing(
        "length_and_chunked",
        "a length and chunks",
        framing(b"content-length: 7", b"transfer-encoding: chunked", body=not_early),
        f"equal|{BAD}",
    ),
    _framing(
        "chunk_bad",
        "a chunk size that is no number",
        framing(b"transfer-encoding: chunked", body=bad_chunk(b"pelican")),
    ),
    _framing(
        "chunk_negative",
        "a negative chunk size",
        framing(b"transfer-encoding: chunked", body=bad_chunk(b"-5")),
    ),
    _framing(
        "chunk_huge",
        "a chunk size of 20 digits",
        framing(b"transfer-encoding: chunked", body=bad_chunk(b"f" * 20)),
        f"equal|{BAD_OR_CUT}",
    ),
    Fault(
        "ssh_banner",
        68,
        "an SSH banner",
        raw(lambda _r, _: b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        BAD,
        BAD,
    ),
    Fault("http2_frames", 68, "frames of HTTP/2", raw(http2), BAD, BAD),
    Fault(
        "early_413",
        69,
        "413 before the body was read",
        early_413,
        "status:413",
        "status:413",
        upload=UPLOAD,
        early=True,
    ),
    Fault(
        "early_413_reset",
        69,
        "413, then a reset, before the body was read",
        early_413_reset,
        "status:413|retryable",
        "status:413|retryable",
        upload=UPLOAD,
        early=True,
    ),
    Fault(
        "upload_stall",
        69,
        "the upload is never read",
        lambda _reply, _: [Stall()],
        "timeout",
        "timeout",
        upload=UPLOAD,
        early=True,
    ),
    Fault(
        "upload_crawl",
        69,
        "the upload is read a little at a time",
        lambda _, situation: [Sip(4096, situation.pace.drip)],
        "timeout",
        "timeout",
        upload=UPLOAD,
        early=True,
    ),
    Fault(
        "reset_upload",
        69,
        "a reset during the upload",
        lambda _r, s: [Sleep(s.pace.gap), Rst()],
        "retryable",
        "retryable",
        upload=UPLOAD,
        early=True,
    ),
    Fault(
        "stale_reset",
        70,
        "the second request on a connection is reset",
        stale_reset,
        "equal",
        "equal",
        calls=2,
    ),
    Fault(
        "stale_close",
        70,
        "the connection is closed while idle",
        stale_close,
        "equal",
        "equal",
        calls=2,
    ),
    _encoding(
        "gzip_truncated",
        "gzip without its second half",
        encoded(lambda r: packed(r)[: len(packed(r)) // 2]),
    ),
    _encoding(
        "gzip_bad_crc",
        "gzip with a wrong checksum",
        encoded(lambda r: packed(r)[:-8] + b"\0" * 8),
        "equal|error",
    ),
    _encoding("gzip_not", "not gzip, though it says so", encoded(lambda r: r.body)),
    _encoding(
        "encoding_unknown", "an encoding nobody knows", encoded(lambda r: r.body[::-1], "pelican")
    ),
    _encoding("utf16", "a body in UTF-16", utf16, "equal|error"),
)
