"""The models: those there are, page by page, and one by name. https://docs.cohere.com/reference/list-models."""

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
)
from jackfield.exchange import Call, Exchange, Procedure, decode, get_request, segment
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.http import Exchanges

from .usage import count

PAGE = 1000


class ModelPage(Struct):
    """A page of the list of models."""

    models: list[dict[str, Any]]
    next_page_token: str | None = None


PAGES = msgspec.json.Decoder(ModelPage)
ANY_OBJECT = msgspec.json.Decoder(dict[str, Any])


def list_models(call: Call[ModelListRequest]) -> Flow[Sequence[ModelInfo]]:
    """GET /v1/models, page by page; the call's own fields (``endpoint``, say) are the query."""
    found: list[ModelInfo] = []
    seen: set[str] = set()
    token: str | None = None
    while True:
        query = {"page_size": PAGE, **call.options, "page_token": token}
        response = yield from call.provider.fetch(call, get_request("/v1/models", **query))
        page = decode(PAGES, response.body)
        found += [parse_model(wire, call.provider.info.name) for wire in page.models]
        token = page.next_page_token
        if not token:
            return found
        if token in seen:
            raise ResponseFormatError("the list of models comes round again (at $.next_page_token)")
        seen.add(token)


def build_model(call: Call[ModelInfoRequest]) -> HTTPRequest:
    """GET /v1/models/NAME."""
    return get_request(f"/v1/models/{segment(call.request.model)}")


def parse_model_info(call: Call[Any], response: HTTPResponse) -> ModelInfo:
    """One model."""
    wire = decode(ANY_OBJECT, response.body)
    return parse_model(wire, call.provider.info.name)


def parse_model(wire: Mapping[str, Any], name: str) -> ModelInfo:
    """A model as the API describes it, which is whole in its metadata; *name* is the provider's."""
    if not isinstance(wire.get("name"), str):
        raise ResponseFormatError("a model has no name (at $.name)")
    config = wire.get("config")
    inner = config if isinstance(config, Mapping) else {}
    return ModelInfo(
        id=wire["name"],
        context_window=count(wire.get("context_length")),
        max_output_tokens=count(inner.get("max_output_tokens")),
        capabilities=_capabilities(wire),
        provider_metadata={name: dict(wire)},
    )


def _capabilities(wire: Mapping[str, Any]) -> Capabilities:
    """What the endpoints and features say; where there are none, nothing is known."""
    endpoints, features = wire.get("endpoints"), wire.get("features")

    def served(name: str) -> bool | None:
        return name in endpoints if isinstance(endpoints, list) else None

    def has(*names: str) -> bool | None:
        return any(n in features for n in names) if isinstance(features, list) else None

    return Capabilities(
        streaming=served("chat"),
        embeddings=served("embed"),
        rerank=served("rerank"),
        tools=has("tools", "strict_tools"),
        structured_output=has("json_schema"),
        reasoning=has("reasoning"),
        vision=has("vision"),
    )


MODELS: Exchanges = {
    ModelListRequest: Procedure(perform=list_models),
    ModelInfoRequest: Exchange(build=build_model, parse=parse_model_info),
}
