"""An answer of a provider's own batch costs its published share of what a single call costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import LLMProvider
from prices.making import provider

ROOT = "https://api.anthropic.com"
Service = tuple[str, str, dict[str, Any], Callable[[int, int], Any], Callable[[Any], list[Any]]]
"""Provider, model, settings; an answer with its tokens; a batch of it, as the service tells it."""


def _openai(read: int, written: int) -> Any:
    usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    said = {"message": {"role": "assistant", "content": "Nila"}, "finish_reason": "stop"}
    return {"model": "gpt-4o-mini", "choices": [said], "usage": usage}


def _openai_batch(said: Any) -> list[Any]:
    line = {"custom_id": "a", "response": {"status_code": 200, "body": said}}
    return [{"id": "b", "status": "completed", "output_file_id": "f"}, line]


def _claude(read: int, written: int) -> Any:
    content = [{"type": "text", "text": "Nila"}]
    usage = {"input_tokens": read, "output_tokens": written}
    return {
        "model": "claude-sonnet-4-5", "content": content, "stop_reason": "end_turn", "usage": usage,
    }  # fmt: skip


def _claude_batch(said: Any) -> list[Any]:
    line = {"custom_id": "a", "result": {"type": "succeeded", "message": said}}
    return [{"id": "b", "results_url": f"{ROOT}/v1/messages/batches/b/results"}, line]


def _gemini(read: int, written: int) -> Any:
    usage = {"promptTokenCount": read, "candidatesTokenCount": written}
    said = {"content": {"parts": [{"text": "Nila"}]}, "finishReason": "STOP"}
    return {"candidates": [said], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}


def _gemini_batch(said: Any) -> list[Any]:
    inlined = {"inlinedResponses": [{"response": said, "metadata": {"key": "a"}}]}
    ended = {"state": "BATCH_STATE_SUCCEEDED", "output": {"inlinedResponses": inlined}}
    return [{"name": "batches/b", "metadata": ended}]


AZURE = {"base_url": "https://r.openai.azure.com"}
SERVICES: list[Service] = [
    ("openai", "gpt-4o-mini", {}, _openai, _openai_batch),
    ("azure", "gpt-4o-mini", AZURE, _openai, _openai_batch),
    ("claude", "claude-sonnet-4-5", {}, _claude, _claude_batch),
    ("gemini", "gemini-2.5-flash", {}, _gemini, _gemini_batch),
]


def answering(name: str, configured: dict[str, Any], *answers: Any) -> LLMProvider:
    return provider(name, *map(json.dumps, answers), **configured)


@pytest.mark.parametrize("service", SERVICES, ids=[s[0] for s in SERVICES])
@settings(deadline=None)  # the first example loads the plugins
@given(read=st.integers(0, 10**6), written=st.integers(0, 10**5))
def test_a_batchs_answer_costs_its_share(service: Service, read: int, written: int) -> None:
    name, model, configured, answer, batch = service
    said = answer(read, written)
    single = answering(name, configured, said).execute(model, "Hi")
    backend = answering(name, configured, *batch(said))
    (found,) = backend.batch_results("batches/b" if name == "gemini" else "b")
    assert single.cost.source == found.response.cost.source == "computed"
    assert single.cost.amount is not None
    assert backend.batch_share is not None
    assert found.response.cost.amount == single.cost.amount * backend.batch_share
    assert found.response.usage == single.usage


def test_where_no_share_is_published_the_cost_is_unknown() -> None:
    configured = {"base_url": "https://service.example/v1"}
    backend = answering("openai-compatible", configured, *_openai_batch(_openai(9, 9)))
    (found,) = backend.batch_results("b")
    assert (found.response.cost.amount, found.response.cost.source) == (None, "unknown")
