"""Plain text written on after a prompt, or between it and a suffix.

Source: https://docs.ollama.com/api/generate
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from attrs import define

from jackfield import ChatResponse
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import NDJSON
from jackfield.http import Exchanges
from jackfield.operations import CompletionRequest

from ..parse import ChatParser, whole
from ..render import closed
from ..wire import TEXT, MessageWire


def build(call: Call[CompletionRequest]) -> HTTPRequest:
    """POST /api/generate; the model's template is around the prompt unless ``raw`` says no."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "prompt": request.prompt, **call.wire}
    if request.suffix is not None:
        body["suffix"] = request.suffix
    return json_request("/api/generate", closed(call, body))


@define
class TextParser(ChatParser):
    """Reads lines whose text stands in ``response``."""

    decoder: ClassVar[msgspec.json.Decoder[Any]] = TEXT
    about: ClassVar[tuple[str, ...]] = (*ChatParser.about, "context")

    def line(self, line: Any, out: list[Any]) -> None:
        """Append the events of one *line*; one that came as a chat's is read as such."""
        line.message = line.message or MessageWire(
            content=line.response,
            thinking=line.thinking,
            tool_calls=line.tool_calls,
            images=[line.image] if line.image else None,
        )
        # Not super(): attrs makes the class anew.
        ChatParser.line(self, line, out)


def text_parser(call: Call[Any]) -> TextParser:
    """A parser for the answer to *call*."""
    return TextParser(call.provider.info.name, call.provider.error_codes)


def parse(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    return whole(text_parser(call), response, "response")


COMPLETIONS: Exchanges = {
    CompletionRequest: Exchange(build=build, parse=parse, stream=text_parser, framing=NDJSON)
}
