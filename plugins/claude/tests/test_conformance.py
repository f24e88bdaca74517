"""The provider keeps the contract that every provider keeps."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, ClassVar

from jackfield import ChatRequest, MediaPart, Message, ModelInfoRequest, TextPart
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


def _said(text: str, **usage: int) -> dict[str, Any]:
    """A whole answer that says *text*."""
    return {
        **START["message"],
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 4, "output_tokens": 2, **usage},
    }


def _asked(part: MediaPart) -> list[Message]:
    return [Message("user", [part, TextPart("What is this?")])]


def _sent(*blocks: dict[str, Any]) -> dict[str, Any]:
    """The request with *blocks*, as it must be sent."""
    said = [*blocks, {"type": "text", "text": "What is this?"}]
    body = {"model": "a-model", "max_tokens": 4096, "messages": [{"role": "user", "content": said}]}
    return {"method": "POST", "url": "https://api.anthropic.com/v1/messages", "body": body}


def _looked_at(name: str, part: MediaPart, block: dict[str, Any], text: str) -> Any:
    """A recording of a question about *part*, which is sent as *block*."""
    document = {
        "interactions": [{"request": _sent(block), "response": {"body": _said(text)}}],
        "call": {"prompt": _asked(part)},
        "expect": {"text": text},
    }
    return parse_recording(name, document)


PNG, PDF = b"\x89PNG\r\n\x1a\n a pixel", b"%PDF-1.7"
SHAPE = {
    "type": "object",
    "properties": {"bird": {"type": "string"}},
    "required": ["bird"],
    "additionalProperties": False,
}
LOOKED_AT = [
    _looked_at(
        "an-image",
        MediaPart("image/png", PNG),
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": b64encode(PNG).decode(),
            },
        },
        "A pixel",
    ),
    _looked_at(
        "a-document",
        MediaPart("application/pdf", PDF, name="a.pdf"),
        {
            "type": "document",
            "source": {
                "type": "base64",
                "media_type": "application/pdf",
                "data": b64encode(PDF).decode(),
            },
            "title": "a.pdf",
        },
        "An empty page",
    ),
    _looked_at(
        "an-uploaded-file",
        MediaPart("application/pdf", url="file_011"),
        {"type": "document", "source": {"type": "file", "file_id": "file_011"}},
        "An empty page",
    ),
    _recording(
        "an-answer-in-a-schema",
        {"body": _said('{"bird": "pelican"}')},
        call={"model": "claude-opus-4-8", "options": {"response_format": SHAPE}},
        expect={"text": '{"bird": "pelican"}'},
    ),
    _recording(
        "a-prompt-from-the-cache",
        {"body": _said("Yes", cache_read_input_tokens=1650, cache_creation_input_tokens=44)},
        expect={
            "usage.input_tokens": 1698,
            "usage.cache_read_tokens": 1650,
            "usage.cache_write_tokens": 44,
        },
    ),
]

FILE = {
    "type": "file",
    "id": "file_011",
    "filename": "a.txt",
    "mime_type": "text/plain",
    "size_bytes": 5,
    "created_at": "2026-01-28T15:08:22.287000Z",
    "downloadable": False,
}
FILES = [
    _recording(
        "a-file-goes-up",
        {"body": FILE},
        call={"verb": "upload_file", "options": {"data": b"Hello", "name": "a.txt"}},
        expect={"id": "file_011", "size_bytes": 5, "media_type": "text/plain", "name": "a.txt"},
    ),
    _recording(
        "a-file",
        {"body": FILE},
        call={"verb": "get_file", "options": {"file_id": "file_011"}},
        expect={"id": "file_011"},
    ),
    _recording(
        "the-files",
        {"body": {"data": [FILE], "has_more": False, "last_id": "file_011"}},
        call={"verb": "list_files"},
        expect={"0.id": "file_011"},
    ),
    _recording(
        "a-file-that-cannot-be-fetched",
        {
            "status": 400,
            "body": {
                "type": "error",
                "error": {"type": "invalid_request_error", "message": "not downloadable"},
            },
        },
        call={"verb": "download_file", "options": {"file_id": "file_011"}},
        expect={"error": "InvalidRequestError", "status": 400},
    ),
    _recording(
        "a-file-goes",
        {"body": {"id": "file_011", "type": "file_deleted"}},
        call={"verb": "delete_file", "options": {"file_id": "file_011"}},
    ),
]

BATCH: dict[str, Any] = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "in_progress",
    "request_counts": {"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2026-01-01T00:05:23.250396+00:00",
    "ended_at": None,
    "results_url": None,
}
ENDED = {
    **BATCH,
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 0},
    "ended_at": "2026-01-01T01:05:23.250396+00:00",
    "results_url": "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results",
}
LINES = [
    {"custom_id": "request-0", "result": {"type": "succeeded", "message": _said("Four")}},
    {"custom_id": "tools", "result": {"type": "succeeded", "message": WHOLE}},
    {
        "custom_id": "refused",
        "result": {
            "type": "errored",
            "error": {"type": "error", "error": {"type": "overloaded_error", "message": "Later"}},
        },
    },
]
JOB = {"options": {"job_id": "msgbatch_1"}}
BATCHES = [
    _recording(
        "a-batch-is-handed-in",
        {"body": BATCH},
        call={
            "verb": "create_batch",
            "options": {"items": [ChatRequest(model="a-model", messages=[Message("user", "Hi")])]},
        },
        expect={"id": "msgbatch_1", "status": "running", "total": 1, "succeeded": 0},
    ),
    _recording(
        "a-batch",
        {"body": ENDED},
        call={"verb": "get_batch", **JOB},
        expect={"status": "succeeded", "total": 3, "succeeded": 2, "failed": 1},
    ),
    _recording(
        "a-batch-is-stopped",
        {"body": {**BATCH, "processing_status": "canceling"}},
        call={"verb": "cancel_batch", **JOB},
        expect={"status": "cancelling", "raw_status": "canceling"},
    ),
    _recording(
        "a-batch-is-forgotten",
        {"body": {"id": "msgbatch_1", "type": "message_batch_deleted"}},
        call={"verb": "delete_batch", **JOB},
    ),
    _recording(
        "the-batches",
        {"body": {"data": [ENDED], "has_more": False, "last_id": "msgbatch_1"}},
        call={"verb": "list_batches"},
        expect={"0.id": "msgbatch_1"},
    ),
    parse_recording(
        "the-results-of-a-batch",
        {
            "interactions": [
                {"response": {"body": ENDED}},
                {"response": {"body_text": "\n".join(json.dumps(line) for line in LINES)}},
            ],
            "call": {"verb": "batch_results", **JOB},
            "expect": {
                "0.custom_id": "request-0",
                "0.response.text": "Four",
                "1.custom_id": "tools",
                "1.response.tool_calls.0.id": "toolu_1",
                "2.error.status": 529,
            },
        },
    ),
]

MODEL = _recording(
    "a-model",
    {"body": {"id": "claude-x", "type": "model", "max_input_tokens": 200000}},
    call={"verb": "run", "options": {"request": ModelInfoRequest(model="claude-x")}},
    expect={"context_window": 200000},
)


class TestClaude(ProviderConformance):
    provider = ClaudeProvider
    config: ClassVar[dict[str, Any]] = {"api_key": "made-up"}
    model = "claude-opus-4-8"
    recordings: ClassVar = [*RECORDINGS, *LOOKED_AT, *FILES, *BATCHES, MODEL]
