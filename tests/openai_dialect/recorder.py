"""A loopback server that notes what it is asked and answers in the dialect, a word long."""

from __future__ import annotations

import base64
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field, frozen

HEAD: dict[str, Any] = {"id": "chatcmpl-1", "created": 1, "model": "a-model"}
MESSAGE = {"role": "assistant", "content": '{"age": 3}', "refusal": None}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": None}
CHAT = {**HEAD, "object": "chat.completion", "choices": [CHOICE], "usage": USAGE}
VECTOR = [0.5, -0.25]
MODELS = [{"id": n, "object": "model", "created": 1, "owned_by": "us"} for n in ("b", "a")]


def events() -> str:
    """A stream that says the same as `CHAT`."""
    head = {**HEAD, "object": "chat.completion.chunk"}
    deltas: list[tuple[dict[str, Any], str | None]] = [
        ({"role": "assistant", "content": ""}, None),
        ({"content": '{"age"'}, None),
        ({"content": ": 3}"}, None),
        ({}, "stop"),
    ]
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in deltas
    ]
    chunks.append({**head, "choices": [], "usage": USAGE})
    return "".join(f"data: {json.dumps(c)}\n\n" for c in chunks) + "data: [DONE]\n\n"


def vectors(body: Any) -> dict[str, Any]:
    """An answer to a question for vectors, in the form that it asks for."""
    packed = base64.b64encode(struct.pack("<2f", *VECTOR)).decode()
    form = packed if body.get("encoding_format") == "base64" else VECTOR
    number = 1 if isinstance(body["input"], str) else len(body["input"])
    data = [{"object": "embedding", "index": i, "embedding": form} for i in range(number)]
    return {"object": "list", "data": data, "model": "e", "usage": USAGE}


@frozen
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@define
class Recorder:
    """What was asked so far."""

    url: str
    seen: list[Seen] = field(factory=list)


def answer_to(method: str, path: str, body: Any) -> tuple[str, str]:
    """The media type and the body of an answer."""
    if path.endswith("/models"):
        return "application/json", json.dumps({"object": "list", "data": MODELS})
    if method == "GET":
        return "application/json", json.dumps(MODELS[0])
    if path.endswith("/embeddings"):
        return "application/json", json.dumps(vectors(body))
    if body.get("stream"):
        return "text/event-stream", events()
    return "application/json", json.dumps(CHAT)


@contextmanager
def recorder() -> Iterator[Recorder]:
    """A running recorder."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def answer(self, body: Any) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            noted.seen.append(Seen(self.command, self.path, headers, body))
            kind, said = answer_to(self.command, self.path, body)
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        noted = Recorder(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield noted
        finally:
            server.shutdown()
            thread.join(5)
