"""Embeddings of the demo model: pooled, of length one, and the same alone or among others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import ContextLengthExceededError, InvalidRequestError
from jackfield_llamacpp import LlamaCppProvider

Make = Callable[..., LlamaCppProvider]
MODEL = "tiny-demo"
TEXTS = st.lists(
    st.text("abc de é漢\n", min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=5
)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_there_is_one_vector_of_length_one_for_each_text(local: LlamaCppProvider) -> None:
    made = local.embed(MODEL, ["a fox", "an owl in a tree", "7"])
    assert [len(vector) for vector in made.vectors] == [128, 128, 128]
    assert all(math.isclose(cosine(v, v), 1, abs_tol=1e-5) for v in made.vectors)
    assert made.usage.input_tokens is not None
    assert made.usage.input_tokens >= 3
    assert (made.model, made.warnings) == (MODEL, ())


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=TEXTS)
def test_a_text_has_the_same_vector_alone_and_among_others(
    local: LlamaCppProvider, texts: list[str]
) -> None:
    together = local.embed(MODEL, texts).vectors
    for text, vector in zip(texts, together, strict=True):
        (alone,) = local.embed(MODEL, text).vectors
        assert cosine(alone, vector) > 0.9999


def test_a_thing_is_nearer_to_itself_than_to_something_else(local: LlamaCppProvider) -> None:
    fox, same, other = local.embed(MODEL, ["a brave fox", "a brave fox", "{}"]).vectors
    assert cosine(fox, same) > 0.9999
    assert cosine(fox, other) < 0.9


def test_pooling_is_obeyed(make: Make) -> None:
    mean, last = (
        make(pooling=way).embed(MODEL, "a fox and an owl").vectors[0] for way in ("mean", "last")
    )
    assert cosine(mean, last) < 0.999


def test_an_empty_text_and_one_that_is_too_long_are_refused_by_their_number(
    local: LlamaCppProvider,
) -> None:
    with pytest.raises(InvalidRequestError, match="input 1 is empty"):
        local.embed(MODEL, ["a fox", ""])
    with pytest.raises(ContextLengthExceededError, match=r"input 1 has 3,\d\d\d tokens"):
        local.embed(MODEL, ["a fox", "story " * 3000])


def test_a_wish_for_another_size_of_vectors_is_answered_with_a_warning(
    local: LlamaCppProvider,
) -> None:
    made = local.embed(MODEL, "a fox", dimensions=64)
    assert [warning.subject for warning in made.warnings] == ["dimensions"]
    with pytest.raises(InvalidRequestError, match="dimensions"):
        local.embed(MODEL, "a fox", dimensions=64, strict=True)


def test_embedding_does_not_disturb_a_chat(local: LlamaCppProvider) -> None:
    stream = local.stream_execute(MODEL, "Tell me a story.", {"temperature": 0})
    first = str(next(stream))
    assert local.embed(MODEL, "a fox").vectors
    assert len(first + stream.drain().text) > 150
