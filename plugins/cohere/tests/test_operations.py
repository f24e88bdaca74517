"""Embeddings of every form, rerank, tokens, models page by page, transcription, plain texts."""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    EmbeddingRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    ResponseFormatError,
    ToolCall,
)
from jackfield.operations import CompletionRequest

SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
VECTORS = st.lists(st.lists(SINGLE, min_size=2, max_size=2), min_size=1, max_size=3)


def embedded(stand: Any, forms: Any, count: int, **own: Any) -> Any:
    """The response whose embeddings are *forms*."""
    made = stand({"id": "e", "embeddings": forms, "meta": {"billed_units": {"input_tokens": 2}}})
    options = {"cohere": own}
    return made.provider.run(
        EmbeddingRequest(model="m", inputs=["x"] * count, provider_options=options)
    )


@given(vectors=VECTORS)
def test_a_vector_in_base64_is_the_same_vector(stand: Any, vectors: list[list[float]]) -> None:
    packed = [b64encode(struct.pack(f"<{len(v)}f", *v)).decode() for v in vectors]
    plain = embedded(stand, {"float": vectors}, len(vectors))
    coded = embedded(stand, {"base64": packed}, len(vectors))
    assert coded.vectors == plain.vectors == tuple(map(tuple, vectors))
    assert coded.provider_metadata["cohere"]["embeddings"] == {"base64": tuple(packed)}
    assert "embeddings" not in plain.provider_metadata["cohere"]


@given(numbers=st.lists(st.integers(-128, 127), min_size=1, max_size=9))
def test_small_integers_stay_integers_beside_the_vectors(stand: Any, numbers: list[int]) -> None:
    bits = [n % 256 for n in numbers]
    response = embedded(stand, {"int8": [numbers], "ubinary": [bits]}, 1)
    kept = response.provider_metadata["cohere"]["embeddings"]
    assert kept == {"int8": (tuple(numbers),), "ubinary": (tuple(bits),)}
    assert {type(n) for n in kept["int8"][0]} == {int}
    assert response.vectors == (tuple(map(float, numbers)),)


@pytest.mark.parametrize(
    "forms",
    [
        {"float": [[1.0]]},
        {"float": []},
        {},
        [],
        {"base64": ["AAAA", "AA=="]},
        {"int8": [[1.5], [2]]},
    ],
    ids=str,
)
def test_too_few_vectors_or_cut_ones_are_no_answer(stand: Any, forms: Any) -> None:
    with pytest.raises(ResponseFormatError):
        embedded(stand, forms, 2)


def test_images_are_counted_among_the_inputs(stand: Any) -> None:
    made = stand({"embeddings": {"float": [[1.0]]}})
    own = {"images": ["data:image/png;base64,AAAA"], "input_type": "image"}
    request = EmbeddingRequest(model="m", inputs=(), provider_options={"cohere": own})
    assert made.provider.run(request).vectors == ((1.0,),)
    assert made.bodies() == [{"model": "m", "embedding_types": ["float"], **own}]


def test_the_configuration_says_what_texts_are_for_unless_the_call_does(stand: Any) -> None:
    provider = stand(input_type="classification").provider
    request = EmbeddingRequest(model="m", inputs=["x"])
    assert provider.explain(request).body["input_type"] == "classification"
    own = {"cohere": {"input_type": "search_query"}}
    asked = EmbeddingRequest(model="m", inputs=["x"], provider_options=own)
    assert provider.explain(asked).body["input_type"] == "search_query"


@pytest.mark.parametrize(
    ("wanted", "wire"),
    [("query", "search_query"), ("document", "search_document"), ("clustering", "clustering")],
)
def test_what_vectors_are_for_is_said_in_the_apis_words(stand: Any, wanted: str, wire: str) -> None:
    for provider in (stand().provider, stand(input_type="image").provider):
        request = EmbeddingRequest(model="m", inputs=["x"], input_type=wanted)
        assert provider.explain(request).body["input_type"] == wire


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_ranking_is_the_best_first_whatever_order_came(stand: Any, scores: list[float]) -> None:
    results = [{"index": i, "relevance_score": s} for i, s in enumerate(scores)]
    made = stand({"id": "r", "results": results})
    ranked = made.provider.rerank("m", "q", [f"text {i}" for i in range(len(scores))]).results
    assert [r.score for r in ranked] == sorted(scores, reverse=True)
    assert all(r.document == f"text {r.index}" and scores[r.index] == r.score for r in ranked)


