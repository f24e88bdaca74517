r"""Recorded exchanges: a small JSON format, its loader, and a tape that makes such files.

A recording is one JSON file::

    {
      "call": {"verb": "stream_execute", "model": "m", "prompt": "Hi",
               "parameters": {"temperature": 0}, "options": {"system": "Be kind."}},
      "interactions": [
        {"request": {"method": "POST", "url": "https://api.example.com/v1/chat", "body": {…}},
         "response": {"status": 200, "headers": {"content-type": "text/event-stream"},
                      "sse": "data: {…}\n\ndata: [DONE]\n\n"}}
      ],
      "expect": {"text": "Hello", "finish_reason": "stop"}
    }

``call``: *verb* is ``execute``, ``stream_execute``, ``list_models`` or one of the
operations' (``embed``, ``rerank``, ``transcribe``, …), whose arguments beside *model* and
*prompt* are in ``options`` (media as ``{"media_type": …, "base64": …}``), or ``run``, in
Python, of a typed ``request`` that is there; left out, a streamed or plain chat, as the response is. ``request`` may be
left out; if it is there, what the provider sends is held against it. The response's bytes
are one of ``body`` (JSON, written compactly), ``body_text`` (as it is), ``sse`` (as it is,
a stream of events), ``body_base64``; ``"stream": "ndjson"`` marks a body of JSON lines.
Several interactions are the attempts of one call. ``expect`` is optional: attributes of the
response, or ``error`` with the name of its class and attributes of the error.
"""

from __future__ import annotations

import inspect
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from ..drivers.replay import Recorded
from ..drivers.seam import AsyncOpenResponse, AsyncTransport, OpenResponse, Transport
from ..errors import ConfigError
from ..flow import HTTPRequest
from ..provider import LLMProvider
from ..requests import ModelListRequest, Request
from ..secret import mask
from ..types import ConfigIssue, MediaPart
from ..verbs import OperationVerbs

OPERATIONS = {n: f.made_by for n, f in vars(OperationVerbs).items() if hasattr(f, "made_by")}
VERBS = ("execute", "stream_execute", "list_models", "run", *(n for n in OPERATIONS if n[0] != "a"))

_KEPT = ("content-type", "retry-after", "request-id", "x-request-id", "x-should-retry")


@frozen(kw_only=True)
class Recording:
    """One recorded call: what was asked, what was sent, what came back."""

    name: str
    verb: str = "execute"
    model: str = "a-model"
    prompt: Any = "Hi"
    parameters: Mapping[str, Any] = field(factory=dict)
    options: Mapping[str, Any] = field(factory=dict)
    responses: tuple[Recorded, ...] = ()
    requests: tuple[Mapping[str, Any] | None, ...] = ()
    expect: Mapping[str, Any] = field(factory=dict)
    framing: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def streamed(self) -> bool:
        """Whether the call asks for a stream."""
        return self.verb == "stream_execute"

    @property
    def payload(self) -> bytes:
        """The body of the last response."""
        return b"".join(self.responses[-1].chunks)

    def request(self, provider: LLMProvider) -> Request[Any]:
        """The typed request of the call, to *provider*."""
        match self.verb:
            case "list_models":
                return ModelListRequest()
            case "run":
                typed: Request[Any] = self.options["request"]
                return typed
            case "execute" | "stream_execute":
                given = (self.model, self.prompt, self.parameters)
                return provider.chat_request(*given, **self.options)
        usual = {"model": self.model, "prompt": self.prompt, "inputs": self.prompt}
        usual |= {"text": self.prompt, "query": self.prompt, "parameters": self.parameters}
        make = OPERATIONS[self.verb]
        taken = {n: usual[n] for n in inspect.signature(make).parameters if n in usual}
        made: Request[Any] = make(provider, **{**taken, **_media(self.options)})
        return made

    def cut(self, chunks: Sequence[bytes]) -> Recording:
        """The same, with the last response arriving as *chunks*."""
        last = evolve(self.responses[-1], chunks=tuple(chunks))
        return evolve(self, responses=(*self.responses[:-1], last))


