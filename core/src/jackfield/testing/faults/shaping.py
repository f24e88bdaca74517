"""Small tools for injectors: where to cut a stream, and how to build scripts from pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from .reply import Change, Reply, changed, chunk, ending, head, wrap
from .script import Action, Fin, Keep, Send, Sleep
from .values import DIALECTS, Event, Fault, Json, Situation

DELTAS = 3
"""How many pieces of text arrive before a stream breaks."""

HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><script>alert('pelican')</script></body></html>"


def through(events: Sequence[Event], kind: str = "text", count: int = DELTAS) -> int:
    """The index after the *count*-th event of *kind*; the length where there are fewer."""
    for index, event in enumerate(events):
        count -= event.kind == kind
        if not count:
            return index + 1
    return len(events)


def opening(reply: Reply) -> tuple[Event, ...]:
    """The events before any content; one empty piece of text where the dialect has none."""
    first = [event for event in reply.events if event.kind in ("start", "open", "ping")][:2]
    return tuple(first) or (reply.dialect.delta(reply.answer, ""),)


def cut(reply: Reply, kind: str = "text", count: int = DELTAS) -> Reply:
    """*reply* without what follows the *count*-th event of *kind*; a plain one loses half its body."""
    if not reply.stream:
        return halved(reply)
    return reply.with_events(reply.events[: through(reply.events, kind, count)])


def halved(reply: Reply) -> Reply:
    """*reply* with the first half of its bytes."""
    return reply.with_parts([reply.body[: len(reply.body) // 2]])


def only(*events: Event) -> Change:
    """The change that leaves these events."""
    return lambda reply: reply.with_events(events)


def each_part(change: Callable[[bytes], bytes | Iterable[bytes]]) -> Change:
    """The change of every part of the body; a part may become several."""

    def apply(reply: Reply) -> Reply:
        parts: list[bytes] = []
        for part in reply.parts:
            new = change(part)
            parts += [new] if isinstance(new, bytes) else list(new)
        return reply.with_parts(parts)

    return apply


def header(name: str, value: str) -> Change:
    """The change that sets one header."""
    return lambda reply: reply.with_header(name, value)


def framed(framing: str) -> Change:
    """The change of the framing."""
    return lambda reply: replace(reply, framing=framing)


def page(body: bytes, content_type: str = "text/html; charset=utf-8", status: int = 200) -> Change:
    """The change to a whole other body, as an error page from a proxy is."""

    def apply(reply: Reply) -> Reply:
        new = replace(
            reply,
            status=status,
            framing="length",
            headers=(("content-type", content_type),),
            events=(),
        )
        return new.with_parts([body] if body else [])

    return apply


def value(change: Callable[[Json, Reply], Json]) -> Change:
    """The change of a plain reply's JSON; streamed replies stay as they are."""
    return lambda reply: reply if reply.stream else reply.with_value(change(reply.value, reply))


def begin(reply: Reply) -> Iterator[Action]:
    """Head and parts without the end of the body."""
    yield Send(head(reply))
    for part in reply.parts:
        if part:
            yield Send(wrap(reply, part))


def then(
    *actions: Action, change: Change = lambda reply: reply
) -> Callable[[Reply, Situation], Iterable[Action]]:
    """The injector that plays the changed reply without its end, then *actions*."""

    def inject(reply: Reply, _: Situation) -> Iterator[Action]:
        yield from begin(change(reply))
        yield from actions

    return inject


def raw(
    make: Callable[[Reply, Situation], bytes | Iterable[bytes]], *end: Action
) -> Callable[[Reply, Situation], Iterable[Action]]:
    """The injector that sends bytes of its own making, then *end* (by default it closes)."""

    def inject(reply: Reply, situation: Situation) -> Iterator[Action]:
        data = make(reply, situation)
        for piece in [data] if isinstance(data, bytes) else data:
            yield Send(piece)
        yield from end or (Fin(),)

    return inject


def paced(parts: Iterable[bytes], reply: Reply, gap: float) -> Iterator[Action]:
    """*parts* of the body with *gap* seconds after each, and the proper end."""
    yield Send(head(replace(reply, framing="chunked")))
    for part in parts:
        yield Send(chunk(part))
        yield Sleep(gap)
    yield Send(b"0\r\n\r\n")
    yield Keep()


def heartbeat(reply: Reply) -> bytes:
    """What keeps a connection of this kind alive without saying anything."""
    if reply.stream and reply.dialect.sse:
        return b": keep-alive\n\n"
    return b"\n" if reply.stream else b" \n"


def finished(reply: Reply) -> bytes:
    """The whole response as one run of bytes."""
    return head(reply) + b"".join(wrap(reply, part) for part in reply.parts) + ending(reply)


def text_event(reply: Reply, text: str) -> Event:
    """One more piece of text in *reply*'s dialect."""
    return reply.dialect.delta(reply.answer, text)


def whole(
    name: str,
    row: int,
    description: str,
    *changes: Change,
    stream: str = "equal",
    plain: str = "",
    answer: str = "healthy",
    dialects: tuple[str, ...] = DIALECTS,
    special: Mapping[str, str] | None = None,
) -> Fault:
    """An entry whose answer is whole after *changes* of its form: success is expected of streams."""
    inject = changed(*changes)
    return Fault(
        name,
        row,
        description,
        inject,
        stream,
        plain,
        answer=answer,
        dialects=dialects,
        special=special or {},
    )
