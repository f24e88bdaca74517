"""A loopback server that notes what it is asked and answers as the service would, a word long."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field, frozen

TIME = "2026-01-01T00:00:00Z"
FILE = {"name": "files/abc", "displayName": "a.txt", "mimeType": "text/plain", "sizeBytes": "5",
        "createTime": TIME, "expirationTime": TIME, "state": "ACTIVE", "sha256Hash": "YQ==",
        "uri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}  # fmt: skip
SAID = {
    "candidates": [{"content": {"parts": [{"text": "Nila"}], "role": "model"}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
}  # fmt: skip
SOUND = {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "AAEC/w=="}}
PICTURE = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
FAILED = {"code": 8, "message": "Later"}
INLINED = [
    {"response": SAID, "metadata": {"key": "request-0"}},
    {"error": FAILED, "metadata": {"key": "request-1"}},
]
BATCH = {
    "name": "batches/abc",
    "metadata": {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": "models/gemini-2.5-flash",
        "displayName": "jackfield",
        "state": "BATCH_STATE_SUCCEEDED",
        "createTime": TIME,
        "endTime": TIME,
        "output": {"inlinedResponses": {"inlinedResponses": INLINED}},
    },
    "done": True,
}
MODEL = {"name": "models/gemini-2.5-flash", "version": "1", "displayName": "Flash",
         "inputTokenLimit": 1048576, "outputTokenLimit": 65536,
         "supportedGenerationMethods": ["generateContent", "countTokens"]}  # fmt: skip


def answer(method: str, path: str, body: Any) -> Any:
    """What the service says, as *path* asks for it."""
    kinds = {
        r"POST /upload/.*": {"file": FILE},
        r"GET .*/files": {"files": [FILE]},
        r"GET .*/files/[^/]+": FILE,
        r"DELETE .*": {},
        r"POST .*:cancel": {},
        r"POST .*:(batchGenerateContent|asyncBatchEmbedContent)": BATCH,
        r"GET .*/batches": {"operations": [BATCH]},
        r"GET .*/batches/[^/]+": BATCH,
        r"GET .*/models": {"models": [MODEL]},
        r"GET .*/models/[^/]+": MODEL,
        r"POST .*:countTokens": {"totalTokens": 3},
        r"POST .*:batchEmbedContents": {"embeddings": [{"values": [0.5]}, {"values": [0.25]}]},
    }
    asked = f"{method} {path.partition('?')[0]}"
    for pattern, told in kinds.items():
        if re.fullmatch(pattern, asked):
            return told
    wanted = ((body or {}).get("generationConfig") or {}).get("responseModalities") or [""]
    part = {"AUDIO": SOUND, "IMAGE": PICTURE}.get(wanted[0])
    content = {"parts": [part], "role": "model"}
    return {"candidates": [{"content": content, "finishReason": "STOP"}]} if part else SAID


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

    def take(self) -> list[Seen]:
        """What was asked since the last time."""
        taken, self.seen = self.seen, []
        return taken


@contextmanager
def witness() -> Iterator[Witness]:
    """A running witness."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"] or 0))
            # The SDK calls the bytes of a file JSON, too.
            said = self.headers["x-goog-upload-command"] in (None, "start") and sent
            body = json.loads(sent) if said else sent
            headers = {name.lower(): value for name, value in self.headers.items()}
            noted.seen.append(Seen(self.command, self.path, headers, body))
            if self.path.endswith(":download?alt=media"):
                reply = b"Hello"
            else:
                told = answer(self.command, self.path, body if isinstance(body, dict) else None)
                reply = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            if self.headers["x-goog-upload-command"]:
                first = self.headers["x-goog-upload-command"] == "start"
                self.send_header("x-goog-upload-status", "active" if first else "final")
                self.send_header(
                    "x-goog-upload-url", f"{noted.url}/upload/v1beta/files?upload_id=1"
                )
            self.end_headers()
            self.wfile.write(reply)

        do_POST = do_DELETE = do_GET  # noqa: N815  # the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
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
