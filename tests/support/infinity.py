"""A server that answers as Infinity's description says, with vectors, scores and labels made from words."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field

MODEL = "bird-words"
KEY = "made-up-key-0123456789"
_WORDS = ("pelican", "kiwi", "dives", "walks")


def _counts(texts: list[str]) -> dict[str, int]:
    count = sum(len(text.split()) for text in texts)
    return {"prompt_tokens": count, "total_tokens": count}


def _vector(text: str) -> list[float]:
    return [float(text.lower().count(word)) for word in _WORDS]


def _embeddings(asked: Any) -> Any:
    vectors = [
        {"object": "embedding", "index": at, "embedding": _vector(text)}
        for at, text in enumerate(asked["input"])
    ]
    # The description promises an index, not an order.
    return {"object": "list", "data": vectors[::-1], "usage": _counts(asked["input"])}


def _rerank(asked: Any) -> Any:
    query = set(asked["query"].lower().split())
    scores = [len(query & set(text.lower().split())) / len(query) for text in asked["documents"]]
    results = [{"index": at, "relevance_score": score} for at, score in enumerate(scores)]
    results.sort(key=lambda one: -one["relevance_score"])
    kept = results[: asked.get("top_n")]
    return {"object": "rerank", "results": kept, "usage": _counts(asked["documents"])}


def _classify(asked: Any) -> Any:
    data = [
        [{"label": word, "score": float(word in text.lower())} for word in _WORDS]
        for text in asked["input"]
    ]
    return {"object": "classify", "data": data, "usage": _counts(asked["input"])}


_MODELS = {
    "object": "list",
    "data": [{"id": MODEL, "stats": {}, "backend": "words", "capabilities": ["embed", "rerank"]}],
}
_POSTS = {"/embeddings": _embeddings, "/rerank": _rerank, "/classify": _classify}


@define
class Infinity:
    """A running server: where it is, and what it was asked and answered: path, status, both bodies."""

    url: str
    seen: list[tuple[str, int, Any, Any]] = field(factory=list)

    def answer(self, path: str, key: str | None, asked: Any) -> tuple[int, Any]:
        """The status and the body of an answer."""
        if key != f"Bearer {KEY}":
            return 401, {"detail": "Unauthorized"}
        if path == "/models":
            return 200, _MODELS
        if path not in _POSTS:
            return 404, {"detail": "Not Found"}
        if asked["model"] != MODEL:
            message = f"Invalid model: {asked['model']}"
            return 400, {"error": {"message": message, "type": None, "param": None, "code": 400}}
        return 200, {**_POSTS[path](asked), "model": MODEL, "id": "infinity-1", "created": 1}


@contextmanager
def infinity() -> Iterator[Infinity]:
    """A server on this machine, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            asked = json.loads(self.rfile.read(size)) if size else None
            status, told = made.answer(self.path, self.headers.get("authorization"), asked)
            made.seen.append((self.path, status, asked, told))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _handle  # noqa: N815  # the names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Infinity(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
