"""Between Ollama's chat API and OpenAI's, as the Ollama-shaped peer needs it: pure functions.

Written from Ollama's API description and its recorded traffic, apart from the plugin that it tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import define, field

Json = dict[str, Any]

OPTIONS: Mapping[str, str] = {
    "temperature": "temperature",
    "seed": "seed",
    "num_predict": "max_tokens",
    "stop": "stop",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
"""Ollama's options and their names upstream; the others are for loading a model."""


def to_openai(body: Json, messages: Sequence[Json]) -> Json:
    """The chat-completions body for an Ollama request with these *messages*."""
    wire: Json = {"model": body["model"], "stream": body.get("stream", True)}
    wire["messages"] = list(_messages(messages))
    for name, value in (body.get("options") or {}).items():
        # A negative length means without end, which is what leaving it out means upstream.
        if name in OPTIONS and not (name == "num_predict" and value < 0):
            wire[OPTIONS[name]] = value
    if body.get("tools"):
        wire["tools"] = body["tools"]
    wanted = body.get("format")
    if wanted == "json":
        wire["response_format"] = {"type": "json_object"}
    elif isinstance(wanted, dict):
        schema = {"name": "answer", "schema": wanted, "strict": True}
        wire["response_format"] = {"type": "json_schema", "json_schema": schema}
    if wire["stream"]:
        wire["stream_options"] = {"include_usage": True}
    return wire


def _messages(messages: Sequence[Json]) -> Iterator[Json]:
    """Messages with ids: results answer the calls in their order unless they say which."""
    made = 0
    waiting: list[str] = []
    for given in messages:
        message: Json = {"role": given["role"], "content": given.get("content") or ""}
        if given.get("tool_calls"):
            calls = []
            for asked in given["tool_calls"]:
                made += 1
                waiting.append(asked.get("id") or f"call_{made}")
                function = asked["function"]
                arguments = json.dumps(function.get("arguments") or {})
                wire = {"name": function["name"], "arguments": arguments}
                calls.append({"id": waiting[-1], "type": "function", "function": wire})
            message["tool_calls"] = calls
        if message["role"] == "tool":
            known = given.get("tool_call_id")
            message["tool_call_id"] = known or (waiting[0] if waiting else "call_0")
            waiting = [w for w in waiting if w != message["tool_call_id"]]
        yield message


def to_calls(calls: Iterable[Json]) -> list[Json]:
    """Tool calls as Ollama writes them: whole, numbered, their arguments an object."""
    return [
        {
            "id": wire.get("id") or f"call_{index}",
            "function": {
                "index": index,
                "name": wire["function"]["name"],
                "arguments": json.loads(wire["function"]["arguments"] or "{}"),
            },
        }
        for index, wire in enumerate(calls)
    ]


@define
class Collected:
    """What the chunks of one upstream stream came to."""

    calls: dict[int, Json] = field(factory=dict)
    usage: Json = field(factory=dict)
    reason: str = "stop"

    def text(self, chunk: Json) -> str:
        """Take *chunk* in; return its visible text."""
        self.usage = chunk.get("usage") or self.usage
        text = ""
        for choice in chunk.get("choices") or ():
            self.reason = choice.get("finish_reason") or self.reason
            delta = choice["delta"]
            text += delta.get("content") or ""
            for piece in delta.get("tool_calls") or ():
                empty: Json = {"id": None, "function": {"name": "", "arguments": ""}}
                found = self.calls.setdefault(piece["index"], empty)
                found["id"] = found["id"] or piece.get("id")
                for name in ("name", "arguments"):
                    found["function"][name] += piece["function"].get(name) or ""
        return text


def finished(usage: Json, reason: str, began: int, first: int, ended: int) -> Json:
    """The last fields of an answer; times in nanoseconds."""
    return {
        "done": True,
        "done_reason": "length" if reason == "length" else "stop",
        "total_duration": ended - began,
        "load_duration": 0,
        "prompt_eval_count": usage.get("prompt_tokens", 0),
        "prompt_eval_duration": first - began,
        "eval_count": usage.get("completion_tokens", 0),
        "eval_duration": ended - first,
    }
