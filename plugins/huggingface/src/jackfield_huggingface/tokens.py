"""Tokens of an endpoint of one's own: text into tokens, and back.

Source: https://huggingface.co/docs/text-embeddings-inference
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import ResponseFormatError, UnsupportedOperationError
from jackfield.exchange import Call, Exchange, Procedure, json_request
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.operations import DetokenizeRequest, TokenizeRequest, Tokens
from jackfield_dialect_openai.render import merge

from .reading import read


class Token(Struct):
    """A token's number and text."""

    id: int
    text: str = ""


_TOKENS = msgspec.json.Decoder(list[Token | list[Token]])
_TEXTS = msgspec.json.Decoder(list[str])


def build(call: Call[TokenizeRequest]) -> HTTPRequest:
    """POST /tokenize."""
    provider: Any = call.provider
    url = provider.task_url(call.request.model) + "/tokenize"
    return json_request(url, merge({"inputs": call.request.text}, call.options))


def parse(call: Call[TokenizeRequest], response: HTTPResponse) -> Tokens:
    """The tokens; some servers have a list for each of several texts."""
    listed: list[Any] = read(call, _TOKENS, response)
    nested = [item for item in listed if isinstance(item, list)]
    if nested and len(listed) != 1:
        raise ResponseFormatError("the tokens of several texts came for one (at $)")
    tokens = nested[0] if nested else listed
    return Tokens(ids=tuple(t.id for t in tokens), texts=tuple(t.text for t in tokens))


def build_text(call: Call[DetokenizeRequest]) -> HTTPRequest:
    """POST /decode."""
    provider: Any = call.provider
    url = provider.task_url(call.request.model) + "/decode"
    return json_request(url, merge({"ids": list(call.request.ids)}, call.options))


def parse_text(call: Call[DetokenizeRequest], response: HTTPResponse) -> str:
    """The text."""
    texts = read(call, _TEXTS, response)
    if len(texts) != 1:
        raise ResponseFormatError(f"{len(texts)} texts came for one (at $)")
    return texts[0]


def owned(exchange: Exchange[Any, Any]) -> Procedure[Any, Any]:
    """*exchange*, where there is an endpoint of one's own to ask."""

    def perform(call: Call[Any]) -> Flow[Any]:
        provider: Any = call.provider
        if provider.shared:
            message = "the router counts no tokens: an endpoint of your own does (base_url)"
            raise UnsupportedOperationError(message)
        response = yield from provider.fetch(call, exchange.build(call))
        return provider.read(call, exchange, response)

    return Procedure(perform)


TOKENIZE = owned(Exchange(build=build, parse=parse))
DETOKENIZE = owned(Exchange(build=build_text, parse=parse_text))
