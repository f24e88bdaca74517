"""The models of the machine: their states, loading and unloading them.

Source: https://lmstudio.ai/docs/developer/rest (``/api/v1``, since LM Studio 0.4; ``/api/v0`` before)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from jackfield import (
    Capabilities,
    LLMError,
    ModelInfo,
    NotFoundError,
    ResponseFormatError,
    UnsupportedOperationError,
)
from jackfield.exchange import Call, decode, get_request, json_request
from jackfield.flow import Flow
from jackfield.operations import LoadRequest, UnloadRequest
from jackfield_dialect_openai.catalogue import parse_models
from jackfield_dialect_openai.render import build_models


class Native(Struct):
    """The native list: ``models`` since 0.4, ``data`` before."""

    models: list[dict[str, Any]] | None = None
    data: list[dict[str, Any]] | None = None


_NATIVE = msgspec.json.Decoder(Native)
OLD = "LM Studio 0.4 or newer is needed"


def native(call: Call[Any], path: str) -> str:
    """*path* of the native API, which stands beside the dialect's ``/v1``."""
    return f"{call.provider.origin}{path}"


def list_models(call: Call[Any]) -> Flow[Sequence[ModelInfo]]:
    """The native list, the newest that the server has; a model's state is in its metadata."""
    for path in ("/api/v1/models", "/api/v0/models"):
        try:
            response = yield from call.provider.fetch(call, get_request(native(call, path)))
            answer = decode(_NATIVE, response.body)
        except (NotFoundError, UnsupportedOperationError, ResponseFormatError):
            continue  # no native list there
        listed = answer.data if answer.models is None else answer.models
        if listed is not None:
            return [model(wire, call.provider.info.name) for wire in listed]
    plain = yield from call.provider.fetch(call, build_models(call))
    return parse_models(call, plain)


def model(wire: Mapping[str, Any], name: str) -> ModelInfo:
    """A model of either native list; *name* is the provider's."""
    can = wire.get("capabilities") or {}
    listed = can if isinstance(can, list) else [k for k, v in can.items() if v]
    kind = wire.get("type") or ""
    chats = kind in ("llm", "vlm")
    return ModelInfo(
        id=wire.get("key") or wire["id"],
        display_name=wire.get("display_name") or "",
        context_window=wire.get("max_context_length"),
        size_bytes=wire.get("size_bytes"),
        capabilities=Capabilities(
            streaming=chats or None,
            tools=bool({"tool_use", "trained_for_tool_use"} & set(listed)) if listed else None,
            vision=kind == "vlm" or "vision" in listed if chats else None,
            embeddings=kind.startswith("embedding") if kind else None,
        ),
        provider_metadata={name: {**wire, **state(wire)}},
    )


def state(wire: Mapping[str, Any]) -> dict[str, str]:
    """``loaded`` or ``not-loaded``, under the name that the older list has for it."""
    if "loaded_instances" not in wire:
        return {}
    return {"state": "loaded" if wire["loaded_instances"] else "not-loaded"}


def load(call: Call[LoadRequest]) -> Flow[None]:
    """POST /api/v1/models/load."""
    request = call.request
    body: dict[str, Any] = {"model": request.model}
    if request.context_length is not None:
        body["context_length"] = request.context_length
    path = native(call, "/api/v1/models/load")
    yield from _asked(call, path, {**body, **call.options})


def unload(call: Call[UnloadRequest]) -> Flow[None]:
    """POST /api/v1/models/unload for each instance of the model that is loaded.

    Raises:
        NotFoundError: none is.
    """
    wanted = call.request.model
    response = yield from _asked(call, native(call, "/api/v1/models"), None)
    found = [w for w in decode(_NATIVE, response.body).models or () if w.get("key") == wanted]
    ids = [i["id"] for wire in found for i in wire.get("loaded_instances") or ()]
    if not ids:
        message = f"{wanted} is not loaded; list_models() has what is there"
        raise NotFoundError(message, param="model", phase="build")
    for name in ids:
        yield from _asked(call, native(call, "/api/v1/models/unload"), {"instance_id": name})


def _asked(call: Call[Any], path: str, body: Any) -> Flow[Any]:
    request = get_request(path) if body is None else json_request(path, body)
    try:
        return (yield from call.provider.fetch(call, request))
    except LLMError as error:
        if isinstance(error, NotFoundError) and error.code is None and error.param is None:
            raise UnsupportedOperationError(f"the server has no {path}: {OLD}") from error
        raise
