"""Token counts and the list of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from jackfield import (
    Capabilities,
    ModelInfo,
    ModelInfoRequest,
    ModelListRequest,
    TokenCount,
    TokenCountRequest,
)
from jackfield.exchange import Call, decode, get_request, segment
from jackfield.flow import HTTPRequest, HTTPResponse

from .chat import post
from .config import fields, with_headers
from .render import render_conversation
from .tools import render_tools
from .usage import count

PAGE = 1000


class TokensCounted(Struct):
    """How many tokens a request holds."""

    input_tokens: int


class ModelPage(Struct):
    """A page of the list of models."""

    data: list[dict[str, Any]]
    has_more: bool | None = None
    last_id: str | None = None


TOKENS = msgspec.json.Decoder(TokensCounted)
MODELS = msgspec.json.Decoder(ModelPage)
ANY_OBJECT = msgspec.json.Decoder(dict[str, Any])


def build_count(call: Call[TokenCountRequest]) -> HTTPRequest:
    """POST /v1/messages/count_tokens. https://docs.claude.com/en/api/messages-count-tokens."""
    request = call.request
    body = {"model": request.model, **render_conversation(call, request.messages)}
    if request.tools:
        body["tools"] = render_tools(call, request.tools)
    return post(call, "/v1/messages/count_tokens", body)


def parse_count(_: Call[Any], response: HTTPResponse) -> TokenCount:
    """The number of tokens."""
    return TokenCount(input_tokens=decode(TOKENS, response.body).input_tokens)


class Page(list[ModelInfo]):
    """Models, and the last one's id where more follow."""

    following: str | None = None


def build_models(call: Call[ModelListRequest]) -> HTTPRequest:
    """GET /v1/models; the call's own fields are the query. https://docs.claude.com/en/api/models-list."""
    query = urlencode({"limit": PAGE, **fields(call)})
    return with_headers(call, get_request(f"/v1/models?{query}"))


def build_model(call: Call[ModelInfoRequest]) -> HTTPRequest:
    """GET /v1/models/NAME. https://docs.claude.com/en/api/models."""
    return with_headers(call, get_request(f"/v1/models/{segment(call.request.model)}"))


def parse_models(call: Call[Any], response: HTTPResponse) -> Page:
    """One page of the list."""
    wire = decode(MODELS, response.body)
    page = Page(parse_model(m, call.provider.info.name) for m in wire.data)
    if wire.has_more:
        page.following = wire.last_id or (page[-1].id if page else None)
    return page


def parse_model_info(call: Call[Any], response: HTTPResponse) -> ModelInfo:
    """One model."""
    wire = decode(ANY_OBJECT, response.body)
    return parse_model(wire, call.provider.info.name)


def parse_model(wire: Mapping[str, Any], name: str) -> ModelInfo:
    """A model as the API describes it; *name* is the provider's."""
    can = wire.get("capabilities")

    def supported(capability: str) -> bool | None:
        told = can.get(capability) if isinstance(can, Mapping) else None
        found = told.get("supported") if isinstance(told, Mapping) else None
        return found if isinstance(found, bool) else None

    return ModelInfo(
        id=wire["id"],
        display_name=wire.get("display_name") or "",
        context_window=count(wire.get("max_input_tokens")),
        max_output_tokens=count(wire.get("max_tokens")),
        capabilities=Capabilities(
            vision=supported("image_input"),
            reasoning=supported("thinking"),
            structured_output=supported("structured_outputs"),
        ),
        provider_metadata={name: wire},
    )