def _media(options: Mapping[str, Any]) -> dict[str, Any]:
    """*options* whose ``{"media_type": …, "base64": …}`` are media."""
    made: dict[str, Any] = {}
    for name, value in options.items():
        many = value if isinstance(value, list) else [value]
        read = [
            MediaPart(v["media_type"], b64decode(v["base64"]), name=v.get("name"))
            if isinstance(v, Mapping) and "base64" in v
            else v
            for v in many
        ]
        made[name] = read if isinstance(value, list) else read[0]
    return made


def load_recordings(path: str | Path) -> list[Recording]:
    """The recording in the file *path*, or all in the folder *path* and below.

    Raises:
        ConfigError: missing or misshapen; every problem with its file.
    """
    root = Path(path)
    files = sorted(root.rglob("*.json")) if root.is_dir() else [root]
    issues: list[ConfigIssue] = []
    found = [r for file in files if (r := _load(file, issues)) is not None]
    if not files:
        issues.append(ConfigIssue(str(root), "holds no .json file", "save a Tape there"))
    if issues:
        raise ConfigError("some recordings cannot be read:", issues)
    return found


def _load(file: Path, issues: list[ConfigIssue]) -> Recording | None:
    try:
        given = json.loads(file.read_text("utf-8"))
        return parse_recording(file.stem, given)
    except OSError as error:
        issues.append(ConfigIssue(str(file), error.strerror or "cannot be read"))
    except KeyError as error:
        fix = "see jackfield.testing.recordings for the format"
        issues.append(ConfigIssue(str(file), f"lacks {error}", fix))
    except (ValueError, TypeError, AttributeError) as error:
        fix = "see jackfield.testing.recordings for the format"
        issues.append(ConfigIssue(str(file), f"is no recording: {error}", fix))
    return None


def parse_recording(name: str, given: Mapping[str, Any]) -> Recording:
    """The recording that the JSON document *given* describes."""
    turns = given["interactions"]
    if not turns:
        raise ValueError("interactions is empty")
    answers = [turn["response"] for turn in turns]
    framing = "sse" if "sse" in answers[-1] else answers[-1].get("stream", "")
    call = {"verb": "stream_execute" if framing else "execute", **(given.get("call") or {})}
    return evolve(
        parse_call(name, call),
        responses=tuple(map(_recorded, answers)),
        requests=tuple(turn.get("request") for turn in turns),
        expect=given.get("expect") or {},
        framing=framing,
    )


def parse_call(name: str, call: Mapping[str, Any]) -> Recording:
    """The call that a recording's ``call`` describes, without an answer yet."""
    verb = call.get("verb", "execute")
    if verb not in VERBS:
        raise ValueError(f"call.verb is {verb!r}, not one of {', '.join(VERBS)}")
    return Recording(name=name, **{k: v for k, v in call.items() if k != "name"})


def _recorded(answer: Mapping[str, Any]) -> Recorded:
    headers = {k.lower(): v for k, v in (answer.get("headers") or {}).items()}
    headers.pop("content-encoding", None)  # the bytes here are decoded already
    payload = _payload(answer)
    chunks = (payload,) if payload else ()
    return Recorded(status=int(answer.get("status", 200)), headers=headers, chunks=chunks)


