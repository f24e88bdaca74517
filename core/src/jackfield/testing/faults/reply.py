"""A healthy reply as a value, its framing in HTTP/1.1, and the script that plays it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from .script import Action, Fin, Keep, Send
from .values import Answer, Event, Json, Situation

if TYPE_CHECKING:
    from .dialects import Dialect

Header = tuple[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer in its dialect's form: status, headers, and the body in *parts*.

    A streamed reply has one part an event and keeps the *events*; a plain one has its JSON
    *value* and one part. *framing* is ``chunked``, ``length`` or ``close``.
    """

    dialect: Dialect
    answer: Answer
    operation: str = "chat"
    stream: bool = False
    events: tuple[Event, ...] = ()
    value: Json = None
    parts: tuple[bytes, ...] = ()
    status: int = 200
    headers: tuple[Header, ...] = ()
    framing: str = "length"

    @property
    def body(self) -> bytes:
        """The whole body, before its framing."""
        return b"".join(self.parts)

    def with_events(self, events: Iterable[Event]) -> Reply:
        """The same reply with other events, framed anew."""
        events = tuple(events)
        parts = tuple(self.dialect.frame(event) for event in events)
        return replace(self, events=events, parts=parts)

    def with_value(self, value: Json) -> Reply:
        """The same reply with another JSON body."""
        return replace(self, value=value, parts=(dump(value),))

    def with_parts(self, parts: Iterable[bytes]) -> Reply:
        """The same reply with other bytes as its body."""
        return replace(self, parts=tuple(parts))

    def with_header(self, name: str, value: str) -> Reply:
        """The same reply with header *name* set to *value*."""
        others = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, value)))


def dump(value: Json) -> bytes:
    """*value* as compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def status_line(status: int) -> bytes:
    """The first line of a response; a status without a phrase gets ``Odd``."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Odd"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


def head(reply: Reply) -> bytes:
    """Status line and headers of *reply*, with the header that its framing needs."""
    framing: tuple[Header, ...] = ()
    if reply.framing == "chunked":
        framing = (("transfer-encoding", "chunked"),)
    elif reply.framing == "length":
        framing = (("content-length", str(len(reply.body))),)
    else:
        framing = (("connection", "close"),)
    lines = "".join(f"{name}: {value}\r\n" for name, value in (*reply.headers, *framing))
    return status_line(reply.status) + lines.encode("latin-1") + b"\r\n"


def chunk(data: bytes) -> bytes:
    """*data* as one chunk of the chunked coding (empty data: nothing, not the last chunk)."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def wrap(reply: Reply, data: bytes) -> bytes:
    """A piece of the body as *reply*'s framing writes it."""
    return chunk(data) if reply.framing == "chunked" else data


def ending(reply: Reply) -> bytes:
    """What *reply*'s framing writes after a whole body."""
    return b"0\r\n\r\n" if reply.framing == "chunked" else b""


def after(reply: Reply) -> Action:
    """What a server does after a whole body: keep the connection, or close it to end the body."""
    return Fin() if reply.framing == "close" else Keep()


def play(reply: Reply) -> Iterator[Action]:
    """The script of a healthy server: head, one packet a part, the end."""
    yield Send(head(reply))
    for part in reply.parts:
        yield Send(wrap(reply, part))
    if tail := ending(reply):
        yield Send(tail)
    yield after(reply)


Change = Callable[[Reply], Reply]


def changed(*changes: Change) -> Callable[[Reply, Situation], Iterable[Action]]:
    """The injector that plays the reply after some changes of its value."""

    def inject(reply: Reply, _: Situation) -> Iterable[Action]:
        for change in changes:
            reply = change(reply)
        return play(reply)

    return inject


def healthy(reply: Reply, _: Situation) -> Iterable[Action]:
    """The injector that injects nothing."""
    return play(reply)
