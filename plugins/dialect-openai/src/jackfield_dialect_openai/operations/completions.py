"""Text completions. https://platform.openai.com/docs/api-reference/completions."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import ChatResponse, ResponseFormatError, fold
from jackfield.exchange import Call, Exchange, json_request
from jackfield.failures import event_error
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import Frame
from jackfield.http import Exchanges
from jackfield.operations import CompletionRequest

from ..parse import ChunkParser, chunk_parser
from ..render import merge
from ..wire import Choice, Completion, MessageWire
from .reading import read

_CHAT_ONLY = ("reasoning_effort", "parallel_tool_calls")


class TextChoice(Struct):
    """One text, or a piece of one."""

    text: str | None = None
    index: int | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    stop_reason: Any = None
    content_filter_results: Any = None


class TextCompletion(Struct):
    """A chunk of a stream, or a whole answer."""

    choices: list[TextChoice] | None = None
    id: str | None = None
    model: str | None = None
    object: str | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    system_fingerprint: Any = None
    prompt_filter_results: Any = None


TEXT_COMPLETION = msgspec.json.Decoder(TextCompletion)


def build(call: Call[CompletionRequest]) -> HTTPRequest:
    """POST /completions."""
    request, wire = call.request, dict(call.wire)
    if "max_completion_tokens" in wire:
        wire["max_tokens"] = wire.pop("max_completion_tokens")
    for name in _CHAT_ONLY:
        if wire.pop(name, None) is not None:
            call.warn("unsupported", name, "completions have no such parameter")
    body: dict[str, Any] = {"model": request.model, "prompt": request.prompt, **wire}
    if request.suffix is not None:
        body["suffix"] = request.suffix
    if call.stream:
        body["stream"] = True
        if getattr(call.config, "stream_usage", True):
            body["stream_options"] = {"include_usage": True}
    return json_request("/completions", merge(body, call.options))


class TextParser:
    """Reads the chunks of one stream: texts are messages of text alone."""

    def __init__(self, chunks: ChunkParser) -> None:
        self._chunks = chunks
        self.finished = self.done = False

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for event, data in frames:
            if data[:6] == b"[DONE]":
                self.done = True
                return
            if not data:
                continue
            chunk = TEXT_COMPLETION.decode(data)
            if chunk.error or event == b"error" or chunk.object == "error":
                raise event_error(msgspec.json.decode(data), self._chunks.error_codes)
            self._chunks.chunk(as_chat(chunk), out)
            self.finished = self._chunks.finished

    def close(self, out: list[Any]) -> None:
        """Append what is due at the end."""
        self._chunks.close(out)


def as_chat(chunk: TextCompletion) -> Completion:
    """*chunk* in the shape that a piece of a chat has."""
    choices = []
    for choice in chunk.choices or ():
        kept = {n: getattr(choice, n) for n in choice.__struct_fields__ if n != "text"}
        choices.append(Choice(delta=MessageWire(content=choice.text), **kept))
    kept = {n: getattr(chunk, n) for n in chunk.__struct_fields__ if n != "choices"}
    return Completion(choices=choices, **kept)


def parse(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    completion = read(call, TEXT_COMPLETION, response)
    if not completion.choices:
        raise ResponseFormatError("the answer has no choices (at $.choices)")
    parser, out = chunk_parser(call), list[Any]()
    parser.chunk(as_chat(completion), out)
    parser.close(out)
    return fold(out)


def text_parser(call: Call[Any]) -> TextParser:
    """A parser for the answer to *call*."""
    return TextParser(chunk_parser(call))


COMPLETIONS: Exchanges = {CompletionRequest: Exchange(build=build, parse=parse, stream=text_parser)}
