"""Embeddings: of texts, and of images by the caller's own fields; as floats, small integers or bits.

``vectors`` has the most exact form that came. Where another form than floats was asked
for, all are in ``provider_metadata["cohere"]["embeddings"]`` by their type: tuples of
numbers, of integers (those of ``binary`` and ``ubinary`` hold eight dimensions each), or of
base64 texts.

Source: https://docs.cohere.com/reference/embed
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from jackfield import EmbeddingRequest, EmbeddingResponse, ResponseFormatError
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.http import Exchanges

from ..chat import merge
from ..config import version
from ..usage import parse_usage

Vectors = tuple[tuple[float, ...], ...]
Whole = tuple[tuple[int, ...], ...]


class ByType(Struct):
    """The vectors in each form that was asked for."""

    float: Vectors | None = None
    int8: Whole | None = None
    uint8: Whole | None = None
    binary: Whole | None = None
    ubinary: Whole | None = None
    base64: tuple[str, ...] | None = None


class Embedded(Struct):
    """An answer; version 1 has a bare list where floats alone were asked for."""

    embeddings: ByType | Vectors
    id: str | None = None
    meta: dict[str, Any] | None = None
    images: Any = None


_EMBEDDED = msgspec.json.Decoder(Embedded)
INPUT_TYPES = {"query": "search_query", "document": "search_document"}
"""Common words for what vectors are for; the API's others go as they are."""
FORMS = ("float", "base64", "int8", "uint8", "binary", "ubinary")


def build(call: Call[EmbeddingRequest]) -> HTTPRequest:
    """POST /v2/embed. Images go as ``provider_options={"cohere": {"images": [data URLs]}}``."""
    request = call.request
    wanted = request.input_type or call.config.input_type
    body: dict[str, Any] = {"model": request.model, "input_type": INPUT_TYPES.get(wanted, wanted)}
    body["embedding_types"] = ["float"]
    if request.inputs:
        body["texts"] = list(request.inputs)
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    return json_request(f"/{version(call)}/embed", merge(body, call.options))


def parse(call: Call[EmbeddingRequest], response: HTTPResponse) -> EmbeddingResponse:
    """One vector for each input, in their order.

    Raises:
        ResponseFormatError: there are not as many vectors as inputs.
    """
    answer = decode(_EMBEDDED, response.body)
    found = (
        answer.embeddings if isinstance(answer.embeddings, ByType) else ByType(answer.embeddings)
    )
    forms = {name: form for name in FORMS if (form := getattr(found, name)) is not None}
    if not forms:
        raise ResponseFormatError("the answer has no vectors (at $.embeddings)")
    vectors = _numbers(forms)
    wanted = _wanted(call)
    if any(len(form) != wanted for form in forms.values()):
        message = f"{wanted} inputs, but {len(vectors)} vectors (at $.embeddings)"
        raise ResponseFormatError(message)
    told = {"id": answer.id, "meta": answer.meta, "images": answer.images}
    about = {key: value for key, value in told.items() if value is not None}
    if forms.keys() != {"float"}:
        about["embeddings"] = forms
    return EmbeddingResponse(
        vectors=vectors,
        usage=parse_usage(answer.meta),
        provider_metadata={call.provider.info.name: about} if about else {},
    )


def _wanted(call: Call[EmbeddingRequest]) -> int:
    """How many vectors are due."""
    own: Mapping[str, Any] = call.options
    texts: Sequence[Any] = own.get("texts", call.request.inputs)
    return len(texts) + len(own.get("images") or ()) + len(own.get("inputs") or ())


def _numbers(forms: Mapping[str, Any]) -> Vectors:
    """The most exact of *forms*."""
    name, form = next(iter(forms.items()))
    if name != "base64":
        return tuple(tuple(map(float, vector)) for vector in form)
    return tuple(_unpacked(text) for text in form)


def _unpacked(text: str) -> tuple[float, ...]:
    """The 32-bit floats in *text*, little end first."""
    packed = b64decode(text, validate=True)
    if len(packed) % 4:
        raise ResponseFormatError("a vector is cut (at $.embeddings.base64)")
    return struct.unpack(f"<{len(packed) // 4}f", packed)


EMBEDDINGS: Exchanges = {EmbeddingRequest: Exchange(build=build, parse=parse)}
