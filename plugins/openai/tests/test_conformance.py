"""The OpenAI provider keeps the contract that every provider keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_openai import OpenAIProvider

ITEM = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Ein Pelikan 🐦", "annotations": []}],
}
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"city":"Bern"}',
    "status": "completed",
}
USAGE = {
    "input_tokens": 9,
    "output_tokens": 5,
    "total_tokens": 14,
    "output_tokens_details": {"reasoning_tokens": 2},
}
WHOLE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "a-model",
    "output": [THOUGHT, ITEM, CALL],
    "usage": USAGE,
}


def steps() -> str:
    """The events of the response."""
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**WHOLE, "output": []}}
    ]
    for at, item in enumerate(WHOLE["output"]):
        begun = {**item, "content": [], "summary": [], "arguments": ""}
        events.append({"type": "response.output_item.added", "output_index": at, "item": begun})
        events.append({"type": "response.output_item.done", "output_index": at, "item": item})
        if at == 1:
            deltas = [
                {
                    "type": "response.output_text.delta",
                    "output_index": 1,
                    "content_index": 0,
                    "delta": d,
                }
                for d in ("Ein ", "Pelikan 🐦")
            ]
            events[-1:-1] = deltas
    events.append({"type": "response.completed", "response": WHOLE})
    lines = [f"event: {e['type']}\ndata: {json.dumps(e, ensure_ascii=False)}\n\n" for e in events]
    return "".join(lines)


ASKED = {"options": {"provider_options": {"openai": {"api": "responses"}}}}
RESPONSES = [
    t.recording(
        "a-response", {"body": WHOLE}, {"verb": "execute", **ASKED}, text="Ein Pelikan 🐦",
        reasoning="Hm.", finish_reason="tool_calls", **{"tool_calls.0.id": "call_1"},
    ),
    t.recording(
        "a-streamed-response", t.sse(steps()), {"verb": "stream_execute", **ASKED},
        text="Ein Pelikan 🐦", **{"usage.reasoning_tokens": 2},
    ),
    t.recording(
        "counted-tokens", {"body": {"object": "response.input_tokens", "input_tokens": 14}},
        {"verb": "count_tokens"}, input_tokens=14,
    ),
]  # fmt: skip


class TestOpenAI(ProviderConformance):
    provider = OpenAIProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    # Made with `jackfield.testing.Tape` from llama.cpp's server and the demo model.
    # The others are after the official description.
    recordings: ClassVar = [
        Path(__file__).parent / "recordings",
        *t.CHAT,
        *t.MEDIA,
        *t.ERRORS,
        *t.COMPLETIONS,
        *t.IMAGES,
        *t.SPEECH,
        *t.TRANSCRIPTION,
        *t.MODERATION,
        *t.FILES,
        *t.BATCHES,
        *t.MODEL,
        *t.FINE_TUNING,
        *RESPONSES,
    ]
