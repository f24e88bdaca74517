"""Rows 42 to 55: answers with status 200 that are errors, broken, or of the wrong shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .answers import HEALTHY
from .reply import Change, Reply, changed, dump, play
from .script import Action
from .shaping import HTML, cut, each_part, page, text_event, value
from .values import Event, Fault, Json, Situation

BROKEN = "interrupted"
ANY = "error"
SHAPE = "malformed"
DEEPLY = "equal|malformed|interrupted"
DEEP = b"[" * 100_000 + b"]" * 100_000
DIGITS = b"9" * 5_000
MANGLED = "malformed|interrupted"
SSE = ("openai", "responses", "anthropic")


def error_after(kind: str, *, ended: bool = False) -> Change:
    """The dialect's own error after three pieces of text, then the terminator if *ended*."""

    def apply(reply: Reply) -> Reply:
        last = [event for event in reply.events if event.kind == "end"] if ended else []
        return reply.with_events([*cut(reply).events, reply.dialect.error_event(kind), *last])

    return apply


def error_first(kind: str) -> Change:
    """The dialect's own error as the first event; in a plain answer as its body."""

    def apply(reply: Reply) -> Reply:
        if reply.stream:
            return reply.with_events([reply.dialect.error_event(kind)])
        return reply.with_value(reply.dialect.error(kind))

    return apply


def key_echoed(reply: Reply, situation: Situation) -> Iterator[Action]:
    """An error in the stream that repeats the caller's key."""
    error = reply.dialect.error("auth", f"Incorrect API key provided: {situation.key}")
    name = "error" if reply.dialect.name == "anthropic" else ""
    yield from play(reply.with_events([*cut(reply).events, Event("error", error, name=name)]))


def finish_error(reply: Reply) -> Reply:
    """OpenRouter's way: finish reason ``error`` beside an error object."""
    error = {"code": 502, "message": "Provider disconnected"}
    if not reply.stream and "choices" not in reply.value:
        return reply.with_value({**reply.value, "error": error})
    if not reply.stream:
        choice = reply.value["choices"][0] | {"finish_reason": "error", "error": error}
        return reply.with_value({**reply.value, "choices": [choice]})
    start = cut(reply)
    base = start.events[-1].payload
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    last = Event("error", {**base, "error": error, "choices": [choice]})
    return reply.with_events([*start.events, last, Event("end", "[DONE]")])


def alone(payload: Json) -> Change:
    """This JSON as the only event, or as the whole body."""

    def apply(reply: Reply) -> Reply:
        if reply.stream:
            return reply.with_events([Event("other", dump(payload).decode())])
        return reply.with_value(payload)

    return apply


def unframed(body: bytes) -> Change:
    """Bytes that are no stream, under the label of a stream."""
    return lambda reply: reply.with_parts([body])


def bad_event(reply: Reply) -> Reply:
    """Malformed JSON after three pieces; then everything goes on as if nothing had been."""
    start = len(cut(reply).parts)
    broken = reply.dialect.frame(Event("other", '{"pelican": "fl'))
    return reply.with_parts([*reply.parts[:start], broken, *reply.parts[start:]])


def bad_bytes(reply: Reply) -> Reply:
    """A Latin-1 letter inside UTF-8 text."""
    return reply.with_parts(part.replace("São".encode(), b"S\xe3o") for part in reply.parts)


def other_dialect(reply: Reply) -> Reply:
    """The healthy answer of another dialect."""
    from .dialects import spoken

    others = spoken()
    other = others["openai" if reply.dialect.name != "openai" else "anthropic"]
    request = b'{"stream": true}' if reply.stream else b'{"stream": false}'
    return other.reply("chat", request, HEALTHY)


def number_for_text(reply: Reply) -> Reply:
    """An integer where text belongs, after three pieces or in the body."""
    if not reply.stream:
        text = dump(reply.value).replace(dump(reply.answer.text), b"7")
        return reply.with_parts([text])
    start = cut(reply)
    frame = reply.dialect.frame(text_event(reply, "PELICAN")).replace(b'"PELICAN"', b"7")
    return reply.with_parts([*start.parts, frame, *reply.parts[len(start.parts) :]])


def list_for_object(reply: Reply) -> Reply:
    """The whole body, or each event, inside a list."""
    if not reply.stream:
        return reply.with_value([reply.value])
    return reply.with_events(
        event if isinstance(event.payload, str) else replace(event, payload=[event.payload])
        for event in reply.events
    )


def odd_field(text: bytes) -> Change:
    """An unknown field whose value is *text*, at the start of each object."""

    def put(part: bytes) -> bytes:
        return part.replace(b"{", b'{"pelican":' + text + b",", 1)

    return each_part(put)


def split_surrogates(reply: Reply) -> Reply:
    """A character outside the basic plane, as two escapes in two events."""
    frames: list[bytes] = []
    for event, part in zip(reply.events, reply.parts, strict=True):
        if event.kind == "text" and "🐦".encode() in part:
            before, after = part.split("🐦".encode())
            first = reply.dialect.frame(text_event(reply, "PELICAN"))
            frames += [before + b"\\ud83d" + after.replace(b' "', b'"', 1)]
            frames += [first.replace(b"PELICAN", b"\\udc26 ")]
        else:
            frames.append(part)
    return reply.with_parts(frames)


_CONTENT = {
    "openai": "choices",
    "responses": "output",
    "anthropic": "content",
    "ollama": "message",
    "cohere": "message",
    "gemini": "candidates",
}


