"""Rows 9 to 13, 16, 22, 54 and 76: odd events of a whole answer, which must be read as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import cycle

from .dialects import parse
from .reply import Reply, play
from .script import Action
from .shaping import whole
from .values import Answer, Event, Fault, Json, Situation

SSE = ("openai", "responses", "anthropic", "cohere", "gemini")
EQ = "equal"
ECHO = "echo"


def future(reply: Reply) -> Reply:
    """Unknown fields everywhere, and events and blocks of unknown types."""
    if not reply.stream:
        return reply.with_value(
            {**reply.value, "pelican_future": {"deep": [1, None]}, "mood": "sunny"}
        )
    events = [
        e if isinstance(e.payload, str) else replace(e, payload=e.payload | {"mood": 1})
        for e in reply.events
    ]
    return reply.with_events(events[:1] + _future_events(reply.dialect.name) + events[1:])


def _future_events(dialect: str) -> list[Event]:
    if dialect == "openai":
        payload = {"id": "f", "object": "pelican.future", "choices": [], "mood": "sunny"}
        return [Event("other", payload, name="pelican.future")]
    if dialect == "ollama":
        return []
    if dialect == "responses":
        payload = {"type": "response.pelican_future", "mood": "sunny"}
        return [Event("other", payload, name="response.pelican_future")]
    block = {"type": "pelican_block", "mood": "sunny"}
    payloads: list[Json] = [
        {"type": "pelican_future", "mood": "sunny"},
        {"type": "content_block_start", "index": 7, "content_block": block},
        {
            "type": "content_block_delta",
            "index": 7,
            "delta": {"type": "mood_delta", "mood": "sunny"},
        },
        {"type": "content_block_stop", "index": 7},
    ]
    return [Event("other", payload, name=payload["type"]) for payload in payloads]


def azure(reply: Reply) -> Reply:
    """The chunks that Azure sends: no choices, no delta, null deltas and contents, the role again."""
    if not reply.stream:
        return reply.with_value({**reply.value, "prompt_filter_results": [{"prompt_index": 0}]})
    base = reply.events[0].payload
    choice: Json = {"index": 0, "finish_reason": None}

    def event(*choices: Json) -> Event:
        return Event("other", {**base, "choices": list(choices)})

    repeated = {"role": "assistant", "content": None}
    odd = [
        event({**choice, "content_filter_results": {}, "content_filter_offsets": {}}),
        event({**choice, "delta": None}),
        event({**choice, "delta": {"content": None}}),
        event({**choice, "delta": repeated}),
    ]
    first = Event("other", {**base, "choices": [], "prompt_filter_results": [{"prompt_index": 0}]})
    events = [first]
    for original, extra in zip(reply.events, cycle(odd)):
        events += [extra, original] if original.kind == "text" else [original]
    return reply.with_events(events)


def growing_usage(reply: Reply) -> Reply:
    """Usage so far in every event, cumulative."""
    texts = [i for i, event in enumerate(reply.events) if event.kind == "text"]
    counts = {index: {"output": n + 1} for n, index in enumerate(texts)}
    events: list[Event] = []
    for index, event in enumerate(reply.events):
        so_far = counts.get(index, {}).get("output")
        events += [event] if so_far is None else _with_usage(reply.dialect.name, event, so_far)
    return reply.with_events(events)


def _with_usage(dialect: str, event: Event, output: int) -> list[Event]:
    if dialect == "anthropic":
        delta = {"stop_reason": None, "stop_sequence": None}
        payload = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": output}}
        return [event, Event("other", payload, name="message_delta")]
    if dialect == "ollama":
        return [
            replace(event, payload=event.payload | {"prompt_eval_count": 21, "eval_count": output})
        ]
    usage = {"prompt_tokens": 21, "completion_tokens": output, "total_tokens": 21 + output}
    return [replace(event, payload=event.payload | {"usage": usage})]


def endings_twice(reply: Reply) -> Reply:
    """Finish, usage and terminator twice."""
    last = [event for event in reply.events if event.kind in ("finish", "usage", "end")]
    return reply.with_events([*reply.events, *last])


def without(*kinds: str) -> Callable[[Reply], Reply]:
    """Leave out the events of these kinds."""
    return lambda reply: reply.with_events(
        event for event in reply.events if event.kind not in kinds
    )


def interleaved(reply: Reply) -> Reply:
    """The pieces of parallel tool calls in turn."""
    calls: dict[int, list[Event]] = {}
    for event in reply.events:
        if event.kind == "tool":
            calls.setdefault(
                event.payload["choices"][0]["delta"]["tool_calls"][0]["index"], []
            ).append(event)
    mixed: list[Event] = []
    while any(calls.values()):
        mixed += [pieces.pop(0) for pieces in calls.values() if pieces]
    place = next((i for i, event in enumerate(reply.events) if event.kind == "tool"), 0)
    others = [event for event in reply.events if event.kind != "tool"]
    return reply.with_events([*others[:place], *mixed, *others[place:]])


def escaped(item: Json) -> str:
    """JSON with every character of every string value as an escape."""
    if isinstance(item, str):
        units = item.encode("utf-16-be", "surrogatepass")
        pairs = (units[i : i + 2].hex() for i in range(0, len(units), 2))
        return '"' + "".join(f"\\u{pair}" for pair in pairs) + '"'
    if isinstance(item, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{escaped(v)}" for key, v in item.items()) + "}"
    if isinstance(item, list | tuple):
        return "[" + ",".join(map(escaped, item)) + "]"
    return json.dumps(item)


def escape_all(reply: Reply) -> Reply:
    """All text as escapes."""
    if not reply.stream:
        return reply.with_parts([escaped(reply.value).encode()])
    return reply.with_events(
        event if isinstance(event.payload, str) else replace(event, payload=escaped(event.payload))
        for event in reply.events
    )


def last_text(body: bytes) -> str:
    """The text of the last message, prompt or input of a request, in any of the dialects."""
    request = parse(body)
    keys = ("messages", "input", "contents", "prompt")
    said = next((request[key] for key in keys if request.get(key)), "")
    last = said[-1] if isinstance(said, list) else said
    if isinstance(last, dict):
        last = last.get("content") or last.get("parts") or ""
    return last if isinstance(last, str) else "".join(part.get("text", "") for part in last)


def echo(reply: Reply, situation: Situation) -> Iterable[Action]:
    """The text of the last message, word by word."""
    words = last_text(situation.body).split(" ")
    pieces = (*(f"{word} " for word in words[:-1]), words[-1])
    return play(reply.dialect.reply(reply.operation, situation.body, Answer(pieces=pieces)))


FAULTS: Sequence[Fault] = (
    Fault("echo", 0, "a healthy answer: the text of the last message", echo, ECHO, ECHO),
    whole("escapes", 9, "every character of the text as \\uXXXX", escape_all, plain=EQ),
    whole("controls", 9, "NUL, BEL, DEL, ESC, U+2028 in the text", plain=EQ, answer="controls"),
    whole("azure_chunks", 10, "no choices, no delta, nulls", azure, plain=EQ, dialects=("openai",)),
    whole("future_events", 11, "unknown events, blocks and fields", future, plain=EQ),
    whole("usage_absent", 12, "no usage anywhere: None, not 0", plain=EQ, answer="no_usage"),
    whole("usage_growing", 13, "cumulative usage in every event: the last counts", growing_usage),
    whole("ends_twice", 13, "finish, usage and terminator twice", endings_twice),
    whole("no_terminator", 16, "a finish reason, but no terminator", without("end"), dialects=SSE),
    whole(
        "no_finish",
        16,
        "the terminator, but no finish reason",
        plain=EQ,
        answer="no_finish",
        # A finish reason is all that tells the end of its streams.
        special={"gemini": "equal|interrupted"},
    ),
    whole("tool_pieces", 22, "tool arguments in pieces of five", plain=EQ, answer="pieces"),
    whole("two_tools", 22, "two tool calls in one answer", plain=EQ, answer="two_tools"),
    whole(
        "tools_mixed",
        22,
        "the pieces of two tool calls in turn",
        interleaved,
        answer="two_tools",
        dialects=("openai",),
    ),
    whole("unknown_finish", 54, "a finish reason nobody knows", plain=EQ, answer="odd_finish"),
    whole("hostile_text", 76, "HTML, frames, forged log lines", plain=EQ, answer="hostile"),
)