@pytest.mark.parametrize("index", [-1, 1])
def test_a_rank_of_no_document_is_no_answer(stand: Any, index: int) -> None:
    made = stand({"results": [{"index": index, "relevance_score": 0.5}]})
    with pytest.raises(ResponseFormatError):
        made.provider.rerank("m", "q", ["only one"])


@given(size=st.integers(0, 150_000))
def test_a_long_text_is_counted_in_pieces_that_the_api_takes(stand: Any, size: int) -> None:
    made = stand(*[{"tokens": [1, 2]}] * 3)
    counted = made.provider.count_tokens("m", [Message("user", "x" * size)])
    asked = [body["text"] for body in made.bodies()]
    assert "".join(asked) == "x" * size
    assert all(0 < len(text) <= 65536 for text in asked)
    assert (counted.input_tokens, counted.estimated) == (2 * len(asked), True)


def test_a_count_names_what_it_could_not_count(stand: Any) -> None:
    picture = MediaPart("image/png", b"\x89PNG")
    call = ToolCall("1", "add", '{"a": 1}')
    made = stand({"tokens": [1]})
    counted = made.provider.count_tokens(
        "m", [Message("user", [picture]), Message("assistant", [call])]
    )
    assert [w.subject for w in counted.warnings] == ["image/png", "count_tokens"]
    assert 'add {"a": 1}' in made.bodies()[0]["text"]


def test_models_are_read_page_by_page(stand: Any) -> None:
    pages = [{"models": [{"name": n}], "next_page_token": t} for n, t in [("a", "2"), ("b", "")]]
    made = stand(*pages)
    assert [m.id for m in made.provider.list_models()] == ["a", "b"]
    assert [r.url.partition("?")[2] for r in made.sent] == [
        "page_size=1000",
        "page_size=1000&page_token=2",
    ]


def test_a_list_of_models_that_comes_round_again_is_no_answer(stand: Any) -> None:
    made = stand(*[{"models": [], "next_page_token": "again"}] * 2)
    with pytest.raises(ResponseFormatError, match="comes round"):
        made.provider.list_models()


def test_a_model_can_do_what_its_endpoints_and_features_say(stand: Any) -> None:
    wire = {
        "name": "m",
        "endpoints": ["chat"],
        "features": ["tools", "vision"],
        "context_length": 9.0,
    }
    (model,) = stand({"models": [wire]}).provider.list_models()
    can = model.capabilities
    assert (can.streaming, can.tools, can.vision, can.reasoning, can.rerank) == (
        True,
        True,
        True,
        False,
        False,
    )
    assert model.context_window == 9
    (silent,) = stand({"models": [{"name": "m"}]}).provider.list_models()
    assert (silent.capabilities.tools, silent.capabilities.rerank) == (None, None)


@pytest.mark.parametrize(
    ("audio", "options"),
    [
        (MediaPart("audio/wav", url="https://example.com/a.wav"), {"language": "en"}),
        (MediaPart("audio/wav", b"RIFF"), {}),
    ],
    ids=["a URL", "no language"],
)
def test_a_transcription_that_the_api_would_refuse_is_not_sent(
    stand: Any, audio: MediaPart, options: Any
) -> None:
    made = stand()
    with pytest.raises(InvalidRequestError):
        made.provider.transcribe("m", audio, **options)
    assert made.sent == []


def test_a_transcription_warns_of_what_the_api_does_not_do(stand: Any) -> None:
    made = stand({"text": "Hello"})
    sound = MediaPart("audio/x-wav", b"RIFF")
    told = made.provider.transcribe("m", sound, language="en", prompt="names", timestamps="word")
    assert (told.text, told.language) == ("Hello", "en")
    assert [w.subject for w in told.warnings] == ["prompt", "timestamps"]
    assert b'filename="audio.wav"' in made.sent[0].body


def test_several_texts_to_one_prompt_are_alternatives(stand: Any) -> None:
    texts = [
        {"text": "one", "finish_reason": "COMPLETE"},
        {"text": "two", "finish_reason": "MAX_TOKENS"},
    ]
    made = stand({"id": "g", "generations": texts})
    own = {"cohere": {"num_generations": 2}}
    request = CompletionRequest(model="m", prompt="p", suffix="s", provider_options=own)
    answer = made.provider.run(request)
    assert (answer.text, [a.message.text for a in answer.alternatives]) == ("one", ["two"])
    assert answer.alternatives[0].raw_finish_reason == "MAX_TOKENS"
    assert [w.subject for w in answer.warnings] == ["suffix"]
