"""A small provider over HTTP for the core's own tests, and the bytes that it understands.

It speaks just enough of OpenAI's chat dialect to talk to the fault server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import anyio
import msgspec

from jackfield import (
    ChatRequest,
    ChatResponse,
    Finish,
    FinishReason,
    HTTPProvider,
    Message,
    ModelInfo,
    ModelListRequest,
    Param,
    ProviderInfo,
    RateLimitError,
    StreamEvent,
    StreamStart,
    TextDelta,
    Usage,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.exchange import Call, Exchange, get_request, json_request
from jackfield.failures import event_error
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import Frame

KEY = "sk-toy-0123456789abcdefghij"
BACKENDS = ("asyncio", "trio")


def build(call: Call[ChatRequest]) -> HTTPRequest:
    said = [{"role": m.role, "content": m.text} for m in call.request.messages]
    body = {"model": call.request.model, "messages": said, "stream": call.stream, **call.wire}
    return json_request("/chat/completions", body)


def usage(wire: Any) -> Usage:
    given = wire or {}
    return Usage(
        input_tokens=given.get("prompt_tokens"), output_tokens=given.get("completion_tokens")
    )


def parse(_call: Call[ChatRequest], response: HTTPResponse) -> ChatResponse:
    body = msgspec.json.decode(response.body)
    choice = body["choices"][0]
    return ChatResponse(
        id=body["id"],
        model=body["model"],
        message=Message("assistant", choice["message"]["content"]),
        finish_reason=FinishReason(choice["finish_reason"]),
        raw_finish_reason=choice["finish_reason"],
        usage=usage(body.get("usage")),
    )


class ToyStream:
    def __init__(self, _call: Call[ChatRequest]) -> None:
        self.finished = self.done = False
        self._started = False
        self._reason: str | None = None
        self._usage = Usage()

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        for _, data in frames:
            if data == b"[DONE]":
                self.done = True
                return
            event = msgspec.json.decode(data)
            if "error" in event:
                raise event_error(event, Toy.error_codes)
            if not self._started:
                self._started = True
                out.append(StreamStart(id=event["id"], model=event["model"]))
            if event.get("usage"):
                self._usage = usage(event["usage"])
            for choice in event["choices"]:
                text = choice["delta"].get("content")
                if text and isinstance(text, str):
                    out.append(TextDelta(text))
                if choice.get("finish_reason"):
                    self._reason = FinishReason(choice["finish_reason"]).value
                    self.finished = True

    def close(self, out: list[StreamEvent]) -> None:
        reason = FinishReason(self._reason) if self._reason else FinishReason.OTHER
        out.append(Finish(finish_reason=reason, raw_finish_reason=self._reason, usage=self._usage))


class Toy(HTTPProvider):
    info = ProviderInfo(
        name="toy",
        display_name="Toy",
        docs_url="https://example.com/docs",
        api_key_env="TOY_API_KEY",
    )
    params: ClassVar = {
        "max_tokens": Param("max_tokens", ge=1, le=1000),
        "temperature": Param("temperature", ge=0, le=2),
        "stop": Param("stop", most=2, convert=list),
        "context_length": Param("options.num_ctx"),
        "reasoning_effort": Param("effort", values={"low": 1, "high": 9}),
    }
    exchanges: ClassVar = {
        ChatRequest: Exchange(build=build, parse=parse, stream=ToyStream),
        ModelListRequest: Exchange(
            build=lambda _: get_request("/models"),
            parse=lambda _, r: [ModelInfo(id=m["id"]) for m in msgspec.json.decode(r.body)["data"]],
        ),
    }
    error_codes: ClassVar = {"slow_down": RateLimitError}


def whole(text: str, **more: Any) -> bytes:
    """The body of a plain answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    choice["finish_reason"] = "stop"
    counts = {"prompt_tokens": 3, "completion_tokens": 2}
    return json.dumps(
        {"id": "1", "model": "m", "choices": [choice], "usage": counts, **more}
    ).encode()


def event(delta: dict[str, Any], **more: Any) -> bytes:
    """One event of a stream."""
    document = {"id": "1", "model": "m", "choices": [{"delta": delta, **more}]}
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
STOP = event({}, finish_reason="stop")


def streamed(*texts: str) -> list[bytes]:
    """The chunks of a whole stream, an event each."""
    return [*(event({"content": text}) for text in texts), STOP, DONE]


def make(*answers: Recorded | bytes | Sequence[bytes], **config: Any) -> Toy:
    """A provider that is answered with *answers*, in both colours."""
    recorded = [
        a if isinstance(a, Recorded) else Recorded(chunks=[a] if isinstance(a, bytes) else a)
        for a in answers
    ]
    given = {"base_url": "https://toy.example/v1", "api_key": KEY, **config}
    drivers = {"driver": ReplayDriver(recorded), "async_driver": AsyncReplayDriver(recorded)}
    return Toy(given, **drivers)  # type: ignore[arg-type]  # a dict of the right drivers


def sent(provider: Toy) -> list[HTTPRequest]:
    """What the blocking calls of a provider from `make` sent."""
    requests: list[HTTPRequest] = provider._driver.transport.requests  # type: ignore[attr-defined]  # a ReplayDriver
    return requests


def live(url: str, **config: Any) -> Toy:
    """A provider that really connects to *url*."""
    return Toy({"base_url": url, "api_key": KEY, "retry": {"attempts": 1}, **config})


def aio(main: Callable[[], Any], backend: str = "asyncio") -> Any:
    """The result of the coroutine function *main* on an event loop of its own."""
    return anyio.run(main, backend=backend)
