"""A provider over HTTP that keeps the contract; each mutant is this with one thing changed."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from attrs import frozen

from jackfield import (
    ChatRequest,
    ChatResponse,
    Finish,
    FinishReason,
    HTTPConfig,
    HTTPProvider,
    Message,
    ModelInfo,
    ModelListRequest,
    Param,
    ProviderInfo,
    StreamStart,
    TextDelta,
    Usage,
)
from jackfield.exchange import Call, Exchange, decode, get_request, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import Frame


class Answer(msgspec.Struct):
    """What is read of an answer."""

    id: str
    said: str
    end: FinishReason
    tokens: int | None = None


class Event(msgspec.Struct):
    """What is read of a stream's event."""

    id: str = ""
    said: str = ""
    end: FinishReason | None = None


class Names(msgspec.Struct):
    """What is read of the list of models."""

    names: list[str]


ANSWER = msgspec.json.Decoder(Answer)
EVENT = msgspec.json.Decoder(Event)
NAMES = msgspec.json.Decoder(Names)


def build(call: Call[ChatRequest]) -> HTTPRequest:
    talk = [[m.role, m.text] for m in call.request.messages]
    body = {"model": call.request.model, "talk": talk, "stream": call.stream, **call.wire}
    return json_request("/talk", body)


def parse(call: Call[ChatRequest], response: HTTPResponse) -> ChatResponse:
    answer = decode(ANSWER, response.body)
    return ChatResponse(
        id=answer.id,
        model=call.request.model,
        message=Message("assistant", answer.said),
        finish_reason=answer.end,
        usage=Usage(output_tokens=answer.tokens),
    )


def names(_call: Call[ModelListRequest], response: HTTPResponse) -> list[ModelInfo]:
    return [ModelInfo(id=name) for name in decode(NAMES, response.body).names]


class Stream:
    """Reads the events of one stream."""

    def __init__(self, call: Call[ChatRequest]) -> None:
        self.finished = self.done = False
        self._call, self._started = call, False
        self._end = FinishReason.OTHER

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        for _, data in frames:
            event = decode(EVENT, data)
            if not self._started:
                self._started = True
                out.append(StreamStart(id=event.id, model=self._call.request.model))
            if event.said:
                out.append(TextDelta(event.said))
            if event.end is not None:
                self._end, self.finished = event.end, True
                self.done = True

    def close(self, out: list[Any]) -> None:
        out.append(Finish(finish_reason=self._end, usage=Usage()))


@frozen(kw_only=True)
class Settings(HTTPConfig):
    """Where the service is."""

    base_url: str = "https://talk.example/v1"


class Healthy(HTTPProvider):
    """A service with a protocol of its own."""

    info = ProviderInfo(
        name="NAME",
        display_name="Talk",
        docs_url="https://talk.example/docs",
        api_key_env="TALK_API_KEY",
    )
    Config = Settings
    params: ClassVar = {
        "max_tokens": Param("most", ge=1, le=1000),
        "temperature": Param("heat", ge=0, le=2),
        "stop": Param("until", convert=list),
    }
    exchanges: ClassVar = {
        ChatRequest: Exchange(build=build, parse=parse, stream=Stream),
        ModelListRequest: Exchange(build=lambda _: get_request("/names"), parse=names),
    }
