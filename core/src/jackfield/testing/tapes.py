"""A tape: keeps what passes a transport, with its times, and writes it as a redacted recording."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from ..drivers.seam import AsyncOpenResponse, AsyncTransport, OpenResponse, Transport
from ..errors import LLMError
from ..flow import HTTPRequest
from ..provider import LLMProvider
from ..secret import Secret
from .redaction import (
    hosts_of,
    redact,
    redacted,
    redacted_bytes,
    redacted_headers,
    redacted_url,
    secrets_of,
)


@define
class Turn:
    """A request, the head of its answer, and the pieces of its body with the seconds until each."""

    request: HTTPRequest
    start: float
    status: int = 0
    headers: dict[str, str] = field(factory=dict)
    head: float = 0.0
    pieces: list[tuple[float, bytes]] = field(factory=list)
    failure: LLMError | None = None


class Tape:
    """Keeps what passes a transport, to be saved as a recording.

    ::

        tape = Tape()
        provider = create_provider("claude", driver=tape.driver())
        tape.conceal(provider)
        provider.execute("some-model", "Hi")
        tape.save("recordings/hello.json", call={"model": "some-model", "prompt": "Hi"})

    No key is kept: of a request its method, body, and URL without query, of a response the headers
    that matter; and all of it goes through `jackfield.testing.redaction`. *secrets* are texts that
    must not be in it, *hosts* the only ones that may be told (all, if None).
    """

    def __init__(
        self,
        turns: Iterable[Turn] = (),
        *,
        secrets: Iterable[str | Secret] = (),
        hosts: Iterable[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.turns = list(turns)
        self.secrets = list(secrets)
        self._hosts = hosts
        self._clock = clock

    def conceal(self, provider: LLMProvider) -> None:
        """Keep out what *provider* was told as a secret, and a host that is its user's own."""
        self.secrets += secrets_of(provider)
        self._hosts = [*(self._hosts or ()), *hosts_of(type(provider))]

    def part(self, turns: Iterable[Turn], secrets: Iterable[str | Secret] = ()) -> Tape:
        """A tape of *turns* alone, to be saved without *secrets*, too."""
        return Tape(turns, secrets=[*self.secrets, *secrets], hosts=self._hosts, clock=self._clock)

    def driver(self, transport: Transport | None = None) -> Any:
        """A blocking driver that keeps what passes; over *transport*, or the network."""
        from ..drivers.sync import SyncDriver
        from ..transport import HTTPTransport

        return SyncDriver(_Taped(self, transport or HTTPTransport()))

    def async_driver(self, transport: AsyncTransport | None = None) -> Any:
        """An async driver that keeps what passes; over *transport*, or the network."""
        from ..drivers.concurrent import AsyncDriver
        from ..transport import AsyncHTTPTransport

        return AsyncDriver(_AsyncTaped(self, transport or AsyncHTTPTransport()))

    def document(self, **fields: Any) -> dict[str, Any]:
        """What passed, as a recording in plain data; *fields* are ``call`` and ``expect``.

        Raises:
            TypeError: something in *fields* is not plain data.
        """
        told = redacted(fields, self.secrets)
        return {**told, "interactions": [self._turn(turn) for turn in self.turns]}

    def save(self, path: str | Path, **fields: Any) -> None:
        """Write the file *path*; *fields* are ``call`` and ``expect``. The tape is empty then."""
        document = self.document(**fields)
        self.turns.clear()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, ensure_ascii=False, indent=1)
        Path(path).write_text(text + "\n", "utf-8")

    def begin(self, request: HTTPRequest) -> Turn:
        """*request* goes out."""
        self.turns.append(Turn(request, self._clock()))
        return self.turns[-1]

    def answered(self, turn: Turn, status: int, headers: dict[str, str]) -> None:
        """The head of an answer came."""
        turn.status, turn.headers = status, dict(headers)
        turn.head = self._clock() - turn.start

    @contextmanager
    def watching(self, turn: Turn) -> Iterator[None]:
        """Keep an error of the connection, too."""
        try:
            yield
        except LLMError as error:
            turn.failure = error
            raise

    def came(self, turn: Turn, chunk: bytes) -> bytes:
        """*chunk* of the body came."""
        if chunk:
            turn.pieces.append((self._clock() - turn.start, chunk))
        return chunk

    def _turn(self, turn: Turn) -> dict[str, Any]:
        sent = turn.request
        request = {
            "method": sent.method,
            "url": redacted_url(sent.url, self.secrets, self._hosts),
            **_body(redacted_bytes(sent.body or b"", self.secrets)),
        }
        return {"request": request, "response": self._response(turn)}

    def _response(self, turn: Turn) -> dict[str, Any]:
        payload = redacted_bytes(b"".join(chunk for _, chunk in turn.pieces), self.secrets)
        kept = redacted_headers(turn.headers, self.secrets)
        times = [(turn.head, 0), *((at, len(chunk)) for at, chunk in turn.pieces)]
        timing = [[round(at, 4), size] for at, size in times]
        saved = {"status": turn.status, "headers": kept, "timing": timing}
        if (error := turn.failure) is not None:
            told = {"error": type(error).__name__, "message": redact(error.message, self.secrets)}
            saved["failure"] = {
                **told,
                "phase": error.phase,
                "maybe_executed": error.maybe_executed,
            }
        return {**saved, **_answer(payload, kept.get("content-type", ""))}


