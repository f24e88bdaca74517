"""Token counts and the list of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from jackfield import (
    Capabilities,
    ModelInfo,
    ModelInfoRequest,
    ModelListRequest,
    ResponseFormatError,
    TokenCount,
    TokenCountRequest,
)
from jackfield.exchange import Call, decode, get_request, json_request
from jackfield.flow import Flow, HTTPRequest, HTTPResponse

from .chat import render_prompt
from .config import merge, path, resource
from .operations.pages import pages
from .usage import count
from .wire import OBJECT


class TokensCounted(Struct, rename="camel"):
    """How many tokens a request holds; a count of zero is left out, and its details are not."""

    total_tokens: int | None = None
    cached_content_token_count: int | None = None
    prompt_tokens_details: list[Any] | None = None


TOKENS = msgspec.json.Decoder(TokensCounted)


def build_count(call: Call[TokenCountRequest]) -> HTTPRequest:
    """POST /models/NAME:countTokens. https://ai.google.dev/api/tokens."""
    prompt = merge(render_prompt(call), call.options)
    body = prompt
    if prompt.keys() != {"contents"}:
        body = {
            "generateContentRequest": {"model": resource(call.request.model, "models"), **prompt}
        }
    return json_request(path(call.request.model, verb=":countTokens"), body)


def parse_count(_: Call[Any], response: HTTPResponse) -> TokenCount:
    """The number of tokens.

    Raises:
        ResponseFormatError: the answer tells of none.
    """
    told = decode(TOKENS, response.body)
    if told == TokensCounted():
        raise ResponseFormatError("the answer has no count (at $.totalTokens)")
    return TokenCount(input_tokens=told.total_tokens or 0)


def list_models(call: Call[ModelListRequest]) -> Flow[Sequence[ModelInfo]]:
    """GET /models, page by page. https://ai.google.dev/api/models#method:-models.list."""
    name = call.provider.info.name
    return pages(call, "/models", "models", None, lambda wire: parse_model(wire, name))


def build_model(call: Call[ModelInfoRequest]) -> HTTPRequest:
    """GET /models/NAME. https://ai.google.dev/api/models#method:-models.get."""
    return get_request(path(call.request.model))


def parse_model_info(call: Call[Any], response: HTTPResponse) -> ModelInfo:
    """One model."""
    return parse_model(decode(OBJECT, response.body), call.provider.info.name)


def parse_model(wire: Mapping[str, Any], name: str) -> ModelInfo:
    """A model as the API describes it; *name* is the provider's."""
    methods = wire.get("supportedGenerationMethods")
    known = isinstance(methods, list)
    can = set(map(str, methods)) if isinstance(methods, list) else set()
    thinks = wire.get("thinking")
    return ModelInfo(
        id=wire["name"].removeprefix("models/"),
        display_name=wire.get("displayName") or "",
        context_window=count(wire.get("inputTokenLimit")),
        max_output_tokens=count(wire.get("outputTokenLimit")),
        capabilities=Capabilities(
            streaming="generateContent" in can if known else None,
            reasoning=thinks if isinstance(thinks, bool) else None,
            embeddings=bool(can & {"embedContent", "embedText"}) if known else None,
            token_counting="countTokens" in can if known else None,
            batches="batchGenerateContent" in can if known else None,
        ),
        provider_metadata={name: wire},
    )
