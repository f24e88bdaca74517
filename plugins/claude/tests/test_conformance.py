"""The provider keeps the contract that every provider keeps."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import parse_recording
from jackfield_claude import ClaudeProvider

START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 4, "cache_read_input_tokens": 100, "output_tokens": 1},
    },
}
BLOCKS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (
        {"type": "thinking", "thinking": "", "signature": ""},
        [
            {"type": "thinking_delta", "thinking": "Pelicans, "},
            {"type": "thinking_delta", "thinking": "then."},
            {"type": "signature_delta", "signature": "c2lnbmVk"},
        ],
    ),
    ({"type": "redacted_thinking", "data": "b3BhcXVl"}, []),
    (
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        [
            {"type": "input_json_delta", "partial_json": '{"query": "peli'},
            {"type": "input_json_delta", "partial_json": 'can"}'},
        ],
    ),
    ({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}, []),
    (
        {"type": "text", "text": ""},
        [
            {"type": "text_delta", "text": "Ein Pelikan: "},
            {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "P"}},
            {"type": "text_delta", "text": "ペリカン 🐦"},
        ],
    ),
    (
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}},
        [
            {"type": "input_json_delta", "partial_json": ""},
            {"type": "input_json_delta", "partial_json": '{"city": "Z'},
            {"type": "input_json_delta", "partial_json": 'ürich"}'},
        ],
    ),
    ({"type": "tool_use", "id": "toolu_2", "name": "get_time", "input": {}}, []),
]
END: dict[str, Any] = {
    "type": "message_delta",
    "delta": {"stop_reason": "tool_use", "stop_sequence": None},
    "usage": {"output_tokens": 31},
}
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def _events() -> list[dict[str, Any]]:
    events = [START, {"type": "ping"}]
    for index, (start, deltas) in enumerate(BLOCKS):
        at = {"index": index}
        events.append({"type": "content_block_start", **at, "content_block": start})
        events += [{"type": "content_block_delta", **at, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", **at})
    return [*events, END, {"type": "message_stop"}]


def _sse(events: list[dict[str, Any]], end: str = "\n") -> str:
    lines = [f"event: {e['type']}{end}data: {json.dumps(e)}{end}{end}" for e in events]
    return "".join(lines)


def _recording(name: str, response: dict[str, Any], **more: Any) -> Any:
    headers = {"content-type": "text/event-stream", "request-id": "req_1"}
    answer = {"headers": headers, **response}
    return parse_recording(name, {"interactions": [{"response": answer}], **more})


WHOLE = {
    **START["message"],
    "content": [
        {"type": "thinking", "thinking": "Pelicans.", "signature": "c2ln"},
        {"type": "text", "text": "A pelican", "citations": [{"type": "page_location"}]},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Zürich"}},
        {"type": "something_new", "data": {"deep": [1, None]}},
    ],
    "stop_reason": "end_turn",
}


RECORDINGS = [
    _recording(
        "a-stream-of-everything",
        {"sse": _sse(_events())},
        expect={
            "text": "Ein Pelikan: ペリカン 🐦",
            "reasoning": "Pelicans, then.",
            "finish_reason": "tool_calls",
            "raw_finish_reason": "tool_use",
            "usage.input_tokens": 104,
            "usage.cache_read_tokens": 100,
            "usage.output_tokens": 31,
            "tool_calls.0.arguments": '{"city": "Zürich"}',
            "tool_calls.1.arguments": "{}",
        },
    ),
    _recording("other-line-ends", {"sse": _sse(_events(), "\r\n")}),
    _recording(
        "a-whole-answer", {"body": WHOLE}, expect={"text": "A pelican", "finish_reason": "stop"}
    ),
    _recording(
        "an-error-after-some-text",
        {"sse": _sse([*_events()[:12], ERROR])},
        expect={"error": "StreamInterruptedError", "code": "overloaded_error"},
    ),
    _recording(
        "an-error-instead-of-an-answer",
        {"sse": _sse([ERROR])},
        expect={"error": "OverloadedError", "code": "overloaded_error"},
    ),
    _recording(
        "too-long",
        {
            "status": 400,
            "body": {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "prompt is too long: 212345 tokens > 200000 maximum",
                },
            },
        },
        expect={"error": "ContextLengthExceededError", "status": 400},
    ),
    _recording(
        "a-count",
        {"body": {"input_tokens": 14}},
        call={"verb": "count_tokens"},
        expect={"input_tokens": 14},
    ),
    _recording(
        "models",
        {
            "body": {
                "data": [{"type": "model", "id": "claude-x", "display_name": "X"}],
                "has_more": False,
                "last_id": "claude-x",
            }
        },
        call={"verb": "list_models"},
        expect={"0.id": "claude-x", "0.display_name": "X"},
    ),
]


class TestClaude(ProviderConformance):
    provider = ClaudeProvider
    config: ClassVar[dict[str, Any]] = {"api_key": "made-up"}
    model = "claude-opus-4-8"
    recordings = RECORDINGS
