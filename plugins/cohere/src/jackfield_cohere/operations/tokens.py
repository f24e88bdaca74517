"""A model's own tokens, and how many a conversation has about.

Source: https://docs.cohere.com/reference/tokenize and https://docs.cohere.com/reference/detokenize
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from jackfield import (
    CallWarning,
    MediaPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    TokenCount,
    TokenCountRequest,
    ToolCall,
    ToolResult,
)
from jackfield.exchange import Call, Exchange, Procedure, decode, json_request
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import DetokenizeRequest, TokenizeRequest, Tokens

from ..chat import merge, render_tools

LONGEST = 65536
"""Characters that the API takes at a time."""


class Tokenized(Struct):
    """The tokens of a text."""

    tokens: tuple[int, ...]
    token_strings: tuple[str, ...] | None = None
    meta: dict[str, Any] | None = None


class Detokenized(Struct):
    """The text of tokens."""

    text: str


_TOKENIZED = msgspec.json.Decoder(Tokenized)
_DETOKENIZED = msgspec.json.Decoder(Detokenized)


def _ask(call: Call[Any], text: str) -> HTTPRequest:
    body = {"model": call.request.model, "text": text}
    return json_request("/v1/tokenize", merge(body, call.options))


def build_tokenize(call: Call[TokenizeRequest]) -> HTTPRequest:
    """POST /v1/tokenize; up to 65,536 characters."""
    return _ask(call, call.request.text)


def parse_tokenize(call: Call[Any], response: HTTPResponse) -> Tokens:
    """The tokens, with their texts."""
    answer = decode(_TOKENIZED, response.body)
    about = {} if answer.meta is None else {call.provider.info.name: {"meta": answer.meta}}
    return Tokens(ids=answer.tokens, texts=answer.token_strings or (), provider_metadata=about)


def build_detokenize(call: Call[DetokenizeRequest]) -> HTTPRequest:
    """POST /v1/detokenize."""
    body = {"model": call.request.model, "tokens": list(call.request.ids)}
    return json_request("/v1/detokenize", merge(body, call.options))


def parse_detokenize(_: Call[Any], response: HTTPResponse) -> str:
    """The text."""
    return decode(_DETOKENIZED, response.body).text


def count(call: Call[TokenCountRequest]) -> Flow[TokenCount]:
    """The tokens of all texts, by the model's own tokenizer: an estimate, and it says so.

    What the service writes around the messages is not in it, nor are images.
    """
    said = "\n".join(_said(call))
    total = 0
    for start in range(0, len(said), LONGEST):
        piece = said[start : start + LONGEST]
        response = yield from call.provider.fetch(call, _ask(call, piece))
        total += len(decode(_TOKENIZED, response.body).tokens)
    told = "the texts were counted, not what the service writes around them"
    warning = CallWarning("emulated", "count_tokens", told)
    return TokenCount(input_tokens=total, estimated=True, warnings=(warning,))


def _said(call: Call[TokenCountRequest]) -> Iterator[str]:
    """Every text that the model would read."""
    if call.request.tools:
        yield msgspec.json.encode(render_tools(call.request.tools)).decode()
    for message in call.request.messages:
        for part in message.content:
            match part:
                case TextPart(text) | ReasoningPart(text) | RefusalPart(text):
                    yield text
                case ToolCall(_, name, arguments):
                    yield f"{name} {arguments}"
                case ToolResult():
                    yield part.text
                case MediaPart(kind):
                    call.warn("dropped", kind, "its tokens cannot be counted")
                case _:
                    call.warn("dropped", type(part).__name__, "its tokens cannot be counted")


TOKENS: Exchanges = {
    TokenizeRequest: Exchange(build=build_tokenize, parse=parse_tokenize),
    DetokenizeRequest: Exchange(build=build_detokenize, parse=parse_detokenize),
    TokenCountRequest: Procedure(perform=count),
}
