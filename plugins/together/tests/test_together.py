"""Together's own ways: sizes as width and height, prices in a bare list."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import create_provider
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.operations import ImageRequest
from jackfield_together import TogetherProvider

CONFIG = {"api_key": "made-up-key-1234"}


def asked(**fields: Any) -> Any:
    request = ImageRequest(model="flux", prompt="A pelican", **fields)
    return TogetherProvider(CONFIG).explain(request)


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_a_size_is_a_width_and_a_height(width: int, height: int) -> None:
    body = asked(size=f"{width}x{height}").body
    assert (body["width"], body["height"]) == (width, height)
    assert "size" not in body


@pytest.mark.parametrize("size", ["auto", "1024x", "x768", "axb"])
def test_a_size_in_other_words_goes_as_it_is(size: str) -> None:
    assert asked(size=size).body["size"] == size


def test_seed_and_what_not_to_paint_have_their_fields() -> None:
    plan = asked(seed=7, negative_prompt="rain", n=2)
    assert {"seed": 7, "negative_prompt": "rain", "n": 2}.items() <= plan.body.items()
    assert plan.warnings == ()


def test_the_list_is_bare_and_has_prices() -> None:
    body = [
        {
            "id": "a",
            "display_name": "A",
            "context_length": 8,
            "pricing": {"input": 0.2, "output": 0.6},
        },
        {"id": "b", "pricing": {"input": 0, "output": 0}},
    ]
    driver = ReplayDriver([Recorded(chunks=[json.dumps(body).encode()])])
    priced, unpriced = create_provider("together-ai", CONFIG, driver=driver).list_models()
    assert priced.pricing is not None
    assert (priced.pricing.input, priced.pricing.output) == (Decimal("0.2"), Decimal("0.6"))
    assert (priced.display_name, priced.context_window) == ("A", 8)
    assert unpriced.pricing is None
