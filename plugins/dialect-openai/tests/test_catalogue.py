"""Embeddings come in the order of the inputs, models as the server lists them."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    LLMError,
    ModelInfoRequest,
    ProviderError,
    ResponseFormatError,
)

NAME = "openai-compatible"
VECTOR = st.lists(
    st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=8
)
VECTORS = st.lists(VECTOR, min_size=1, max_size=4)


def packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def rows(vectors: list[Any], order: list[int] | None = None) -> list[dict[str, Any]]:
    listed = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]
    return listed if order is None else [listed[i] for i in order if i < len(listed)]


@pytest.mark.parametrize("form", ["numbers", "base64", "one vector in a list"])
@given(vectors=VECTORS, order=st.permutations(range(4)))
def test_vectors_come_in_the_order_of_the_inputs_in_any_form(
    replayed: Any, body_of: Any, form: str, vectors: list[list[float]], order: list[int]
) -> None:
    forms: dict[str, Any] = {
        "numbers": list,
        "base64": packed,
        "one vector in a list": lambda v: [v],
    }
    data = rows([forms[form](v) for v in vectors], order)
    usage = {"prompt_tokens": 4, "total_tokens": 4, "cost": 0.5}
    provider = replayed({"object": "list", "data": data, "model": "e1", "usage": usage})
    inputs = [f"text {i}" for i in range(len(vectors))]
    answer = provider.embed("e", inputs)
    assert answer.vectors == tuple(map(tuple, vectors))
    assert answer.model == "e1"
    assert answer.usage.input_tokens == 4
    assert answer.cost.amount == Decimal("0.5")
    assert body_of(provider) == {"model": "e", "input": inputs}


def test_vectors_without_numbers_are_in_the_order_of_the_inputs(replayed: Any) -> None:
    data = [{"embedding": [1, 2]}, {"embedding": [3, 4]}]
    assert replayed({"data": data}).embed("e", ["a", "b"]).vectors == ((1.0, 2.0), (3.0, 4.0))


def test_dimensions_and_fields_of_ones_own_go_along(replayed: Any, body_of: Any) -> None:
    provider = replayed({"data": rows([[1.0]])})
    own = {NAME: {"encoding_format": "float", "user": "u"}}
    provider.embed("e", "text", dimensions=1, provider_options=own)
    assert body_of(provider) == {
        "model": "e",
        "input": ["text"],
        "dimensions": 1,
        "encoding_format": "float",
        "user": "u",
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"data": rows([[1.0]])}, "2 inputs, but 1 vectors"),
        ({"data": []}, "2 inputs, but 0 vectors"),
        ({"data": rows([[[1.0], [2.0]], [[1.0], [2.0]]])}, "one vector a token"),
        ({"data": rows(["!", "?"])}, ""),
        ({"data": rows(["QUI=", "QUI="])}, ""),
        ({"data": rows([None, None])}, "embedding"),
        ({}, "data"),
        ([], "object"),
    ],
)
def test_vectors_that_cannot_be_read_are_an_error(replayed: Any, body: Any, said: str) -> None:
    answer = b"[]" if body == [] else body
    with pytest.raises(ResponseFormatError) as caught:
        replayed(answer).embed("e", ["a", "b"])
    assert said in str(caught.value)


FAILURES: list[tuple[Any, type[LLMError]]] = [
    ({"error": {"message": "no key", "code": "invalid_api_key"}}, AuthenticationError),
    ({"object": "error", "message": "odd"}, ProviderError),
    ({"error": "odd"}, ProviderError),
]


@pytest.mark.parametrize(("body", "kind"), FAILURES)
def test_an_error_under_a_good_status_is_the_providers_error(
    replayed: Any, body: Any, kind: type[LLMError]
) -> None:
    calls: list[Callable[[Any], Any]] = [
        lambda p: p.embed("e", "a"),
        lambda p: p.list_models(),
        lambda p: p.run(ModelInfoRequest(model="m")),
    ]
    for call in calls:
        with pytest.raises(kind):
            call(replayed(body))


@pytest.mark.parametrize("wrapped", [True, False])
def test_models_keep_their_order_and_what_the_server_says_of_them(
    replayed: Any, wrapped: bool
) -> None:
    listed = [
        {"id": "b/large", "object": "model", "max_model_len": 4096},
        {"id": "a", "name": "A", "context_length": 8192, "max_completion_tokens": 512},
        {"id": "c", "display_name": "C", "context_window": 16384, "max_context_length": None},
        {"id": "d", "context_length": "many"},
    ]
    answer = json.dumps({"object": "list", "data": listed} if wrapped else listed).encode()
    models = replayed(answer).list_models()
    assert [m.id for m in models] == ["b/large", "a", "c", "d"]
    assert [m.context_window for m in models] == [4096, 8192, 16384, None]
    assert [m.display_name for m in models] == ["", "A", "C", ""]
    assert models[1].max_output_tokens == 512
    assert [m.provider_metadata[NAME] for m in models] == listed


def test_a_server_without_models_has_an_empty_list(replayed: Any) -> None:
    assert list(replayed({"object": "list", "data": None}).list_models()) == []


def test_one_model_is_asked_for_by_its_name_as_one_segment(replayed: Any) -> None:
    provider = replayed({"id": "org/model: x", "object": "model"})
    assert provider.run(ModelInfoRequest(model="org/model: x")).id == "org/model: x"
    (request,) = provider._driver.transport.requests
    assert request.method == "GET"
    assert request.url.endswith("/v1/models/org%2Fmodel%3A%20x")


@pytest.mark.parametrize("body", [{"object": "list"}, {"data": [{"object": "model"}]}, {"data": 3}])
def test_models_that_cannot_be_read_are_an_error(replayed: Any, body: Any) -> None:
    with pytest.raises(ResponseFormatError):
        replayed(body).list_models()
