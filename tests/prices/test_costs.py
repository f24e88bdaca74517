"""Costs that are computed agree with those that a service reported, and stand in every answer."""

from __future__ import annotations

import json
from decimal import Decimal

import anyio
import pytest

from jackfield import ChatResponse, EmbeddingResponse
from jackfield_dialect_openai.testing import stream, whole
from jackfield_prices import price_model
from openai_dialect.replaying import sync
from openai_dialect.scope import failed, inside
from prices.making import provider
from support.recordings import WIRE, Turn

MAKERS = ("anthropic/", "google/", "openai/")
"""Makers whose models cost the same wherever the router sends a call."""

MILLION = Decimal(1_000_000)


def fees(turn: Turn) -> bool:
    """Whether something beside tokens of text and pictures was asked for: a search, or sound."""
    asked = json.dumps(turn.body)
    return any(w in asked for w in ('"plugins"', "web_search", ":online", "input_audio"))


def reported(turn: Turn) -> bool:
    """Whether the service said what *turn* cost."""
    return not failed(turn) and b'"cost":' in turn.payload


@pytest.mark.wire
@pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE")
def test_computed_costs_agree_with_those_that_openrouter_reported() -> None:
    pairs = {}
    for turn in filter(reported, inside("chat", providers=("openrouter",))):
        answer = sync(turn).result
        if fees(turn) or answer is None or not answer.model.startswith(MAKERS):
            continue
        pricing = price_model(provider="openrouter", model=answer.model)
        computed = pricing.cost(answer.usage).amount if pricing else None
        if computed is not None:
            assert answer.cost.source == "provider"
            pairs[str(turn)] = (computed, answer.cost.amount)
    assert len(pairs) >= 20
    # Recordings are of any age, and prices change: not every one agrees, but nearly all.
    apart = {t: p for t, p in pairs.items() if abs(p[0] - p[1]) > p[1] * Decimal("0.001")}
    assert len(apart) <= len(pairs) / 10, apart


PRICED = (4 * Decimal("0.15") + 16 * Decimal("0.075") + 9 * Decimal("0.6")) / MILLION
"""What the dialect's made-up usage costs: 20 tokens in, 16 of them from the cache, 9 out."""

SAID = whole({"content": "Hi"}, model="gpt-4o-mini-2024-07-18")


def test_a_whole_answer_has_its_cost() -> None:
    answer = provider("openai", json.dumps(SAID)).execute("gpt-4o-mini", "Hi")
    assert (answer.cost.amount, answer.cost.source) == (PRICED, "computed")


def test_a_streamed_answer_has_its_cost() -> None:
    streamed = stream({"content": "Hi"}).replace('"a-model"', '"gpt-4o-mini"')
    events = provider("openai", streamed).stream_execute("gpt-4o-mini", "Hi")
    assert "".join(map(str, events)) == "Hi"
    assert events.response.cost.amount == PRICED


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_answer_on_an_event_loop_has_its_cost(backend: str) -> None:
    made = provider("openai", json.dumps(SAID))
    answer: ChatResponse = anyio.run(made.aexecute, "gpt-4o-mini", "Hi", backend=backend)
    assert answer.cost.amount == PRICED


def test_vectors_have_their_cost() -> None:
    wire = {"data": [{"index": 0, "embedding": [0.5]}], "model": "text-embedding-3-small"}
    body = json.dumps({**wire, "usage": {"prompt_tokens": 1000, "total_tokens": 1000}})
    answer: EmbeddingResponse = provider("openai", body).embed("text-embedding-3-small", "Hi")
    assert answer.cost.amount == Decimal("0.00002")


@pytest.mark.parametrize("name", ["vllm", "lmstudio"])
def test_an_answer_of_ones_own_server_has_none(name: str) -> None:
    answer = provider(name, json.dumps(SAID)).execute("gpt-4o-mini", "Hi")
    assert (answer.cost.amount, answer.cost.source) == (None, "unknown")
