"""What models cost: known models have prices, unknown ones none, and costs follow the counts."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import data_snapshot
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import jackfield_prices
from jackfield import Pricing, Usage
from jackfield.plugins import PluginManager
from jackfield_prices import SERVICES, price_model

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

MILLION = Decimal(1_000_000)
COUNTS = st.integers(0, 10_000_000)
SNAPSHOT = data_snapshot.get_snapshot()


def listed() -> list[tuple[str, str]]:
    """Our provider and the model of everything that the library lists."""
    services = {theirs: ours for ours, theirs in SERVICES.items()}
    return [
        (services[p.id], m.id) for p in SNAPSHOT.providers if p.id in services for m in p.models
    ]


LISTED = listed()
MODELS = st.sampled_from(LISTED)


def priced(provider: str, model: str) -> Pricing | None:
    found: Pricing | None = price_model(provider=provider, model=model)
    return found


@given(model=MODELS, input_tokens=COUNTS, output_tokens=COUNTS)
def test_a_cost_is_what_the_library_says(
    model: tuple[str, str], input_tokens: int, output_tokens: int
) -> None:
    pricing = priced(*model)
    assume(pricing is not None)
    assert pricing is not None
    cost = pricing.cost(Usage(input_tokens=input_tokens, output_tokens=output_tokens))
    counted = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    told = SNAPSHOT.calc(counted, model[1], SERVICES[model[0]], None, None)
    assert (cost.amount, cost.source, cost.currency) == (told.total_price, "computed", "USD")


@given(
    model=MODELS, small=COUNTS, more=COUNTS, output=COUNTS, further=COUNTS, cached=st.integers(0, 9)
)
def test_more_tokens_never_cost_less(
    model: tuple[str, str], small: int, more: int, output: int, further: int, cached: int
) -> None:
    pricing = priced(*model)
    assume(pricing is not None)
    assert pricing is not None
    read = small * cached // 9
    less = Usage(input_tokens=small, output_tokens=output, cache_read_tokens=read)
    greater = Usage(
        input_tokens=small + more, output_tokens=output + further, cache_read_tokens=read
    )
    costs = [pricing.cost(usage).amount for usage in (less, greater)]
    assert costs[0] is not None
    assert costs[1] is not None
    assert 0 <= costs[0] <= costs[1]


@given(model=MODELS)
def test_the_prices_shown_are_those_of_a_short_call(model: tuple[str, str]) -> None:
    pricing = priced(*model)
    assume(pricing is not None)
    assert pricing is not None
    cost = pricing.cost(Usage(input_tokens=10, output_tokens=7)).amount
    assert cost == (10 * pricing.input + 7 * pricing.output) / MILLION


def test_a_million_tokens_of_a_known_model_cost_its_price() -> None:
    pricing = priced("openai", "gpt-4o-mini")
    assert pricing is not None
    assert (pricing.input, pricing.output) == (Decimal("0.15"), Decimal("0.6"))
    assert pricing.source.startswith("genai-prices ")
    usage = Usage(input_tokens=1_000_000, output_tokens=0, cache_read_tokens=1_000_000)
    assert pricing.cost(usage).amount == pricing.cache_read


def test_a_long_prompt_has_the_price_of_its_tier() -> None:
    pricing = priced("gemini", "gemini-2.5-pro")
    assert pricing is not None
    short, long = (
        pricing.cost(Usage(input_tokens=n, output_tokens=0)).amount for n in (100_000, 400_000)
    )
    assert short is not None
    assert long is not None
    assert long > 4 * short


def test_an_hour_in_claudes_cache_has_its_own_price() -> None:
    pricing = priced("claude", "claude-sonnet-4-5")
    assert pricing is not None
    written: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 0, "cache_write_tokens": 1000}
    hour = {"cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 0}}
    usual, longer = pricing.cost(Usage(**written)), pricing.cost(Usage(**written, raw=hour))
    assert usual.amount == Decimal(1000) * (pricing.cache_write or 0) / MILLION
    assert longer.amount == Decimal(1000) * pricing.input * 2 / MILLION


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "no-such-model"),
        ("openai", ""),
        ("ollama", "gpt-4o"),
        ("vllm", "meta-llama/Llama-3.3-70B-Instruct"),
        ("openai-compatible", "gpt-4o"),
        ("", "gpt-4o"),
        ("openai", "whisper-1"),
    ],
)
def test_what_is_not_known_has_no_price(provider: str, model: str) -> None:
    assert priced(provider, model) is None


@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(input_tokens=5),
        Usage(output_tokens=5),
        Usage(input_tokens=5, output_tokens=1, cache_read_tokens=9),
    ],
)
def test_counts_that_say_too_little_or_contradict_themselves_have_no_cost(usage: Usage) -> None:
    pricing = priced("openai", "gpt-4o")
    assert pricing is not None
    cost = pricing.cost(usage)
    assert (cost.amount, cost.source) == (None, "unknown")


def test_vectors_cost_their_input_alone() -> None:
    pricing = priced("openai", "text-embedding-3-small")
    assert pricing is not None
    assert pricing.cost(Usage(input_tokens=1_000_000)).amount == Decimal("0.02")


@pytest.fixture
def loaded() -> PluginManager:
    manager = PluginManager()
    manager.load_plugins()
    return manager


def test_it_is_found_once_plugins_are_loaded(loaded: PluginManager) -> None:
    assert loaded.get_plugin("prices") is jackfield_prices
    found = loaded.hook.price_model(provider="openai", model="gpt-4o")
    assert found == priced("openai", "gpt-4o")


def test_nothing_is_downloaded_and_the_library_waits_for_the_first_question() -> None:
    child = """
import socket, sys
def refuse(*_): raise OSError("no network")
socket.socket.connect = socket.getaddrinfo = refuse
import jackfield_prices
assert not any(name.startswith("genai_prices") for name in sys.modules)
print(jackfield_prices.price_model(provider="claude", model="claude-sonnet-4-5").input)
"""
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"


@given(provider=st.sampled_from([*SERVICES, "elsewhere"]), model=st.text())
def test_whatever_a_model_is_called_is_no_error(provider: str, model: str) -> None:
    found = priced(provider, model)
    assert found is None or found.input >= 0


def test_a_model_is_looked_for_once_in_an_edition_of_the_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, asked = data_snapshot.get_snapshot(), []

    class Edition:
        timestamp, from_auto_update = before.timestamp, False

        def find_provider_model(self, model: str, *rest: Any) -> Any:
            asked.append(model)
            return before.find_provider_model(model, *rest)

    for _ in range(2):
        edition = Edition()
        monkeypatch.setattr(data_snapshot, "get_snapshot", lambda found=edition: found)
        first = price_model("openai", "gpt-4o")
        assert first is not None
        for _ in range(3):
            assert price_model("openai", "gpt-4o") == first
            assert price_model("openai", "nobody-knows-it") is None
    assert asked == ["gpt-4o", "nobody-knows-it"] * 2
