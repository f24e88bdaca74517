"""A loopback server that notes each request whole, and answers it with what its path is known for."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field, frozen

PIXEL = b"\x89PNG\r\n\x1a\n-"
FILE = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "a.txt",
        "purpose": "user_data", "status": "processed"}  # fmt: skip
BATCH = {"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "created_at": 1,
         "status": "validating", "input_file_id": "file-1", "completion_window": "24h"}  # fmt: skip
JOB = {"id": "ftjob-1", "object": "fine_tuning.job", "status": "queued", "model": "m", "created_at": 1,
       "training_file": "file-1", "hyperparameters": {}, "organization_id": "o", "result_files": [],
       "seed": 1}  # fmt: skip
SAID = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": "Hello", "annotations": []}]}  # fmt: skip
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m",
            "output": [SAID], "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}  # fmt: skip
TEXT = {"id": "c", "object": "text_completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "text": "!", "finish_reason": "stop", "logprobs": None}]}  # fmt: skip
VERDICT = {
    "id": "m",
    "model": "m",
    "results": [{"flagged": False, "categories": {}, "category_scores": {}}],
}
ANSWERS: dict[str, Any] = {
    "/responses/input_tokens": {"object": "response.input_tokens", "input_tokens": 5},
    "/responses": RESPONSE,
    "/completions": TEXT,
    "/images/generations": {"created": 1, "data": [{"b64_json": b64encode(PIXEL).decode()}]},
    "/images/edits": {"created": 1, "data": [{"b64_json": b64encode(PIXEL).decode()}]},
    "/audio/speech": b"ID3",
    "/audio/transcriptions": {"text": "Hello"},
    "/audio/translations": {"text": "Hello"},
    "/moderations": VERDICT,
    "/files": FILE,
    "/batches": BATCH,
    "/cancel": BATCH,
    "/fine_tuning/jobs": JOB,
}


@frozen
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> str:
        """The body, a form, with its boundary at its start as the recordings have it."""
        return self.body.decode("utf-8", "replace")


@define
class Witness:
    """What was asked so far."""

    url: str
    seen: list[Seen] = field(factory=list)


def answer_to(path: str) -> tuple[str, bytes]:
    """The media type and the body of an answer."""
    plain = path.partition("?")[0]
    found = next((a for end, a in ANSWERS.items() if plain.endswith(end)), FILE)
    if isinstance(found, bytes):
        return "audio/mpeg", found
    return "application/json", json.dumps(found).encode()


@contextmanager
def witness() -> Iterator[Witness]:
    """A running witness."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            noted.seen.append(Seen(self.command, self.path, headers, self.rfile.read(size)))
            kind, said = answer_to(self.path)
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_DELETE = do_POST  # noqa: N815  # the server looks for these names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        noted = Witness(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield noted
        finally:
            server.shutdown()
            thread.join(5)
