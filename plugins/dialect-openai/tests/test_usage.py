"""What servers count and charge is read as inclusive totals, and unknown stays unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import Cost, Usage
from jackfield.testing import strategies as jf

COUNT = st.integers(0, 10**7)


def usage_of(replayed: Any, wire: Any) -> Any:
    """What an answer with the usage *wire* says about usage and cost."""
    body = {"id": "c", "choices": [{"message": {"content": "x"}}], "usage": wire}
    answer = replayed(body).execute("m", "Hi")
    return answer.usage, answer.cost


@given(given=COUNT, made=COUNT, thought=COUNT, cached=COUNT, apart=st.booleans())
def test_totals_include_reasoning_wherever_a_server_counts_it(
    replayed: Any, given: int, made: int, thought: int, cached: int, apart: bool
) -> None:
    told = made if apart else made + thought
    wire = {
        "prompt_tokens": given + cached,
        "completion_tokens": told,
        "total_tokens": given + cached + made + thought,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    usage, _ = usage_of(replayed, wire)
    assert usage == Usage(
        input_tokens=given + cached,
        output_tokens=made + thought,
        cache_read_tokens=cached,
        reasoning_tokens=thought,
        raw=wire,
    )
    assert usage.total_tokens == wire["total_tokens"]


def test_without_a_total_reasoning_is_apart_only_where_it_cannot_be_inside(replayed: Any) -> None:
    for made, output in ((10, 10), (2, 9)):
        details = {"reasoning_tokens": 7}
        wire = {"prompt_tokens": 1, "completion_tokens": made, "completion_tokens_details": details}
        usage, _ = usage_of(replayed, wire)
        assert usage.output_tokens == output


@pytest.mark.parametrize(
    "wire",
    [
        {"prompt_tokens_details": {"cached_tokens": 3}},
        {"cached_tokens": 3},
        {"prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 4},
    ],
)
def test_cached_tokens_have_several_names(replayed: Any, wire: dict[str, Any]) -> None:
    usage, _ = usage_of(replayed, {"prompt_tokens": 7, **wire})
    assert (usage.input_tokens, usage.cache_read_tokens) == (7, 3)


def test_tokens_written_to_a_cache_are_told_apart(replayed: Any) -> None:
    details = {"cached_tokens": 0, "cache_write_tokens": 5}
    usage, _ = usage_of(replayed, {"prompt_tokens": 7, "prompt_tokens_details": details})
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (0, 5)


@pytest.mark.parametrize("wire", [None, {}])
def test_what_was_not_reported_is_unknown_and_not_zero(replayed: Any, wire: Any) -> None:
    usage, cost = usage_of(replayed, wire)
    assert usage == Usage()
    assert usage.total_tokens is None
    assert cost == Cost()


@given(wire=st.dictionaries(st.sampled_from(
    ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details",
     "completion_tokens_details", "cached_tokens", "cost", "queue_time"]
), jf.json_values(), max_size=6))  # fmt: skip
def test_odd_usage_never_breaks_an_answer(replayed: Any, wire: dict[str, Any]) -> None:
    usage, _ = usage_of(replayed, wire)
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
    assert all(c is None or (type(c) is int and c >= 0) for c in counts)
    assert usage.raw == wire


@given(amount=st.integers(0, 10**9))
def test_a_cost_that_the_server_reports_is_exact(replayed: Any, amount: int) -> None:
    dollars = Decimal(amount).scaleb(-7)
    _, cost = usage_of(replayed, {"prompt_tokens": 1, "cost": float(dollars)})
    assert cost == Cost(amount=cost.amount, source="provider")
    assert cost.amount == dollars


def test_a_stream_reports_its_cost_too(replayed: Any) -> None:
    end = {"id": "c", "choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}
    told = {"id": "c", "choices": [], "usage": {"prompt_tokens": 1, "cost": 0.25}}
    answer = replayed([end, told]).stream_execute("m", "Hi").drain()
    assert answer.cost == Cost(amount=Decimal("0.25"), source="provider")
