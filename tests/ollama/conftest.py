"""The Ollama-shaped peer in front of a real model, and a recorder of requests, both on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jackfield_ollama import OllamaProvider
from support.llama_server import llama_server
from support.ollama_shim import OllamaShim

Sent = list[tuple[str, str, Any]]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """A llama.cpp server with the demo model."""
    with llama_server() as url:
        yield url


@pytest.fixture
def peer(upstream: str) -> Iterator[OllamaShim]:
    """A server of Ollama's API whose tokens are real."""
    with OllamaShim(upstream) as shim:
        yield shim


@pytest.fixture
def ollama(peer: OllamaShim) -> OllamaProvider:
    """The provider that talks to the peer."""
    return OllamaProvider({"base_url": peer.url, "timeout": 60})


ANSWERS: dict[str, Any] = {
    "/api/chat": {
        "model": "m",
        "created_at": "2026-01-02T03:04:05Z",
        "message": {"role": "assistant", "content": "Hello."},
        "done": True,
        "done_reason": "stop",
    },
    "/api/generate": {
        "model": "m",
        "created_at": "2026-01-02T03:04:05Z",
        "response": "upon a time",
        "done": True,
        "done_reason": "stop",
    },
    "/api/embed": {"model": "m", "embeddings": [[1.0], [2.0]]},
    "/api/show": {"details": {}, "model_info": {}},
    "/api/pull": {"status": "success"},
    "/api/tags": {"models": []},
    "/api/ps": {"models": []},
    "/api/delete": None,
}


@pytest.fixture
def recorder() -> Iterator[tuple[str, Sent]]:
    """A server that answers every call with success: its URL, and what it was sent."""
    sent: Sent = []

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent.append((self.command, self.path, json.loads(body or b"null")))
            found = ANSWERS[self.path]
            data = b"" if found is None else json.dumps(found).encode() + b"\n"
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815  # names that the library calls

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], bool]:
    """Waits for something to come true, for a bounded time."""

    def wait(come: Callable[[], bool]) -> bool:
        pause = threading.Event()
        return any(come() or pause.wait(0.01) for _ in range(1000))

    return wait
