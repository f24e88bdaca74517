"""Recordings in the dialect, after its official description: what a vendor's conformance suite replays.

::

    from jackfield_dialect_openai.testing import RECORDINGS


    class TestMine(ProviderConformance):
        provider = MyProvider
        config = {"api_key": "made-up"}
        recordings = RECORDINGS
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from jackfield import ChatRequest, Message, ModelInfoRequest
from jackfield.testing.recordings import Recording, parse_recording

Wire = Mapping[str, Any]

PIXEL = {"media_type": "image/png", "base64": b64encode(b"\x89PNG\r\n\x1a\n-").decode()}
SOUND = {
    "media_type": "audio/wav",
    "base64": b64encode(b"RIFF\0\0\0\0WAVE").decode(),
    "name": "a.wav",
}
TOOL = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
SCHEMA = {"type": "json_schema", "schema": {"type": "object", "properties": {"n": {}}}}
USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 9,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 16},
    "completion_tokens_details": {"reasoning_tokens": 4},
}


def recording(name: str, response: Wire, call: Wire | None = None, /, **expect: Any) -> Recording:
    """One exchange: what is asked, the *response*, and what is expected of it."""
    turn = {"response": {"headers": {"x-request-id": "req-1"}, **response}}
    document = {"interactions": [turn], "call": dict(call or {}), "expect": expect}
    return parse_recording(name, document)


def whole(message: Wire, finish: str = "stop", **more: Any) -> Wire:
    """The body of a whole answer."""
    said = {"role": "assistant", "content": None, **message}
    choice = {"index": 0, "message": said, "finish_reason": finish, "logprobs": None}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "a-model"}
    return {**answer, "choices": [choice], "usage": USAGE, **more}


def stream(*deltas: Wire, finish: str | None = "stop", done: bool = True) -> str:
    """The events of a streamed answer."""
    about = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "a-model",
    }
    chunks: list[Any] = [
        {**about, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in ({"role": "assistant", "content": ""}, *deltas)
    ]
    if finish:
        chunks.append({**about, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        chunks.append({**about, "choices": [], "usage": USAGE})
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return "".join(lines) + ("data: [DONE]\n\n" if done else "")


def sse(text: str) -> Wire:
    """A response that is a stream."""
    return {"headers": {"content-type": "text/event-stream"}, "sse": text}


def _called(at: int, name: str, *arguments: str) -> list[Wire]:
    first = {"index": at, "id": f"call_{at}", "type": "function"}
    begun = {**first, "function": {"name": name, "arguments": ""}}
    rest = [{"index": at, "function": {"arguments": piece}} for piece in arguments]
    return [{"tool_calls": [call]} for call in (begun, *rest)]


def _call(at: int, name: str, arguments: str) -> Wire:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{at}", "type": "function", "function": function}


CHAT = [
    recording(
        "an-answer", {"body": whole({"content": "A pelican 🐦"})}, text="A pelican 🐦",
        finish_reason="stop", **{"usage.input_tokens": 20, "usage.cache_read_tokens": 16},
    ),
    recording(
        "a-stream", sse(stream({"content": "Ein "}, {"content": "Pelikan: ペリカン"})),
        text="Ein Pelikan: ペリカン", raw_finish_reason="stop", **{"usage.output_tokens": 9},
    ),
    recording(
        "other-line-ends", sse(stream({"content": "Hello"}).replace("\n", "\r\n")), text="Hello"
    ),
    recording(
        "two-tools", {"body": whole({"tool_calls": [
            _call(0, "get_weather", '{"city":"Zürich"}'), _call(1, "get_weather", '{"city":"Bern"}'),
        ]}, "tool_calls")},
        {"options": {"tools": [TOOL]}},
        finish_reason="tool_calls", **{"tool_calls.1.arguments": '{"city":"Bern"}'},
    ),
    recording(
        "two-tools-streamed", sse(stream(
            *_called(0, "get_weather", '{"city"', ':"Zürich"}'),
            *_called(1, "get_weather", '{"city":"Bern"}'), finish="tool_calls",
        )),
        {"options": {"tools": [TOOL]}},
        **{"tool_calls.0.arguments": '{"city":"Zürich"}', "tool_calls.1.id": "call_1"},
    ),
    recording(
        "thinking", sse(stream({"reasoning_content": "2 + 2 …"}, {"content": "4"})),
        text="4", reasoning="2 + 2 …", **{"usage.reasoning_tokens": 4},
    ),
    recording(
        "an-answer-in-a-shape", {"body": whole({"content": '{"n": 4}'})},
        {"options": {"response_format": SCHEMA}}, text='{"n": 4}',
    ),
    recording(
        "a-picture", {"body": whole({"content": "A pixel"})},
        {"prompt": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL['base64']}"}},
        ]}]}, text="A pixel",
    ),
    recording(
        "cut-off", sse(stream({"content": "A pel"}, finish="length")), finish_reason="length"
    ),
    recording(
        "filtered", {"body": whole({"content": ""}, "content_filter")},
        finish_reason="content_filter",
    ),
]  # fmt: skip

MEDIA = [
    recording(
        "a-sound",
        {"body": whole({"content": "Somebody says hello."})},
        {
            "prompt": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "input_audio",
                            "input_audio": {"data": SOUND["base64"], "format": "wav"},
                        },
                    ],
                }
            ]
        },
        text="Somebody says hello.",
    ),
    recording(
        "a-document",
        {"body": whole({"content": "It is empty."})},
        {
            "prompt": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "file",
                            "file": {
                                "filename": "a.pdf",
                                "file_data": "data:application/pdf;base64,JVBERi0=",
                            },
                        },
                    ],
                }
            ]
        },
        text="It is empty.",
    ),
    recording(
        "a-spoken-answer",
        {
            "body": whole(
                {
                    "audio": {
                        "id": "audio_1",
                        "data": SOUND["base64"],
                        "transcript": "Hello",
                        "expires_at": 1,
                    }
                }
            )
        },
        finish_reason="stop",
    ),
]
"""What OpenAI's own models take and give beside text and pictures."""

