"""Embeddings and model lists as the dialect writes them."""

from __future__ import annotations

from array import array
from base64 import b64encode
from collections.abc import Iterable
from sys import byteorder
from typing import Any, Literal

from jackfield import EmbeddingResponse, ModelInfo

from ..usage import count
from .answers import render_warnings, unknown
from .messages import flattened

Encoding = Literal["float", "base64"]


def render_embeddings(
    response: EmbeddingResponse, encoding: Encoding = "float", *, model: str = ""
) -> dict[str, Any]:
    """*response*, of *model* if it names none; base64 is of little-endian 32-bit floats. Its cost is in ``usage``, in US dollars."""
    tokens, cost = response.usage.input_tokens, response.cost
    usage: dict[str, Any] = {"prompt_tokens": tokens or 0, "total_tokens": tokens or 0}
    if cost.amount is not None and cost.currency == "USD":
        usage["cost"] = float(cost.amount)
    told = (unknown("input"),) if tokens is None else ()
    return {
        "object": "list",
        "model": response.model or model,
        "data": [
            {"object": "embedding", "index": at, "embedding": _vector(vector, encoding)}
            for at, vector in enumerate(response.vectors)
        ],
        "usage": usage,
        **render_warnings((*response.warnings, *told)),
    }


def _vector(vector: Iterable[float], encoding: Encoding) -> str | list[float]:
    if encoding == "float":
        return list(vector)
    floats = array("f", vector)
    if byteorder == "big":
        floats.byteswap()
    return b64encode(floats.tobytes()).decode()


def render_models(models: Iterable[ModelInfo], owner: str) -> dict[str, Any]:
    """The list of *models*, which *owner* offers."""
    return {"object": "list", "data": [render_model(model, owner) for model in models]}


def render_model(model: ModelInfo, owner: str) -> dict[str, Any]:
    """One model, with its limits in tokens where they are known."""
    noted = flattened(model.provider_metadata)
    owned_by = noted.get("owned_by")
    facts = {
        "name": model.display_name or None,
        "context_length": model.context_window,
        "max_output_tokens": model.max_output_tokens,
    }
    return {
        "id": model.id,
        "object": "model",
        "created": count(noted.get("created")) or 0,
        "owned_by": owned_by if isinstance(owned_by, str) else owner,
        **{name: fact for name, fact in facts.items() if fact is not None},
    }
