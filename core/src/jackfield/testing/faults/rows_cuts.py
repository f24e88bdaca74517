"""Rows 23 to 30: answers that stop before their end, where success would be a silent loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from .reply import Reply, changed, head, play, wrap
from .script import Action, Fin, Keep, Rst, Send, Sleep
from .shaping import begin, cut, framed, halved, opening, text_event, then, through
from .values import Fault, Situation

BROKEN = "interrupted"
NOTHING = "retryable"
SHORT = "malformed|transport|interrupted"


def inside_json(reply: Reply) -> Reply:
    """Through the third piece of text, and half of the next event."""
    whole = cut(reply)
    after = reply.parts[len(whole.parts)]
    return whole.with_parts([*whole.parts, after[: len(after) // 2]])


def inside_character(reply: Reply) -> Reply:
    """Through the third piece of text, and the next event up to the middle of a character."""
    whole = cut(reply)
    after = reply.dialect.frame(text_event(reply, "said “naïve”"))
    return whole.with_parts([*whole.parts, after[: after.index("“".encode()) + 1]])


def before_the_end(reply: Reply) -> Reply:
    """All of the content, without finish reason and terminator."""
    return reply.with_events(
        event for event in reply.events if event.kind not in ("finish", "usage", "end")
    )


def after_reasoning(reply: Reply) -> Reply:
    """The reasoning alone."""
    return cut(reply, "reasoning", 2)


def in_tool_call(reply: Reply) -> Reply:
    """Up to the middle of a tool call's arguments; to its line's middle where it is sent whole."""
    if sum(event.kind == "tool" for event in reply.events) > 3:
        return reply.with_events(reply.events[: through(reply.events, "tool", 4)])
    first = through(reply.events, "tool", 1)
    line = reply.parts[first - 1]
    return reply.with_parts([*reply.parts[: first - 1], line[: line.index(b'"arg') + 16]])


def bare(reply: Reply) -> Reply:
    """The opening alone."""
    return reply.with_events(opening(reply)) if reply.stream else halved(reply)


def silent(reply: Reply) -> Reply:
    """Comments or blank lines and no event."""
    return reply.with_parts([b": hello\n\n" if reply.dialect.sse else b"\n", b"\n"])


def nothing(reply: Reply) -> Reply:
    """A body of no bytes."""
    return reply.with_parts([])


def close_delimited_cut(reply: Reply, _: Situation) -> Iterable[Action]:
    """Cut, with no framing that could tell."""
    return play(replace(cut(reply), framing="close"))


def reset_after(reply: Reply, situation: Situation) -> Iterator[Action]:
    """Reset once the pieces have arrived."""
    yield from begin(cut(reply))
    yield Sleep(situation.pace.gap)
    yield Rst()


def reset_in_body(reply: Reply, situation: Situation) -> Iterator[Action]:
    """Reset in the body, before any content of a stream."""
    part = b"".join(bare(reply).parts)
    yield Send(head(reply))
    yield Send(wrap(reply, part))
    yield Sleep(situation.pace.gap)
    yield Rst()


def reset_in_head(reply: Reply, situation: Situation) -> Iterator[Action]:
    """Reset after half of the head."""
    data = head(reply)
    yield Send(data[: len(data) // 2])
    yield Sleep(situation.pace.gap)
    yield Rst()


def wrong_length(difference: int) -> Fault:
    """A content length that is off by *difference*."""

    def inject(reply: Reply, _: Situation) -> Iterator[Action]:
        body = reply.body
        marked = replace(reply, framing="none").with_header(
            "content-length", str(len(body) + difference)
        )
        yield Send(head(marked).replace(b"connection: close\r\n", b""))
        yield Send(body)
        yield Fin() if difference > 0 else Keep()

    if difference > 0:
        return Fault(
            "length_too_long",
            29,
            f"content-length {difference} too long",
            inject,
            "",
            SHORT,
            retryable=None,
        )
    return Fault(
        "length_too_short",
        29,
        f"content-length {-difference} too short",
        inject,
        "",
        SHORT,
        calls=2,
    )


FAULTS: Sequence[Fault] = (
    Fault("cut_clean", 23, "a clean end of the body after three pieces", changed(cut), BROKEN),
    Fault(
        "cut_before_finish",
        23,
        "all text, a clean end, no finish reason",
        changed(before_the_end),
        BROKEN,
    ),
    Fault(
        "cut_after_reasoning",
        23,
        "a clean end after some reasoning",
        changed(after_reasoning),
        BROKEN,
    ),
    Fault(
        "cut_fin",
        24,
        "FIN inside the chunked body after three pieces",
        then(Fin(), change=cut),
        BROKEN,
    ),
    Fault("cut_rst", 24, "RST after three pieces", reset_after, BROKEN),
    Fault(
        "cut_close_delimited",
        25,
        "closed after three pieces, no framing",
        close_delimited_cut,
        BROKEN,
    ),
    Fault("cut_in_json", 26, "a clean end inside an event", changed(inside_json), BROKEN),
    Fault(
        "cut_in_character", 26, "a clean end inside a character", changed(inside_character), BROKEN
    ),
    Fault("no_text", 27, "200 and the opening events only", changed(bare), NOTHING),
    Fault("no_event", 27, "200 and no event", changed(silent), NOTHING),
    Fault(
        "zero_bytes",
        27,
        "200 and no byte of body",
        changed(nothing),
        NOTHING,
        "retryable|malformed",
    ),
    Fault(
        "cut_tool_call",
        28,
        "a clean end inside the arguments of a tool call",
        changed(in_tool_call),
        BROKEN,
    ),
    Fault("body_cut", 29, "half of the JSON, its length right", changed(halved), "", "malformed"),
    wrong_length(100),
    wrong_length(-20),
    Fault(
        "body_cut_chunked",
        29,
        "half of the JSON in chunks, FIN",
        then(Fin(), change=lambda r: framed("chunked")(halved(r))),
        "",
        SHORT,
    ),
    Fault(
        "reset_on_accept",
        30,
        "RST before the request is read",
        changed(),
        NOTHING,
        NOTHING,
        origin="reset",
    ),
    Fault(
        "fin_no_head",
        30,
        "FIN instead of an answer",
        lambda _reply, _: [Fin()],
        NOTHING,
        NOTHING,
    ),
    Fault(
        "rst_no_head",
        30,
        "RST instead of an answer",
        lambda _reply, _: [Rst()],
        NOTHING,
        NOTHING,
    ),
    Fault("rst_in_head", 30, "RST inside the head", reset_in_head, NOTHING, NOTHING),
    Fault("rst_in_body", 30, "RST in the body, before any text", reset_in_body, NOTHING, NOTHING),
)
