"""Models: the router's list, what the hub knows of one, and what an endpoint of one's own serves.

Source: https://huggingface.co/docs/inference-providers/hub-api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from attrs import evolve

from jackfield import Capabilities, ModelInfo, NotFoundError, Pricing, ResponseFormatError
from jackfield.exchange import Call, Exchange, Procedure, get_request
from jackfield.flow import Flow, HTTPRequest, HTTPResponse
from jackfield.requests import ModelInfoRequest, ModelListRequest
from jackfield_dialect_openai import EXCHANGES
from jackfield_dialect_openai.usage import count

from .config import address
from .reading import read, refuse

TASKS = {
    "feature-extraction": "embeddings",
    "sentence-similarity": "rerank",
    "text-ranking": "rerank",
    "text-to-image": "image_generation",
    "text-to-speech": "speech",
    "automatic-speech-recognition": "transcription",
    "image-text-to-text": "vision",
}
"""What a model of a task can do."""

_OBJECT = msgspec.json.Decoder(dict[str, Any])
_LISTED: Any = EXCHANGES[ModelListRequest]


def with_services(found: ModelInfo, wire: Mapping[str, Any]) -> ModelInfo:
    """*found* with what all services of the model agree on, whichever the router takes."""
    told = wire.get("providers")
    live = [p for p in told if isinstance(p, Mapping)] if isinstance(told, list) else []
    windows = [w for p in live if (w := count(p.get("context_length")))]
    shape = wire.get("architecture")
    seen = shape.get("input_modalities") if isinstance(shape, Mapping) else None
    able = Capabilities(
        tools=_agreed(p.get("supports_tools") for p in live),
        structured_output=_agreed(p.get("supports_structured_output") for p in live),
        vision="image" in seen if isinstance(seen, list) else None,
    )
    prices = {_price(p.get("pricing")) for p in live}
    window = min(windows, default=found.context_window)
    agreed = prices.pop() if len(prices) == 1 else None
    return evolve(found, context_window=window, capabilities=able, pricing=agreed)


def _agreed(told: Iterable[Any]) -> bool | None:
    said = set(map(bool, told))
    return said.pop() if len(said) == 1 else None


def _price(wire: Any) -> Pricing | None:
    """USD per million tokens."""
    sides = (
        [wire.get(side) for side in ("input", "output")] if isinstance(wire, Mapping) else [None]
    )
    if not all(isinstance(s, int | float) and not isinstance(s, bool) for s in sides):
        return None
    asked, answered = (Decimal(str(s)) for s in sides)
    return Pricing(input=asked, output=answered, source="huggingface")


def build_hub(call: Call[ModelInfoRequest]) -> HTTPRequest:
    """GET the model from the hub; the name of a service behind it is the router's business."""
    name = call.request.model.partition(":")[0]
    url = address(call.config.hub_url.rstrip("/") + "/api/models/{model}", name)
    return get_request(url, expand="inferenceProviderMapping")


def parse_hub(call: Call[ModelInfoRequest], response: HTTPResponse) -> ModelInfo:
    """A model with the tasks that services offer it for; all of it is kept."""
    wire = read(call, _OBJECT, response)
    refuse(call, wire)
    if not isinstance(wire.get("id"), str):
        raise ResponseFormatError("the answer has no name (at $.id)")
    told = wire.get("inferenceProviderMapping") or {}
    services = told.values() if isinstance(told, Mapping) else told
    tasks = {s.get("task") for s in services if isinstance(s, Mapping)} | {wire.get("pipeline_tag")}
    able = {TASKS[t]: True for t in tasks if isinstance(t, str) and t in TASKS}
    name = call.provider.info.name
    metadata = {name: wire}
    return ModelInfo(id=wire["id"], capabilities=Capabilities(**able), provider_metadata=metadata)


def build_info(call: Call[Any]) -> HTTPRequest:
    """GET /info of an endpoint of one's own."""
    provider: Any = call.provider
    return get_request(provider.task_url(call.request.model) + "/info")


def parse_info(call: Call[Any], response: HTTPResponse) -> ModelInfo:
    """The model that an inference server serves, and how long its texts may be."""
    wire = read(call, _OBJECT, response)
    refuse(call, wire)
    if not isinstance(wire.get("model_id"), str):
        raise ResponseFormatError("the answer has no name (at $.model_id)")
    told = wire.get("model_type")
    kinds = told if isinstance(told, Mapping) else {}
    able = {"embeddings": True} if "embedding" in kinds else {}
    able |= {"rerank": True} if "reranker" in kinds else {}
    longest = count(wire.get("max_total_tokens")) or count(wire.get("max_input_length"))
    return ModelInfo(
        id=wire["model_id"],
        context_window=longest,
        capabilities=Capabilities(**able),
        provider_metadata={call.provider.info.name: wire},
    )


def list_served(call: Call[ModelListRequest]) -> Flow[Sequence[ModelInfo]]:
    """The models of an endpoint of one's own: some list them, others tell the one they have."""
    provider = call.provider
    try:
        response = yield from provider.fetch(call, _LISTED.build(call))
    except NotFoundError:
        response = yield from provider.fetch(call, build_info(call))
        return [provider.read(call, SERVED, response)]
    found: Sequence[ModelInfo] = provider.read(call, _LISTED, response)
    return found


HUB: Exchange[Any, Any] = Exchange(build=build_hub, parse=parse_hub)
SERVED: Exchange[Any, Any] = Exchange(build=build_info, parse=parse_info)
LIST_SERVED: Procedure[Any, Any] = Procedure(list_served)
