"""Whatever is asked for, the bodies that are sent are as OpenAI and vLLM describe them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield import ChatRequest, EmbeddingRequest, create_provider
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.testing import strategies as jf
from openai_dialect.asking import ask
from openai_dialect.replaying import KEY
from openai_dialect.scope import BORROWED, OWN, inside
from openai_dialect.test_recorded_requests import reason
from support.recordings import Turn
from support.specs import needs_specs, request_errors

pytestmark = needs_specs
settings.register_profile(
    "described", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
DESCRIBED = settings.get_profile("described")

PROVIDERS = {
    name: create_provider(name, {"api_key": KEY, "base_url": "http://127.0.0.1:9/v1"})
    for name in OWN
}


def errors(name: str, path: str, body: Any) -> list[str]:
    """What the official description of *name* says against *body*."""
    return request_errors(name, "POST", f"/v1{path}", body, undeclared=True)


@pytest.mark.parametrize("name", OWN)
@given(request=jf.chat_requests(with_media=True))
@settings(DESCRIBED)
def test_a_chat_is_as_described(name: str, request: ChatRequest) -> None:
    body = PROVIDERS[name].explain(request).body
    assert errors(name, "/chat/completions", body) == []


@pytest.mark.parametrize("name", OWN)
@given(request=jf.chat_requests())
@settings(DESCRIBED)
def test_a_streamed_chat_is_as_described(name: str, request: ChatRequest) -> None:
    driver = ReplayDriver([Recorded(chunks=[b"data: [DONE]\n\n"])])
    provider = create_provider(name, {"api_key": KEY}, driver=driver)
    provider.stream(request).drain()
    (sent,) = driver.transport.requests
    body = json.loads(sent.body or b"")
    assert body["stream"] is True
    assert errors(name, "/chat/completions", body) == []


@pytest.mark.parametrize("name", OWN)
@given(
    inputs=st.lists(jf.texts(min_size=1), min_size=1, max_size=4),
    dimensions=st.none() | st.integers(1, 4096),
)
@settings(DESCRIBED)
def test_an_embedding_is_as_described(name: str, inputs: list[str], dimensions: int | None) -> None:
    request = EmbeddingRequest(model="e", inputs=inputs, dimensions=dimensions)
    assert errors(name, "/embeddings", PROVIDERS[name].explain(request).body) == []


SAID = [t for t in inside("chat", providers=OWN + BORROWED) if reason(t) is None]


@pytest.mark.wire
@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("turn", SAID or [None], ids=str)
def test_a_recorded_question_is_as_described_when_we_ask_it(turn: Turn | None, name: str) -> None:
    if turn is None:
        pytest.skip("no recordings: set JACKFIELD_WIRE")
    asked = ask(turn.body, "nobody")  # fields of one server's own are not described
    said = PROVIDERS[name].explain(asked.model, asked.prompt, asked.parameters, **asked.options)
    assert errors(name, "/chat/completions", said.body) == []
