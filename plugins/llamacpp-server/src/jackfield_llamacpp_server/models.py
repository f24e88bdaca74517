"""The server's models: what it tells of them, loading and unloading; and what completions lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from jackfield import Capabilities, ModelInfo, ModelInfoRequest, NotFoundError
from jackfield.exchange import Call, Exchange
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges
from jackfield.operations import CompletionRequest, LoadRequest, UnloadRequest
from jackfield.prompts import bad
from jackfield_dialect_openai.catalogue import parse_models
from jackfield_dialect_openai.operations import completions
from jackfield_dialect_openai.render import build_models

from .config import tell


def described(model: ModelInfo, wire: Mapping[str, Any]) -> ModelInfo:
    """*model* with what its file and its server say; both may say nothing yet."""
    meta = wire.get("meta") or {}
    taken = (wire.get("architecture") or {}).get("input_modalities")
    can = Capabilities()
    if isinstance(taken, Sequence):
        can = Capabilities(vision="image" in taken, audio_input="audio" in taken)
    window = meta.get("n_ctx") or meta.get("n_ctx_train") or model.context_window
    return evolve(model, context_window=window, size_bytes=meta.get("size"), capabilities=can)


def parse_model(call: Call[ModelInfoRequest], response: HTTPResponse) -> ModelInfo:
    """The model of the list that was asked for, by its name or an alias.

    Raises:
        NotFoundError: there is none; the message says which there are.
    """
    listed, wanted = parse_models(call, response), call.request.model
    own = call.provider.info.name
    for model in listed:
        if wanted in (model.id, *(model.provider_metadata[own].get("aliases") or ())):
            return model
    have = ", ".join(m.id for m in listed) or "none"
    raise NotFoundError(f"the server has no model {wanted!r}; it has {have}")


def build_load(call: Call[LoadRequest]) -> HTTPRequest:
    """POST /models/load, of a server that was started for several models."""
    if call.request.context_length is not None:
        # Its result is nothing, and so has no place for a warning.
        raise bad("context_length", "the server's own settings have it", "leave it out")
    return tell(call, "/models/load", {})


def build_unload(call: Call[UnloadRequest]) -> HTTPRequest:
    """POST /models/unload."""
    return tell(call, "/models/unload", {})


def parse_nothing(_call: Call[Any], _response: HTTPResponse) -> None:
    """A success has nothing to tell."""


def build_completion(call: Call[CompletionRequest]) -> HTTPRequest:
    """POST /completions, which reads no suffix, and would say nothing about it."""
    if call.request.suffix is not None:
        call.warn("unsupported", "suffix", "the server's completions have none")
        call.request = evolve(call.request, suffix=None)
    return completions.build(call)


MODEL: Exchange[ModelInfoRequest, ModelInfo] = Exchange(build=build_models, parse=parse_model)
MEMORY: Exchanges = {
    LoadRequest: Exchange(build=build_load, parse=parse_nothing),
    UnloadRequest: Exchange(build=build_unload, parse=parse_nothing),
}
