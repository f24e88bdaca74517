"""Gemini keeps the contract that every provider keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from jackfield import ChatRequest, EmbeddingRequest, Message, ModelInfoRequest
from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import Recording, parse_recording
from jackfield_gemini import GeminiProvider


def of(case: str, call: dict[str, Any], /, *answers: Any, **expect: Any) -> Recording:
    """A *call* whose requests have those *answers*: bodies, or whole responses."""
    turns = [
        {"response": a if "body_text" in a or "headers" in a else {"body": a}} for a in answers
    ]
    return parse_recording(case, {"interactions": turns, "call": call, "expect": expect})


FILE = {"name": "files/1", "displayName": "a.txt", "mimeType": "text/plain", "state": "ACTIVE"}
PLACE = {"x-goog-upload-url": "https://generativelanguage.googleapis.com/upload/1"}
KEPT = {"options": {"file_id": "files/1"}}
DATA = {"data": {"media_type": "text/plain", "base64": "SGVsbG8=", "name": "a.txt"}}
FILES = [
    of("a-file", {"verb": "upload_file", "options": DATA}, {"headers": PLACE, "body": {}}, {"file": FILE},
       id="files/1"),
    of("a-kept-file", {"verb": "get_file", **KEPT}, FILE, name="a.txt"),
    of("kept-files", {"verb": "list_files"}, {"files": [FILE]}, **{"0.id": "files/1"}),
    of("a-file's-bytes", {"verb": "download_file", **KEPT}, {"body_text": "Hello"}),
    of("a-file-less", {"verb": "delete_file", **KEPT}, {}),
]  # fmt: skip


def batch(state: str, **more: Any) -> dict[str, Any]:
    """A batch in that *state*."""
    return {"name": "batches/1", "metadata": {"state": f"BATCH_STATE_{state}", **more}}


SAID = {"candidates": [{"content": {"parts": [{"text": "Nila"}]}, "finishReason": "STOP"}]}
LINES = [
    {"response": SAID, "metadata": {"key": "a"}},
    {"error": {"code": 8, "message": "Later"}, "metadata": {"key": "b"}},
]
ENDED = batch("SUCCEEDED", output={"inlinedResponses": {"inlinedResponses": LINES}})
SPOKEN = {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAEC/w=="}}
SPEECH = {"candidates": [{"content": {"parts": [SPOKEN]}, "finishReason": "STOP"}]}
ALOUD = {"gemini": {"generationConfig": {"responseModalities": ["AUDIO"]}}}
CHAT = ChatRequest(model="a-model", messages=[Message("user", "Hi")])
JOB = {"options": {"job_id": "batches/1"}}
BATCHES = [
    of("a-batch", {"verb": "create_batch", "options": {"items": [CHAT]}}, batch("PENDING"), status="pending"),
    of("a-batch-that-runs", {"verb": "get_batch", **JOB}, batch("RUNNING"), status="running"),
    of("batches", {"verb": "list_batches"}, {"operations": [ENDED]}, **{"0.status": "succeeded"}),
    of("a-batch-that-is-stopped", {"verb": "cancel_batch", **JOB}, {}, batch("CANCELLED"), status="cancelled"),
    of("a-batch-less", {"verb": "delete_batch", **JOB}, {}),
    of("a-batch's-results", {"verb": "batch_results", **JOB}, ENDED,
       **{"0.response.text": "Nila", "1.custom_id": "b", "1.error.message": "Later"}),
]  # fmt: skip
VECTORS = [
    of("a-batch-of-texts", {"verb": "create_batch", "options": {"items": [
       EmbeddingRequest(model="a-model", inputs="Hi")]}}, batch("PENDING"), status="pending"),
    of("many-vectors", {"verb": "embed", "prompt": [str(n) for n in range(101)]},
       {"embeddings": [{"values": [n]} for n in range(100)]}, {"embedding": {"values": [100]}},
       **{"vectors.99.0": 99.0, "vectors.100.0": 100.0}),
]  # fmt: skip
OTHERS = [
    of("speech", {"verb": "speak", "prompt": "Hello", "options": {"voice": "Kore"}}, SPEECH,
       **{"audio.media_type": "audio/L16;codec=pcm;rate=24000"}),
    of("speech-in-chat", {"verb": "execute", "prompt": "Hello", "options": {"provider_options": ALOUD}}, SPEECH,
       **{"message.content.0.media_type": "audio/L16;codec=pcm;rate=24000"}),
    of("a-count", {"verb": "count_tokens", "prompt": "Hi"}, {"totalTokens": 3}, input_tokens=3),
    of("a-model", {"verb": "run", "options": {"request": ModelInfoRequest(model="a-model")}},
       {"name": "models/a-model", "inputTokenLimit": 1048576}, context_window=1048576),
]  # fmt: skip


class TestGemini(ProviderConformance):
    provider = GeminiProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    # Written by hand after the service's answers: see tests/gemini for the service's own.
    recordings: ClassVar = [
        Path(__file__).parent / "recordings",
        *FILES,
        *BATCHES,
        *VECTORS,
        *OTHERS,
    ]