def no_content(body: Json, reply: Reply) -> Json:
    """Without what carries the answer; OpenAI's list of choices is empty."""
    rest = {key: item for key, item in body.items() if key != _CONTENT[reply.dialect.name]}
    return rest | {"choices": []} if reply.dialect.name == "openai" else rest


def null_message(body: Json, reply: Reply) -> Json:
    """Null where the message belongs."""
    if reply.dialect.name == "openai":
        return {**body, "choices": [{"index": 0, "message": None, "finish_reason": "stop"}]}
    return {**body, _CONTENT[reply.dialect.name]: None}


def finish_alone(reply: Reply) -> Reply:
    """Gemini's way to tell of a call that it could not read: a finish reason, and no content."""

    def bare(body: Json) -> Json:
        if "candidates" not in body:  # an operation beside chat
            return body
        candidate = {key: item for key, item in body["candidates"][0].items() if key != "content"}
        return {**body, "candidates": [candidate]}

    if not reply.stream:
        return reply.with_value(bare(reply.value))
    return reply.with_events(
        replace(event, payload=bare(event.payload)) if event.kind == "finish" else event
        for event in reply.events
    )


def _shape(name: str, payload: Json) -> Fault:
    return Fault(
        name, 50, f"nothing but {dump(payload).decode()}", changed(alone(payload)), ANY, SHAPE
    )


def _plain(name: str, description: str, change: Callable[[Json, Reply], Json]) -> Fault:
    return Fault(name, 50, description, changed(value(change)), "", SHAPE)


FAULTS: Sequence[Fault] = (
    Fault(
        "error_overloaded",
        42,
        "the dialect's own error after three pieces",
        changed(error_after("overloaded")),
        BROKEN,
    ),
    Fault(
        "error_rate_limit",
        42,
        "a rate limit after three pieces",
        changed(error_after("rate_limit")),
        BROKEN,
    ),
    Fault(
        "key_echoed_midstream",
        42,
        "an error after three pieces that repeats the key",
        key_echoed,
        BROKEN,
    ),
    Fault(
        "error_first",
        43,
        "overloaded, as the first event of a 200",
        changed(error_first("overloaded")),
        "retryable",
        ANY,
        special={"ollama": ANY, "cohere": ANY},
    ),
    Fault(
        "error_first_invalid",
        43,
        "an invalid request, as the first event of a 200",
        changed(error_first("invalid")),
        ANY,
        ANY,
    ),
    Fault(
        "error_then_done",
        44,
        "an error, then the terminator",
        changed(error_after("server", ended=True)),
        BROKEN,
    ),
    Fault(
        "finish_error",
        44,
        "finish reason `error`, then [DONE]",
        changed(finish_error),
        BROKEN,
        ANY,
        dialects=("openai",),
    ),
    Fault(
        "error_text",
        45,
        '{"error": "text"}',
        changed(alone({"error": "out of pelicans"})),
        ANY,
        ANY,
    ),
    Fault(
        "error_object",
        45,
        '{"object": "error"}',
        changed(alone({"object": "error", "message": "out of pelicans", "code": 400})),
        ANY,
        ANY,
    ),
    Fault(
        "bare_json",
        46,
        "a bare JSON error under the label of a stream",
        changed(unframed(b'{"error": {"message": "out of pelicans", "code": 500}}\n')),
        ANY,
    ),
    Fault(
        "html_in_stream",
        46,
        "an HTML page under the label of a stream",
        changed(unframed(HTML)),
        ANY,
    ),
    Fault("bad_event", 47, "malformed JSON in the middle", changed(bad_event), MANGLED),
    Fault(
        "bad_utf8",
        48,
        "bytes that are no UTF-8",
        changed(bad_bytes),
        f"replaced|{MANGLED}",
        f"replaced|{MANGLED}",
    ),
    Fault("surrogates", 48, "half a character an event", changed(split_surrogates), MANGLED),
    Fault("deep", 49, "lists in lists, 100,000 deep", changed(odd_field(DEEP)), DEEPLY, DEEPLY),
    Fault("digits", 49, "a number of 5,000 digits", changed(odd_field(DIGITS)), DEEPLY, DEEPLY),
    Fault("wrong_dialect", 49, "another dialect's answer", changed(other_dialect), ANY, SHAPE),
    Fault("list_for_object", 49, "lists for objects", changed(list_for_object), ANY, SHAPE),
    Fault("number_for_text", 49, "an integer for a text", changed(number_for_text), MANGLED, SHAPE),
    _shape("shape_object", {}),
    _shape("shape_list", []),
    _shape("shape_null", None),
    _shape("shape_string", "x"),
    _plain("no_content", "the part that carries the answer is missing", no_content),
    _plain("null_message", "null for the message", null_message),
    Fault("login_page", 51, "200 and an HTML page", changed(page(HTML)), ANY, ANY),
    Fault(
        "error_200",
        51,
        "200 and the body of an error",
        changed(lambda r: page(dump(r.dialect.error("server")), "application/json")(r)),
        ANY,
        ANY,
    ),
    Fault("not_json", 51, "200 and a word", changed(page(b"OK", "text/plain")), ANY, ANY),
    Fault(
        "filtered_finish",
        52,
        "filtered, says the finish reason",
        changed(),
        "filtered",
        "filtered",
        dialects=SSE,
        answer="filtered",
    ),
    Fault(
        "failed_call",
        53,
        "a finish reason alone: the call that the model made could not be read",
        changed(finish_alone),
        "failed",
        "failed",
        dialects=("gemini",),
        answer="failed_call",
    ),
    Fault(
        "bad_tool_json",
        55,
        "tool arguments that are no JSON",
        changed(),
        "equal|error",
        "equal|error",
        answer="bad_tool",
    ),
)
