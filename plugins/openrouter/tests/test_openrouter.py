"""OpenRouter's own ways: prices, abilities, credits, statistics, search, and who asks."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import anyio
import pytest

from jackfield import ContentFilterError, MediaPart, PermissionDeniedError, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.operations import TranscriptionRequest
from jackfield_openrouter import Credits, OpenRouterProvider

CONFIG = {"api_key": "made-up-key-1234", "retry": {"attempts": 1}}
MODELS = {"data": [
    {"id": "a/free-seer", "name": "Seer", "context_length": 8, "description": "Sees",
     "architecture": {"modality": "text+image->text", "input_modalities": ["text", "image"],
                      "output_modalities": ["text"]},
     "pricing": {"prompt": "0", "completion": "0"}, "supported_parameters": ["tools", "temperature"]},
    {"id": "b/writer", "name": "Writer", "top_provider": {"max_completion_tokens": 9},
     "pricing": {"prompt": "0.000002", "completion": "0.00001", "input_cache_read": "0.0000002"}},
    {"id": "openrouter/auto", "name": "Auto", "pricing": {"prompt": "-1", "completion": "-1"}},
]}  # fmt: skip


def recorded(body: Any, status: int = 200) -> Recorded:
    return Recorded(status=status, chunks=[json.dumps(body).encode()])


def router(*answers: Recorded, **config: Any) -> tuple[OpenRouterProvider, Any]:
    """A provider that *answers* answer, and its transport."""
    driver, loop = ReplayDriver(answers), AsyncReplayDriver(answers)
    made: Any = create_provider(
        "openrouter", {**CONFIG, **config}, driver=driver, async_driver=loop
    )
    return made, driver.transport


def test_prices_are_for_a_million_tokens_and_unknown_where_they_depend() -> None:
    seer, writer, auto = router(recorded(MODELS))[0].list_models()
    assert writer.pricing is not None
    assert (writer.pricing.input, writer.pricing.output) == (Decimal(2), Decimal(10))
    assert writer.pricing.cache_read == Decimal("0.2")
    assert seer.pricing is not None
    assert seer.pricing.input == 0
    assert auto.pricing is None


def test_what_a_model_can_is_what_is_told_and_else_unknown() -> None:
    seer, writer, _ = router(recorded(MODELS))[0].list_models()
    can = seer.capabilities
    assert (can.vision, can.tools, can.audio_input, can.reasoning) == (True, True, False, False)
    assert (writer.capabilities.vision, writer.capabilities.tools) == (None, None)
    assert (seer.context_window, writer.max_output_tokens) == (8, 9)


@pytest.mark.parametrize(
    ("words", "found"),
    [("free vision", ["a/free-seer"]), ("WRITER", ["b/writer"]), ("", 3), ("no such thing", [])],
)
def test_models_are_found_by_words(words: str, found: Any) -> None:
    ids = [m.id for m in router(recorded(MODELS))[0].search_models(words)]
    assert (len(ids) if isinstance(found, int) else ids) == found
    again = anyio.run(router(recorded(MODELS))[0].asearch_models, words)
    assert [m.id for m in again] == ids


def test_credits_are_exact_money() -> None:
    body = {"data": {"total_credits": 100.5, "total_usage": 25.75}}
    left = router(recorded(body))[0].credits()
    assert left == Credits(bought=Decimal("100.5"), used=Decimal("25.75"))
    assert left.left == Decimal("74.75")
    assert anyio.run(router(recorded(body))[0].acredits) == left


def test_statistics_of_a_generation_have_its_cost_and_times_in_seconds() -> None:
    body = {"data": {"id": "gen-1", "model": "b/writer", "provider_name": "B", "total_cost": 0.0015,
                     "native_tokens_prompt": 10, "native_tokens_completion": 25, "latency": 1250,
                     "generation_time": 1200, "finish_reason": "stop"}}  # fmt: skip
    provider, transport = router(recorded(body))
    found = provider.generation("gen-1&x=y")
    assert (found.cost.amount, found.cost.source) == (Decimal("0.0015"), "provider")
    assert (found.latency, found.duration, found.usage.output_tokens) == (1.25, 1.2, 25)
    assert transport.requests[0].url.endswith("/generation?id=gen-1%26x%3Dy")


def test_who_asks_is_told_in_headers() -> None:
    provider, _ = router(site_url="https://mine.example", app_name="Mine")
    headers = provider.explain("b/writer", "Hi").headers
    assert "http-referer" in headers
    assert "x-title" in headers


def test_routing_and_effort_go_along() -> None:
    own = {"openrouter": {"provider": {"sort": "price"}, "models": ["a", "b"]}}
    plan = router()[0].explain("b", "Hi", {"reasoning_effort": "high"}, provider_options=own)
    assert plan.body["provider"] == {"sort": "price"}
    assert plan.body["models"] == ["a", "b"]
    assert plan.body["reasoning_effort"] == "high"
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({"reasons": ["violence"], "flagged_input": "…"}, ContentFilterError),
        ({"provider_name": "B"}, PermissionDeniedError),
    ],
)
def test_a_403_is_the_filters_where_it_names_what_it_flagged(
    about: Any, kind: type[Exception]
) -> None:
    body = {"error": {"code": 403, "message": "No", "metadata": about}}
    with pytest.raises(kind) as caught:
        router(recorded(body, 403))[0].execute("b", "Hi")
    assert type(caught.value) is kind


def test_sound_travels_as_json() -> None:
    provider, transport = router(
        recorded({"text": "Hello", "usage": {"cost": 0.0006, "seconds": 6}})
    )
    asked = TranscriptionRequest(model="w", audio=MediaPart("audio/x-wav", b"RIFF"), prompt="Nila")
    answer = provider.run(asked)
    assert (answer.text, answer.duration, answer.cost.amount) == ("Hello", 6.0, Decimal("0.0006"))
    assert json.loads(transport.requests[0].body)["input_audio"]["format"] == "wav"
    assert [w.subject for w in answer.warnings] == ["prompt"]