class _Taped:
    def __init__(self, tape: Tape, transport: Transport) -> None:
        self._tape, self._transport = tape, transport

    def open(self, request: HTTPRequest) -> OpenResponse:
        """Send *request*, and keep it."""
        turn = self._tape.begin(request)
        with self._tape.watching(turn):
            answer = self._transport.open(request)
        self._tape.answered(turn, answer.status, answer.headers)
        return _TapedResponse(self._tape, turn, answer)


class _TapedResponse:
    def __init__(self, tape: Tape, turn: Turn, answer: OpenResponse) -> None:
        self.status, self.headers = answer.status, answer.headers
        self._tape, self._turn, self._answer = tape, turn, answer
        self.close = answer.close

    def read(self, deadline: float) -> bytes:
        """The next bytes, kept."""
        with self._tape.watching(self._turn):
            return self._tape.came(self._turn, self._answer.read(deadline))


class _AsyncTaped:
    def __init__(self, tape: Tape, transport: AsyncTransport) -> None:
        self._tape, self._transport = tape, transport

    async def open(self, request: HTTPRequest) -> AsyncOpenResponse:
        """Send *request*, and keep it."""
        turn = self._tape.begin(request)
        with self._tape.watching(turn):
            answer = await self._transport.open(request)
        self._tape.answered(turn, answer.status, answer.headers)
        return _AsyncTapedResponse(self._tape, turn, answer)


class _AsyncTapedResponse:
    def __init__(self, tape: Tape, turn: Turn, answer: AsyncOpenResponse) -> None:
        self.status, self.headers = answer.status, answer.headers
        self._tape, self._turn, self._answer = tape, turn, answer
        self.close = answer.close

    async def read(self, deadline: float) -> bytes:
        """The next bytes, kept."""
        with self._tape.watching(self._turn):
            return self._tape.came(self._turn, await self._answer.read(deadline))


def _answer(payload: bytes, kind: str) -> dict[str, Any]:
    if "event-stream" in kind:
        text = _text(payload)
        return {"sse": text["body_text"]} if "body_text" in text else {"stream": "sse", **text}
    return {"stream": "ndjson", **_text(payload)} if "ndjson" in kind else _body(payload)


def _body(payload: bytes) -> dict[str, Any]:
    try:
        return {"body": json.loads(payload.decode())} if payload else {}
    except (ValueError, RecursionError):
        return _text(payload)


def _text(payload: bytes) -> dict[str, Any]:
    try:
        return {"body_text": payload.decode()}
    except UnicodeDecodeError:
        return {"body_base64": b64encode(payload).decode()}
