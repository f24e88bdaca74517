"""Rows 3, 31 to 38, 72 and 73: silence, slowness, and connections that never come about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, repeat

from .answers import ON, PACED
from .reply import Reply, chunk, head, healthy, play, wrap
from .script import Action, Hold, Send, Sleep, drip
from .shaping import begin, cut, finished, heartbeat, opening, text_event
from .shaping import paced as with_gaps
from .values import Fault, Situation

LATE = "timeout"
LATE_PARTIAL = "timeout|interrupted"


def no_head(_reply: Reply, _: Situation) -> Iterable[Action]:
    """The request is read; nothing is said."""
    return [Hold()]


def no_body(reply: Reply, _: Situation) -> Iterable[Action]:
    """A head, then silence."""
    return [Send(head(reply)), Hold()]


def loris_head(reply: Reply, situation: Situation) -> Iterator[Action]:
    """A head that never ends, a byte at a time."""
    return drip(head(reply)[:-2] + b"x-slow: " + b"s" * 500, pause=situation.pace.drip)


def loris_body(reply: Reply, situation: Situation) -> Iterator[Action]:
    """The body a byte at a time, too slowly."""
    data = finished(reply)
    start = len(head(reply))
    yield Send(data[:start])
    yield from drip(data[start:], pause=situation.pace.drip)


def only_heartbeats(reply: Reply, situation: Situation) -> Iterator[Action]:
    """Signs of life without content, for ever."""
    return _beating(replace(reply, framing="chunked").with_parts([]), reply, situation)


def heartbeats_after_text(reply: Reply, situation: Situation) -> Iterator[Action]:
    """Three pieces of text, then signs of life without content, for ever."""
    return _beating(cut(reply), reply, situation)


def _beating(start: Reply, reply: Reply, situation: Situation) -> Iterator[Action]:
    yield from begin(start)
    for beat in repeat(chunk(heartbeat(reply))):
        yield Send(beat)
        yield Sleep(situation.pace.gap)


def _endless(reply: Reply, gap: float) -> Iterator[Action]:
    yield from begin(cut(reply))
    piece = chunk(reply.dialect.frame(text_event(reply, ON)))
    for _ in repeat(None):
        yield Send(piece)
        yield Sleep(gap)


def endless(reply: Reply, _: Situation) -> Iterator[Action]:
    """Valid pieces of text for ever."""
    return _endless(reply, 0.005)


def paced(reply: Reply, situation: Situation) -> Iterator[Action]:
    """A long healthy answer with a gap after each piece; a plain one comes after a pause."""
    if not reply.stream:
        yield Sleep(situation.pace.gap * PACED)
        yield from play(reply)
        return
    yield from with_gaps(reply.parts, reply, situation.pace.gap)


def silence(reply: Reply, _: Situation) -> Iterator[Action]:
    """The head of the whole answer, three pieces or half of the body, then silence."""
    yield Send(head(reply))
    for part in cut(reply).parts:
        yield Send(wrap(reply, part))
    yield Hold()


def bare_then_silence(reply: Reply, _: Situation) -> Iterator[Action]:
    """The opening events, then silence."""
    return chain(begin(reply.with_events(opening(reply))), [Hold()])


def _connect(name: str, row: int, description: str, verdict: str) -> Fault:
    return Fault(name, row, description, healthy, verdict, verdict, origin=name)


FAULTS: Sequence[Fault] = (
    Fault(
        "only_heartbeats", 3, "signs of life without content, for ever", only_heartbeats, LATE, LATE
    ),
    Fault(
        "heartbeats_after_text",
        3,
        "three pieces, then signs of life for ever",
        heartbeats_after_text,
        LATE_PARTIAL,
    ),
    Fault("no_head", 31, "the request is read, nothing is said", no_head, LATE, LATE),
    Fault("no_body", 32, "a head, then silence", no_body, LATE, LATE),
    Fault("no_first_text", 32, "the opening events, then silence", bare_then_silence, LATE),
    Fault(
        "silence",
        33,
        "three pieces (or half of the JSON), then silence",
        silence,
        LATE_PARTIAL,
        LATE,
    ),
    Fault("loris_head", 34, "the head a byte at a time", loris_head, LATE, LATE),
    Fault("loris_body", 34, "the body a byte at a time", loris_body, LATE_PARTIAL, LATE),
    _connect("refused", 35, "nobody listens on the port", "transport"),
    _connect("blackhole", 35, "connection attempts are dropped", "timeout|transport"),
    _connect("dns", 35, "the host name has no address", "transport"),
    _connect("tls_stall", 35, "the TLS handshake is never answered", "timeout|transport"),
    _connect("tls_untrusted", 36, "the certificate's authority is unknown", "transport"),
    _connect("tls_wrong_name", 36, "the certificate is for another host", "transport"),
    _connect("tls_plain", 36, "plain text on the TLS port", "transport"),
    Fault(
        "paced",
        37,
        "a healthy answer that takes its time: keeps a connection busy, gives time to cancel",
        paced,
        "equal",
        "equal",
        answer="paced",
    ),
    Fault(
        "endless",
        38,
        "valid pieces of text for ever",
        endless,
        "timeout|interrupted|too_large",
        truth="endless",
    ),
    Fault("flood", 73, "many pieces as fast as they are read", healthy, "equal", answer="flood"),
)
