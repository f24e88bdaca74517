"""Vectors: of one text, of several, and of more than one request takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    EmbeddingRequest,
    InvalidRequestError,
    RateLimitError,
    ResponseFormatError,
    UnsupportedOperationError,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.testing import strategies as jf
from jackfield_gemini import GeminiProvider
from jackfield_gemini.operations.embeddings import MOST, TASKS

MODEL = "gemini-embedding-001"
SEVERAL = st.integers(2, 3 * MOST + 5)


def answer(texts: list[str], **more: Any) -> dict[str, Any]:
    """A vector for each of *texts*, which says which it is of; one alone has an answer of its own."""
    vectors = [{"values": [float(t), 0.5]} for t in texts]
    return {**({"embedding": vectors[0]} if len(vectors) == 1 else {"embeddings": vectors}), **more}


def numbered(count: int) -> list[str]:
    return [str(at) for at in range(count)]


def parts(texts: list[str]) -> list[list[str]]:
    return [texts[at : at + MOST] for at in range(0, len(texts), MOST)]


def each(body: Any) -> list[Any]:
    """What a request asks for each of its texts."""
    return list(body.get("requests") or [body])


def said(body: Any) -> list[str]:
    """The texts that a request has."""
    return [p["text"] for asked in each(body) for p in asked["content"]["parts"]]


@given(count=SEVERAL)
def test_any_number_of_texts_has_its_vectors_in_order(stand: Any, count: int) -> None:
    texts = numbered(count)
    made = stand(*map(answer, parts(texts)))
    found = made.provider.embed(MODEL, texts)
    assert [vector[0] for vector in found.vectors] == [float(t) for t in texts]
    assert [said(body) for body in made.bodies()] == parts(texts)
    verbs = ["embedContent" if len(p) == 1 else "batchEmbedContents" for p in parts(texts)]
    assert [request.url.rpartition(":")[2] for request in made.sent] == verbs


@given(count=SEVERAL, kind=st.sampled_from([None, *TASKS, "CODE_RETRIEVAL_QUERY"]))
def test_every_part_is_asked_for_alike(stand: Any, count: int, kind: str | None) -> None:
    texts = numbered(count)
    made = stand(*map(answer, parts(texts)))
    made.provider.embed(MODEL, texts, input_type=kind, dimensions=128)
    wanted = {"model": f"models/{MODEL}", "outputDimensionality": 128}
    if kind is not None:
        wanted["taskType"] = TASKS.get(kind, kind)
    for asked in (a for body in made.bodies() for a in each(body)):
        assert {k: v for k, v in asked.items() if k != "content"} == wanted


@given(counts=st.lists(st.integers(0, 10**6), min_size=2, max_size=4))
def test_usage_is_that_of_all_requests(stand: Any, counts: list[int]) -> None:
    texts = numbered(MOST * len(counts))
    told = [{"promptTokenCount": n, "totalTokenCount": n} for n in counts]
    both = zip(parts(texts), told, strict=True)
    made = stand(*(answer(some, usageMetadata=used) for some, used in both))
    usage = made.provider.embed(MODEL, texts).usage
    assert (usage.input_tokens, usage.total_tokens) == (sum(counts), sum(counts))
    assert usage.raw == {"requests": told}


def test_what_one_request_does_not_tell_is_unknown(stand: Any) -> None:
    texts = numbered(MOST + 1)
    first, second = parts(texts)
    made = stand(answer(first, usageMetadata={"promptTokenCount": 9}), answer(second))
    assert made.provider.embed(MODEL, texts).usage.input_tokens is None


@given(count=SEVERAL, lacking=st.integers(1, 3))
def test_too_few_vectors_are_no_answer(stand: Any, count: int, lacking: int) -> None:
    texts = numbered(count)
    *whole, last = parts(texts)
    fewer = {"embeddings": answer(last)["embeddings"][lacking:]} if len(last) > 1 else {}
    made = stand(*map(answer, whole), fewer)
    with pytest.raises(ResponseFormatError, match="vectors"):
        made.provider.embed(MODEL, texts)


def test_a_failure_in_between_is_the_calls_own() -> None:
    texts = numbered(MOST * 3)
    first, *_ = parts(texts)
    told = {"error": {"code": 429, "message": "Later", "status": "RESOURCE_EXHAUSTED"}}
    driver = ReplayDriver(
        [
            Recorded(chunks=[json.dumps(answer(first)).encode()]),
            Recorded(status=429, chunks=[json.dumps(told).encode()]),
        ]
    )
    provider = GeminiProvider({"api_key": "made-up", "retry": {"attempts": 1}}, driver=driver)
    with pytest.raises(RateLimitError, match="Later"):
        provider.embed(MODEL, texts)
    assert len(driver.transport.requests) == 2


@given(text=jf.texts())
def test_one_text_has_a_request_of_its_own(stand: Any, text: str) -> None:
    made = stand({"embedding": {"values": [1, -0.5]}})
    assert made.provider.embed(MODEL, text).vectors == ((1.0, -0.5),)
    (body,) = made.bodies()
    assert body["content"] == {"parts": [{"text": text}]}
    assert made.sent[0].url.endswith(f"/models/{MODEL}:embedContent")


def test_several_requests_cannot_be_shown_as_one(stand: Any) -> None:
    request = EmbeddingRequest(model=MODEL, inputs=numbered(MOST + 1))
    with pytest.raises(UnsupportedOperationError, match="several requests"):
        stand().provider.explain(request)
    plan = stand().provider.explain(EmbeddingRequest(model=MODEL, inputs=numbered(MOST)))
    assert len(plan.body["requests"]) == MOST


def test_the_callers_own_fields_are_in_each_request(stand: Any) -> None:
    texts = numbered(MOST + 1)
    made = stand(*map(answer, parts(texts)))
    made.provider.embed(MODEL, texts, provider_options={"gemini": {"title": "Birds"}})
    assert all(a["title"] == "Birds" for body in made.bodies() for a in each(body))


def test_a_request_of_nonsense_is_refused_before_anything_is_sent(stand: Any) -> None:
    made = stand()
    with pytest.raises(InvalidRequestError):
        made.provider.embed(MODEL, ["a"], provider_options={"gemini": {"title": object()}})
    assert made.sent == []