def _payload(answer: Mapping[str, Any]) -> bytes:
    for name in ("sse", "body_text"):
        if name in answer:
            return str(answer[name]).encode()
    if "body_base64" in answer:
        return b64decode(answer["body_base64"], validate=True)
    body = answer.get("body")
    if body is None or isinstance(body, str):
        return (body or "").encode()
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class Tape:
    """Keeps what passes a transport, to be saved as a recording.

    ::

        tape = Tape()
        provider = create_provider("claude", driver=tape.driver())
        provider.execute("some-model", "Hi")
        tape.save("recordings/hello.json", call={"model": "some-model", "prompt": "Hi"})

    No key is kept: of a request its method, URL without query and body, of a
    response the headers that matter, and whatever looks like a key is masked.
    """

    def __init__(self) -> None:
        self._turns: list[tuple[HTTPRequest, Any, list[bytes]]] = []

    def driver(self, transport: Transport | None = None) -> Any:
        """A blocking driver that keeps what passes; over *transport*, or the network."""
        from ..drivers.sync import SyncDriver
        from ..transport import HTTPTransport

        return SyncDriver(_Taped(self._turns, transport or HTTPTransport()))

    def async_driver(self, transport: AsyncTransport | None = None) -> Any:
        """An async driver that keeps what passes; over *transport*, or the network."""
        from ..drivers.concurrent import AsyncDriver
        from ..transport import AsyncHTTPTransport

        return AsyncDriver(_AsyncTaped(self._turns, transport or AsyncHTTPTransport()))

    def save(self, path: str | Path, **fields: Any) -> None:
        """Write the file *path*; *fields* are ``call`` and ``expect``. The tape is empty then."""
        turns = [
            {"request": _request(sent), "response": _response(answer, b"".join(chunks))}
            for sent, answer, chunks in self._turns
        ]
        self._turns.clear()
        document = {**fields, "interactions": turns}
        text = mask(json.dumps(document, ensure_ascii=False, indent=1))
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text + "\n", "utf-8")


class _Taped:
    def __init__(self, turns: list[Any], transport: Transport) -> None:
        self._turns, self._transport = turns, transport

    def open(self, request: HTTPRequest) -> OpenResponse:
        """Send *request*, and keep it."""
        answer, chunks = self._transport.open(request), list[bytes]()
        self._turns.append((request, answer, chunks))
        return _TapedResponse(answer, chunks)


class _TapedResponse:
    def __init__(self, answer: OpenResponse, chunks: list[bytes]) -> None:
        self.status, self.headers = answer.status, answer.headers
        self._answer, self._chunks = answer, chunks
        self.close = answer.close

    def read(self, deadline: float) -> bytes:
        """The next bytes, kept."""
        self._chunks.append(self._answer.read(deadline))
        return self._chunks[-1]


class _AsyncTaped:
    def __init__(self, turns: list[Any], transport: AsyncTransport) -> None:
        self._turns, self._transport = turns, transport

    async def open(self, request: HTTPRequest) -> AsyncOpenResponse:
        """Send *request*, and keep it."""
        answer, chunks = await self._transport.open(request), list[bytes]()
        self._turns.append((request, answer, chunks))
        return _AsyncTapedResponse(answer, chunks)


class _AsyncTapedResponse:
    def __init__(self, answer: AsyncOpenResponse, chunks: list[bytes]) -> None:
        self.status, self.headers = answer.status, answer.headers
        self._answer, self._chunks = answer, chunks
        self.close = answer.close

    async def read(self, deadline: float) -> bytes:
        """The next bytes, kept."""
        self._chunks.append(await self._answer.read(deadline))
        return self._chunks[-1]


def _request(sent: HTTPRequest) -> dict[str, Any]:
    parts = urlsplit(sent.url)
    url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return {"method": sent.method, "url": url, **_body(sent.body or b"")}


def _response(answer: Any, payload: bytes) -> dict[str, Any]:
    kept = {k: v for k, v in answer.headers.items() if k in _KEPT or "ratelimit" in k}
    saved = {"status": answer.status, "headers": kept}
    kind = kept.get("content-type", "")
    if "event-stream" in kind:
        return {**saved, "sse": payload.decode("utf-8", "replace")}
    if "ndjson" in kind:
        return {**saved, "stream": "ndjson", "body_text": payload.decode("utf-8", "replace")}
    return {**saved, **_body(payload)}


def _body(payload: bytes) -> dict[str, Any]:
    try:
        return {"body": json.loads(payload)} if payload else {}
    except ValueError:
        pass
    try:
        return {"body_text": payload.decode()}
    except UnicodeDecodeError:
        return {"body_base64": b64encode(payload).decode()}


def recordings_of(given: str | Path | Sequence[Any]) -> Iterator[Recording]:
    """The recordings that a conformance class names: a path, or paths and `Recording`s."""
    for item in [given] if isinstance(given, str | Path) else given:
        if isinstance(item, Recording):
            yield item
        else:
            yield from load_recordings(item)
