"""A loopback server that notes what it is asked and answers as the Messages API would, a word long."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field, frozen

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "a-model",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
]
MODEL = {
    "type": "model",
    "id": "a-model",
    "display_name": "A",
    "created_at": "2026-01-01T00:00:00Z",
}
FILE = {
    "type": "file",
    "id": "file_1",
    "filename": "a.txt",
    "mime_type": "text/plain",
    "size_bytes": 5,
    "created_at": "2026-01-01T00:00:00Z",
}
BATCH = {
    "type": "message_batch",
    "id": "msgbatch_1",
    "processing_status": "in_progress",
    "request_counts": dict.fromkeys(
        ("processing", "succeeded", "errored", "canceled", "expired"), 0
    ),
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-01-02T00:00:00Z",
}


def thing(method: str, path: str) -> Any:
    """A file or a batch, or a page of them, as *path* asks for it; None where it asks for neither."""
    path, _, _ = path.partition("?")
    for name, one in (("/files", FILE), ("/batches", BATCH)):
        if path.endswith(name) and method == "GET":
            return {"data": [one], "has_more": False, "first_id": None, "last_id": None}
        if name in path:
            return one
    return None


@frozen
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@define
class Witness:
    """What was asked so far."""

    url: str
    seen: list[Seen] = field(factory=list)

    def last(self) -> Seen:
        """The last request."""
        return self.seen[-1]


@contextmanager
def witness() -> Iterator[Witness]:
    """A running witness."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"] or 0))
            form = self.headers["content-type"] or ""
            self.answer(
                sent.decode() if form.startswith("multipart/") else json.loads(sent or "null")
            )

        def do_DELETE(self) -> None:
            self.answer(None)

        def answer(self, body: Any) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            noted.seen.append(Seen(self.command, self.path, headers, body))
            kind = "application/json"
            if "count_tokens" in self.path:
                said = json.dumps({"input_tokens": 3})
            elif "/models" in self.path:
                said = json.dumps({"data": [MODEL], "has_more": False, "last_id": None})
            elif told := thing(self.command, self.path):
                said = json.dumps(told)
            elif body.get("stream"):
                kind = "text/event-stream"
                said = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in EVENTS)
            else:
                said = json.dumps(MESSAGE)
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        noted = Witness(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield noted
        finally:
            server.shutdown()
            thread.join(5)
