"""A model's own tokens, and how many a conversation has when its template is applied.

These endpoints stand beside ``/v1``. Source: vLLM's OpenAPI description, ``/tokenize`` and
``/detokenize``.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield import TokenCount, TokenCountRequest
from jackfield.exchange import Call, Exchange, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import DetokenizeRequest, TokenizeRequest, Tokens
from jackfield_dialect_openai.operations.reading import read
from jackfield_dialect_openai.render import merge, render_messages, render_tools


class Tokenized(Struct):
    """The tokens of a text or of a conversation."""

    tokens: tuple[int, ...]
    count: int
    token_strs: tuple[str, ...] | None = None
    max_model_len: int | None = None


class Detokenized(Struct):
    """The text of tokens."""

    prompt: str


_TOKENIZED = msgspec.json.Decoder(Tokenized)
_DETOKENIZED = msgspec.json.Decoder(Detokenized)


def beside(call: Call[Any], path: str, body: dict[str, Any]) -> HTTPRequest:
    """POST *body*, and the caller's own fields, to *path* beside ``/v1``."""
    base = str(call.config.base_url).rstrip("/").removesuffix("/v1")
    return json_request(base + path, merge(body, call.options))


def build_tokenize(call: Call[TokenizeRequest]) -> HTTPRequest:
    """POST /tokenize: the text's tokens alone; ``add_special_tokens`` adds the model's marks."""
    body: dict[str, Any] = {"model": call.request.model, "prompt": call.request.text}
    body |= {"add_special_tokens": False, "return_token_strs": True}
    return beside(call, "/tokenize", body)


def parse_tokenize(call: Call[TokenizeRequest], response: HTTPResponse) -> Tokens:
    """The tokens, with their texts where the server is new enough to tell them."""
    answer = read(call, _TOKENIZED, response)
    about = {call.provider.info.name: {"max_model_len": answer.max_model_len}}
    return Tokens(ids=answer.tokens, texts=answer.token_strs or (), provider_metadata=about)


def build_detokenize(call: Call[DetokenizeRequest]) -> HTTPRequest:
    """POST /detokenize."""
    body = {"model": call.request.model, "tokens": list(call.request.ids)}
    return beside(call, "/detokenize", body)


def parse_detokenize(call: Call[DetokenizeRequest], response: HTTPResponse) -> str:
    """The text."""
    return read(call, _DETOKENIZED, response).prompt


def build_count(call: Call[Any]) -> HTTPRequest:
    """POST /tokenize with messages: the server applies the model's template to them."""
    request = call.request
    body: dict[str, Any] = {"model": request.model, "messages": render_messages(call)}
    if request.tools:
        body["tools"] = render_tools(request.tools)
    return beside(call, "/tokenize", body)


def parse_count(call: Call[TokenCountRequest], response: HTTPResponse) -> TokenCount:
    """The server's own count, of which images may not be a part."""
    return TokenCount(input_tokens=read(call, _TOKENIZED, response).count)


TOKENS: Exchanges = {
    TokenizeRequest: Exchange(build=build_tokenize, parse=parse_tokenize),
    DetokenizeRequest: Exchange(build=build_detokenize, parse=parse_detokenize),
    TokenCountRequest: Exchange(build=build_count, parse=parse_count),
}