ERRORS = [
    recording(
        "an-error-after-some-text",
        sse(stream({"content": "A pel"}, finish=None, done=False)
            + 'data: {"error": {"message": "Overloaded", "code": "server_error"}}\n\n'),
        error="StreamInterruptedError", code="server_error",
    ),
    recording(
        "a-wrong-key", {"status": 401, "body": {"error": {
            "message": "Incorrect API key", "type": "invalid_request_error", "code": "invalid_api_key",
        }}}, error="AuthenticationError", status=401,
    ),
    recording(
        "too-long", {"status": 400, "body": {"error": {
            "message": "This model's maximum context length is 10 tokens", "param": "messages",
            "type": "invalid_request_error", "code": "context_length_exceeded",
        }}}, error="ContextLengthExceededError",
    ),
    recording(
        "too-many", {"status": 429, "headers": {"retry-after": "2"},
                     "body": {"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}},
        error="RateLimitError", retry_after=2.0,
    ),
]  # fmt: skip

EMBEDDINGS = [
    recording(
        "embeddings",
        {"body": {"object": "list", "model": "a-model", "usage": {"prompt_tokens": 2, "total_tokens": 2},
                  "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}]}},
        {"verb": "embed", "prompt": "Hi"}, **{"vectors.0.1": -0.25, "usage.input_tokens": 2},
    ),
]  # fmt: skip

MODELS = [
    recording(
        "models", {"body": {"object": "list", "data": [{"id": "a-model", "object": "model"}]}},
        {"verb": "list_models"}, **{"0.id": "a-model"},
    ),
]  # fmt: skip

MODEL = [
    recording(
        "a-model", {"body": {"id": "a-model", "object": "model", "created": 1, "owned_by": "me"}},
        {"verb": "run", "options": {"request": ModelInfoRequest(model="a-model")}}, id="a-model",
    ),
]  # fmt: skip
"""Where a server describes a model alone as it does in the list."""

RECORDINGS = [*CHAT, *ERRORS, *EMBEDDINGS, *MODELS]
"""What every server of the dialect has."""

COMPLETIONS = [
    recording(
        "a-completion",
        {"body": {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "a-model",
                  "choices": [{"index": 0, "text": " a time", "finish_reason": "stop", "logprobs": None}],
                  "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}},
        {"verb": "complete", "prompt": "Once upon"}, text=" a time", **{"usage.output_tokens": 2},
    ),
]  # fmt: skip

RERANK = [
    recording(
        "a-ranking",
        {"body": {"id": "r-1", "model": "a-model", "usage": {"total_tokens": 9},
                  "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}},
        {"verb": "rerank", "prompt": "Who?", "options": {"documents": ["Nobody", "Nila"]}},
        **{"results.0.index": 1, "results.0.document": "Nila"},
    ),
]  # fmt: skip

IMAGES = [
    recording(
        "an-image", {"body": {"created": 1, "data": [{"b64_json": PIXEL["base64"]}]}},
        {"verb": "generate_image", "prompt": "A pixel"}, **{"images.0.media_type": "image/png"},
    ),
]  # fmt: skip

SPEECH = [
    recording(
        "speech", {"headers": {"content-type": "audio/mpeg"}, "body_base64": b64encode(b"ID3").decode()},
        {"verb": "speak", "prompt": "Hello", "options": {"voice": "alloy"}},
        **{"audio.media_type": "audio/mpeg"},
    ),
]  # fmt: skip

TRANSCRIPTION = [
    recording(
        "a-transcript", {"body": {"text": "Hello", "usage": {"type": "duration", "seconds": 2}}},
        {"verb": "transcribe", "options": {"audio": SOUND}}, text="Hello", duration=2.0,
    ),
]  # fmt: skip

FILE = {"id": "file-1", "object": "file", "bytes": 5, "created_at": 1, "filename": "a.txt",
        "purpose": "user_data"}  # fmt: skip
BATCH = {"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "created_at": 1,
         "status": "validating", "request_counts": {"total": 1, "completed": 0, "failed": 0}}  # fmt: skip

FILES = [
    recording(
        "a-file", {"body": FILE},
        {"verb": "upload_file", "options": {
            "data": {"media_type": "text/plain", "base64": "SGVsbG8=", "name": "a.txt"},
        }}, id="file-1", size_bytes=5,
    ),
    recording("a-kept-file", {"body": FILE}, {"verb": "get_file", "options": {"file_id": "file-1"}}, name="a.txt"),
    recording("kept-files", {"body": {"object": "list", "data": [FILE], "has_more": False}},
              {"verb": "list_files"}, **{"0.id": "file-1"}),
    recording("a-file's-bytes", {"body_text": "Hello"}, {"verb": "download_file", "options": {"file_id": "file-1"}}),
    recording("a-file-less", {"body": {"id": "file-1", "object": "file", "deleted": True}},
              {"verb": "delete_file", "options": {"file_id": "file-1"}}),
]  # fmt: skip


def batch(name: str = "a-batch") -> Recording:
    """A batch of one chat: its file goes up, then the batch is made."""
    asked = ChatRequest(model="a-model", messages=[Message("user", "Hi")])
    turns = [{"response": {"body": body}} for body in (FILE, BATCH)]
    call = {"verb": "create_batch", "options": {"items": [asked]}}
    document = {"interactions": turns, "call": call, "expect": {"id": "batch_1", "total": 1}}
    return parse_recording(name, document)


def _results() -> Recording:
    """Those of a batch: an answer in one file, an error in another."""
    files = {"output_file_id": "file-2", "error_file_id": "file-3"}
    limit = {"error": {"message": "Later", "type": "requests", "code": "rate_limit_exceeded"}}
    good = {"status_code": 200, "request_id": "req-1", "body": whole({"content": "Nila"})}
    bad = {"status_code": 429, "request_id": "req-2", "body": limit}
    turns = [
        {"response": {"body": {**BATCH, "status": "completed", **files}}},
        {
            "response": {
                "body_text": json.dumps({"custom_id": "a", "response": good, "error": None})
            }
        },
        {"response": {"body_text": json.dumps({"custom_id": "b", "response": bad, "error": None})}},
    ]
    expect = {"0.response.text": "Nila", "1.custom_id": "b", "1.error.status": 429}
    call = {"verb": "batch_results", "options": {"job_id": "batch_1"}}
    return parse_recording(
        "a-batch's-results", {"interactions": turns, "call": call, "expect": expect}
    )


_ENDED = {**BATCH, "status": "completed", "completed_at": 9}
_JOB = {"options": {"job_id": "batch_1"}}
BATCHES = [
    batch(),
    recording("a-batch-that-ended", {"body": _ENDED}, {"verb": "get_batch", **_JOB}, status="succeeded"),
    recording("batches", {"body": {"object": "list", "data": [_ENDED], "has_more": False}},
              {"verb": "list_batches"}, **{"0.id": "batch_1"}),
    recording("a-batch-that-is-stopped", {"body": {**BATCH, "status": "cancelling"}},
              {"verb": "cancel_batch", **_JOB}, status="cancelling"),
    _results(),
]  # fmt: skip

MODERATION = [
    recording(
        "a-verdict", {"body": {"id": "modr-1", "model": "a-model", "results": [
            {"flagged": True, "categories": {"violence": True}, "category_scores": {"violence": 0.9}},
        ]}}, {"verb": "moderate", "prompt": "…"}, flagged=True,
    ),
]  # fmt: skip

TUNING = {"id": "ftjob-1", "object": "fine_tuning.job", "status": "queued", "model": "a-model",
          "created_at": 1, "training_file": "file-1"}  # fmt: skip
_TUNED = {**TUNING, "status": "succeeded", "fine_tuned_model": "ft:a-model:1"}
FINE_TUNING = [
    recording("a-fine-tuning-job", {"body": TUNING},
              {"verb": "create_fine_tune", "options": {"training_file": "file-1"}}, status="pending"),
    recording("a-fine-tuned-model", {"body": _TUNED},
              {"verb": "get_fine_tune", "options": {"job_id": "ftjob-1"}}, fine_tuned_model="ft:a-model:1"),
    recording("fine-tuning-jobs", {"body": {"object": "list", "data": [_TUNED], "has_more": False}},
              {"verb": "list_fine_tunes"}, **{"0.status": "succeeded"}),
    recording("a-fine-tuning-job-that-is-stopped", {"body": {**TUNING, "status": "cancelled"}},
              {"verb": "cancel_fine_tune", "options": {"job_id": "ftjob-1"}}, status="cancelled"),
]  # fmt: skip
