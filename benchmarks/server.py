"""A chat server on loopback that costs its clients nothing: canned answers, plain and streamed.

python benchmarks/server.py        prints its port, serves until its standard input closes
"""

import json
import socket
import socketserver
import sys
import threading

EVENTS = 1000
"""Content events in one streamed answer."""

_USAGE = {"prompt_tokens": 12, "completion_tokens": EVENTS, "total_tokens": EVENTS + 12}
_HEAD = {
    "id": "chatcmpl-1",
    "created": 1_760_000_000,
    "model": "bench",
    "system_fingerprint": "fp_1",
}


def _whole() -> bytes:
    message = {
        "role": "assistant",
        "content": "Otto is a good name for a pelican.",
        "refusal": None,
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return json.dumps(
        _HEAD | {"object": "chat.completion", "choices": [choice], "usage": _USAGE}
    ).encode()


def _events() -> list[bytes]:
    def event(choices: list[object], **more: object) -> bytes:
        body = _HEAD | {"object": "chat.completion.chunk", "choices": choices} | more
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    def delta(content: dict[str, str], reason: str | None = None) -> bytes:
        return event([{"index": 0, "delta": content, "logprobs": None, "finish_reason": reason}])

    words = [delta({"content": f"word{n} "}) for n in range(EVENTS)]
    return [
        delta({"role": "assistant", "content": ""}),
        *words,
        delta({}, "stop"),
        event([], usage=_USAGE),
        b"data: [DONE]\n\n",
    ]


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


_BODY = _whole()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_BODY)
    + _BODY
)
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
_PIECES = [_chunk(event) for event in _events()]
_ALL = b"".join(_events())
# As a buffering proxy sends it on: some fifty events in a chunk.
_BURST = (
    _STREAM
    + b"".join(_chunk(_ALL[at : at + 16384]) for at in range(0, len(_ALL), 16384))
    + b"0\r\n\r\n"
)


class Handler(socketserver.StreamRequestHandler):
    """Answers request after request on one connection."""

    def handle(self) -> None:
        """Serve until the client goes away."""
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while line := self.rfile.readline():
            length = 0
            while (header := self.rfile.readline()) not in {b"\r\n", b""}:
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = self.rfile.read(length)
            self._answer(b"/trickle/" in line, b'"stream":true' in body.replace(b" ", b""))

    def _answer(self, trickle: bool, stream: bool) -> None:
        if not stream:
            self.wfile.write(_ANSWER)
        elif not trickle:
            self.wfile.write(_BURST)
        else:
            # One event a write, as models produce them.
            self.wfile.write(_STREAM)
            for piece in _PIECES:
                self.wfile.write(piece)
            self.wfile.write(b"0\r\n\r\n")


class Server(socketserver.ThreadingTCPServer):
    """A thread a connection."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


def main() -> None:
    """Serve until standard input closes, that is, until the parent ends."""
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
