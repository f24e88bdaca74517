"""A model's own tokens, its chat template, and how many tokens a conversation has in it.

Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/server, ``/tokenize``,
``/detokenize``, ``/apply-template`` and ``/v1/chat/completions/input_tokens``
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from attrs import field, frozen
from msgspec import Struct

from jackfield import (
    MediaPart,
    Message,
    NotFoundError,
    Request,
    TokenCount,
    TokenCountRequest,
    Tool,
    ToolResult,
)
from jackfield.exchange import Call, Exchange, Procedure, decode, json_request
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import DetokenizeRequest, TokenizeRequest, Tokens
from jackfield_dialect_openai.render import merge, render_messages, render_tools

from .config import tell


def _tuple(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(items)


@frozen(kw_only=True)
class TemplateRequest(Request[str]):
    """Ask for the text that the model's chat template makes of *messages* and *tools*."""

    messages: tuple[Message, ...] = field(converter=_tuple)
    tools: tuple[Tool, ...] = field(default=(), converter=_tuple)


class Piece(Struct):
    """A token and its text, or its bytes where they are no text by themselves."""

    id: int
    piece: str | list[int]


class Tokenized(Struct):
    """The tokens of a text; older servers tell their numbers alone."""

    tokens: list[int | Piece]


class Detokenized(Struct):
    """The text of tokens."""

    content: str


class Templated(Struct):
    """A conversation as the model sees it."""

    prompt: str


class Counted(Struct):
    """How many tokens a conversation has."""

    input_tokens: int


_TOKENIZED = msgspec.json.Decoder(Tokenized)
_DETOKENIZED = msgspec.json.Decoder(Detokenized)
_TEMPLATED = msgspec.json.Decoder(Templated)
_COUNTED = msgspec.json.Decoder(Counted)


def build_tokenize(call: Call[TokenizeRequest]) -> HTTPRequest:
    """POST /tokenize: the text's tokens alone; ``add_special`` adds the model's marks."""
    return tell(call, "/tokenize", {"content": call.request.text, "with_pieces": True})


def parse_tokenize(call: Call[TokenizeRequest], response: HTTPResponse) -> Tokens:
    """The tokens with their texts; the bytes of those that are none are in the metadata."""
    found = decode(_TOKENIZED, response.body).tokens
    pieces = [t.piece for t in found if isinstance(t, Piece)]
    texts = [p if isinstance(p, str) else bytes(p).decode("utf-8", "replace") for p in pieces]
    split = any(isinstance(p, list) for p in pieces)
    return Tokens(
        ids=tuple(t if isinstance(t, int) else t.id for t in found),
        texts=tuple(texts) if len(texts) == len(found) else (),
        provider_metadata={call.provider.info.name: {"pieces": pieces}} if split else {},
    )


def build_detokenize(call: Call[DetokenizeRequest]) -> HTTPRequest:
    """POST /detokenize."""
    return tell(call, "/detokenize", {"tokens": list(call.request.ids)})


def parse_detokenize(_call: Call[DetokenizeRequest], response: HTTPResponse) -> str:
    """The text."""
    return decode(_DETOKENIZED, response.body).content


def _conversation(call: Call[Any]) -> dict[str, Any]:
    request = call.request
    tools = {"tools": render_tools(request.tools)} if request.tools else {}
    return {"messages": render_messages(call), **tools}


def build_template(call: Call[Any]) -> HTTPRequest:
    """POST /apply-template."""
    return tell(call, "/apply-template", _conversation(call))


def parse_template(_call: Call[Any], response: HTTPResponse) -> str:
    """The text that the model would see."""
    return decode(_TEMPLATED, response.body).prompt


def count(call: Call[TokenCountRequest]) -> Flow[TokenCount]:
    """The server's count; of older servers the tokens of what its template makes."""
    body = {"model": call.request.model, **_conversation(call)}
    path = "/chat/completions/input_tokens"
    try:
        told = yield from call.provider.fetch(call, json_request(path, merge(body, call.options)))
        counted = decode(_COUNTED, told.body).input_tokens
    except NotFoundError:
        counted = yield from _by_template(call)
    return TokenCount(input_tokens=counted)


def _by_template(call: Call[TokenCountRequest]) -> Flow[int]:
    parts = [p for m in call.request.messages for p in m.content]
    parts += [p for r in parts if isinstance(r, ToolResult) for p in r.content]
    for kind in {p.media_type for p in parts if isinstance(p, MediaPart)}:
        call.warn("dropped", kind, "this server is too old to count its tokens")
    response = yield from call.provider.fetch(call, build_template(call))
    prompt = parse_template(call, response)
    call.options = {}  # they were the template's
    request = tell(call, "/tokenize", {"content": prompt, "add_special": True})
    answer = yield from call.provider.fetch(call, request)
    return len(decode(_TOKENIZED, answer.body).tokens)


TOKENS: Exchanges = {
    TokenizeRequest: Exchange(build=build_tokenize, parse=parse_tokenize),
    DetokenizeRequest: Exchange(build=build_detokenize, parse=parse_detokenize),
    TemplateRequest: Exchange(build=build_template, parse=parse_template),
    TokenCountRequest: Procedure(perform=count),
}
