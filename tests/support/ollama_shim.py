"""A server of Ollama's API in front of a llama.cpp server: a peer whose tokens are real.

    with llama_server() as upstream, OllamaShim(upstream) as peer:
        create_provider("ollama", {"base_url": peer.url})

Text, tool calls, schemas, counts and vectors come from the model upstream; models, pulling and
memory are bookkeeping. `seen` has every request. Threads are daemons, sockets have timeouts.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from support.ollama_translation import Collected, Json, finished, to_calls, to_openai

SECONDS = 60.0
"""The longest wait for the upstream server or for a client."""

DETAILS: Json = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "1.15M",
    "quantization_level": "Q8_0",
}
INFO: Json = {
    "general.architecture": "llama",
    "llama.context_length": 1024,
    "llama.embedding_length": 128,
}
SIZE = 1_260_000
UNKNOWN = "no-such-model"
"""A pull of this name fails as the registry's answer to an unknown name does."""


def now() -> str:
    """The time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def full(name: str) -> str:
    """*name* with its tag."""
    return name if ":" in name else f"{name}:latest"


class OllamaShim:
    """The peer; *key* is wanted of its callers if given, *tls* makes it an HTTPS server.

    *pace* is the seconds between the lines of a stream: a tiny model is done before anybody
    could want it to stop. `generating` counts the answers under way, `left` the clients that
    went before theirs was complete.
    """

    def __init__(
        self,
        upstream: str,
        *,
        key: str | None = None,
        tls: ssl.SSLContext | None = None,
        pace: float = 0.0,
    ) -> None:
        self.upstream, self.key, self.pace = upstream, key, pace
        self.models = {"tiny:latest"}
        self.loaded: set[str] = set()
        self.seen: list[tuple[str, str, Any]] = []
        self.generating = self.left = 0
        self.lock = threading.Lock()
        shim = self
        handler = type("Handler", (_Handler,), {"shim": shim})
        self._server = _Server(("127.0.0.1", 0), handler)
        if tls is not None:
            # The handshake belongs to the connection's own thread.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def ask(self, path: str, body: Json) -> Any:
        """The open answer of the upstream server."""
        data = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.upstream + path, data, headers)
        return urllib.request.urlopen(request, timeout=SECONDS)

    def entry(self, name: str) -> Json:
        """A model as lists have it."""
        about = {"modified_at": now(), "size": SIZE, "digest": "0" * 64, "details": DETAILS}
        return {"name": name, "model": name, **about}


class _Server(ThreadingHTTPServer):
    """Takes it calmly when a client refuses the certificate or goes away."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of errors that are not the client's leaving."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    shim: OllamaShim
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests read `seen`."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        try:
            body = json.loads(self.rfile.read(size) or b"{}")
        except ValueError as error:
            return self.whole({"error": str(error)}, 400)
        self.shim.seen.append((self.command, self.path, body))
        key = self.shim.key
        if key is not None and self.headers.get("authorization") != f"Bearer {key}":
            return self.whole({"error": "unauthorized"}, 401)
        found = ROUTES.get((self.command, self.path))
        if found is None:
            return self.whole(b"404 page not found", 404, "text/plain")
        try:
            return found(self, body)
        except urllib.error.HTTPError as error:
            said = json.loads(error.read() or b"{}").get("error", {})
            return self.whole({"error": said.get("message", str(error))}, error.code)
        except (ConnectionError, ssl.SSLError):
            # The client left.
            with self.shim.lock:
                self.shim.left += 1
            self.close_connection = True

    def whole(self, body: Any, status: int = 200, kind: str = "application/json") -> None:
        """Send an answer that is not streamed."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self) -> None:
        """Send the head of a stream."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def line(self, value: Json) -> None:
        """Send a line of a stream."""
        data = json.dumps(value).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if self.shim.pace:
            time.sleep(self.shim.pace)

    def end(self) -> None:
        """Send the end of a stream."""
        self.wfile.write(b"0\r\n\r\n")

    def known(self, body: Json) -> bool:
        """Whether the model is there; if not, that has been said."""
        name = full(body.get("model") or body.get("name") or "")
        if name not in self.shim.models:
            self.whole({"error": f"model '{body.get('model')}' not found"}, 404)
            return False
        return True

    # The operations.

    def version(self, _: Json) -> None:
        self.whole({"version": "0.0.0"})

    def tags(self, _: Json) -> None:
        self.whole({"models": [self.shim.entry(n) for n in sorted(self.shim.models)]})

    def running(self, _: Json) -> None:
        more = {"expires_at": now(), "size_vram": 0, "context_length": 1024}
        self.whole({"models": [self.shim.entry(n) | more for n in sorted(self.shim.loaded)]})

    def show(self, body: Json) -> None:
        if self.known(body):
            more = {"capabilities": ["completion", "tools"], "modified_at": now()}
            self.whole({"license": "", "details": DETAILS, "model_info": INFO, **more})

    def delete(self, body: Json) -> None:
        if self.known(body):
            self.shim.models.discard(full(body["model"]))
            self.whole(b"")

    def pull(self, body: Json) -> None:
        name = full(body["model"])
        steps: list[Json] = [{"status": "pulling manifest"}]
        if name == full(UNKNOWN):
            steps.append({"error": "pull model manifest: file does not exist"})
        else:
            layer = {"status": "pulling 5e1f", "digest": "sha256:5e1f", "total": SIZE}
            # A count of zero is left out, as the real server does.
            steps += [layer, {**layer, "completed": SIZE // 2}, {**layer, "completed": SIZE}]
            steps += [{"status": "verifying sha256 digest"}, {"status": "success"}]
        if not body.get("stream", True):
            return self.whole(steps[-1], 500 if "error" in steps[-1] else 200)
        self.begin()
        for step in steps:
            self.line(step)
        if "error" not in steps[-1]:
            self.shim.models.add(name)
        return self.end()

    def embed(self, body: Json) -> None:
        if not self.known(body):
            return
        began = time.perf_counter_ns()
        with self.shim.ask(
            "/v1/embeddings", {"model": body["model"], "input": body["input"]}
        ) as answer:
            found = json.load(answer)
        vectors = [e["embedding"] for e in sorted(found["data"], key=lambda e: e["index"])]
        took = {"total_duration": time.perf_counter_ns() - began, "load_duration": 0}
        counted = {"prompt_eval_count": found["usage"]["prompt_tokens"]}
        self.whole({"model": body["model"], "embeddings": vectors, **took, **counted})

    def generate(self, body: Json) -> None:
        if not self.known(body):
            return None
        began = time.perf_counter_ns()
        wire = to_openai(body, [])
        del wire["messages"]
        with self.shim.ask("/v1/completions", {**wire, "prompt": body["prompt"]}) as answer:
            return self._write(body, answer, began)

    def _write(self, body: Json, answer: Any, began: int) -> None:
        """What the model writes on, whole or as it comes."""
        base: Json = {"model": body["model"], "created_at": now()}
        if not body.get("stream", True):
            found = json.load(answer)
            (choice,) = found["choices"]
            ended = time.perf_counter_ns()
            last = finished(found["usage"], choice["finish_reason"], began, began, ended)
            return self.whole({**base, "response": choice["text"], **last})
        usage: Json = {}
        reason = "stop"
        self.begin()
        for raw in answer:
            if not raw.startswith(b"data: {"):
                continue
            chunk = json.loads(raw[6:])
            usage = chunk.get("usage") or usage
            for choice in chunk["choices"]:
                reason = choice.get("finish_reason") or reason
                self.line({**base, "response": choice["text"], "done": False})
        ended = time.perf_counter_ns()
        self.line({**base, "response": "", **finished(usage, reason, began, began, ended)})
        return self.end()

    def chat(self, body: Json) -> None:
        if not self.known(body):
            return None
        name = full(body["model"])
        base: Json = {"model": body["model"], "created_at": now()}
        messages = body.get("messages") or []
        if not messages:
            gone = body.get("keep_alive") in (0, "0", "0s")
            (self.shim.loaded.discard if gone else self.shim.loaded.add)(name)
            ended = {"done": True, "done_reason": "unload" if gone else "load"}
            return self.whole({**base, "message": {"role": "assistant", "content": ""}, **ended})
        for wanted, needs in (("thinking", body.get("think")), ("vision", _images(messages))):
            if needs:
                return self.whole({"error": f'"{name}" does not support {wanted}'}, 400)
        self.shim.loaded.add(name)
        with self.shim.lock:
            self.shim.generating += 1
        try:
            return self._generate(body, messages)
        finally:
            with self.shim.lock:
                self.shim.generating -= 1

    def _generate(self, body: Json, messages: list[Json]) -> None:
        began = time.perf_counter_ns()
        wire = to_openai(body, messages)
        with self.shim.ask("/v1/chat/completions", wire) as answer:
            if wire["stream"]:
                return self._stream(body, answer, began)
            found = json.load(answer)
        (choice,) = found["choices"]
        calls = to_calls(choice["message"].get("tool_calls") or ())
        now_ns = time.perf_counter_ns()
        ended = finished(found["usage"], choice["finish_reason"], began, began, now_ns)
        message = _message(choice["message"].get("content") or "", calls)
        return self.whole(
            {"model": body["model"], "created_at": now(), "message": message, **ended}
        )

    def _stream(self, body: Json, answer: Any, began: int) -> None:
        collected, first = Collected(), 0

        def say(text: str, calls: list[Json], **more: Any) -> None:
            message = _message(text, calls)
            self.line(
                {"model": body["model"], "created_at": now(), "message": message, "done": False}
                | more
            )

        self.begin()
        for raw in answer:
            if raw.startswith(b"data: {"):
                text = collected.text(json.loads(raw[6:]))
                first = first or time.perf_counter_ns()
                if text:
                    say(text, [])
        if collected.calls:
            say("", to_calls(collected.calls.values()))
        ended = time.perf_counter_ns()
        say("", [], **finished(collected.usage, collected.reason, began, first or ended, ended))
        self.end()


def _message(text: str, calls: list[Json]) -> Json:
    message: Json = {"role": "assistant", "content": text}
    return {**message, "tool_calls": calls} if calls else message


def _images(messages: list[Json]) -> bool:
    return any(message.get("images") for message in messages)


ROUTES = {
    ("GET", "/api/version"): _Handler.version,
    ("GET", "/api/tags"): _Handler.tags,
    ("GET", "/api/ps"): _Handler.running,
    ("POST", "/api/show"): _Handler.show,
    ("POST", "/api/pull"): _Handler.pull,
    ("DELETE", "/api/delete"): _Handler.delete,
    ("POST", "/api/embed"): _Handler.embed,
    ("POST", "/api/generate"): _Handler.generate,
    ("POST", "/api/chat"): _Handler.chat,
}
