"""What is kept as JSON comes back as the same value, whatever it is."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ConfigError,
    ConfigIssue,
    Cost,
    EmbeddingResponse,
    InvalidRequestError,
    Message,
    ProviderError,
    RateLimitError,
    Secret,
    StreamInterruptedError,
    Timeout,
)
from jackfield.manager.encoding import decode, digest, dumps, encode
from jackfield.operations import ImageResponse, RerankRequest
from jackfield.testing import strategies as jf
from jackfield.types import MediaPart


def again(value: Any) -> Any:
    """*value*, after it was written as a line and read."""
    line = dumps(encode(value))
    assert "\n" not in line
    return decode(json.loads(line))


@given(st.one_of(jf.responses(), jf.chat_requests(with_media=True), jf.json_values()))
def test_values_come_back(value: Any) -> None:
    back = again(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        (1, [2, (3,)], {"$": "tuple", "items": [4]}, {5: b"\x00\xff", None: Decimal("0.10")}),
        datetime(2026, 1, 2, tzinfo=UTC),
        date(2026, 1, 2),
        math.inf,
        "\ud800 \u2028",
        EmbeddingResponse(vectors=((0.5, 1e-9),), cost=Cost(amount=Decimal("1.0E-7"))),
        ImageResponse(images=[MediaPart("image/png", b"\x89PNG")]),
        RerankRequest(model="m", query="q", documents=["a", "b"]),
    ],
    ids=repr,
)
def test_what_json_does_not_have_comes_back(value: Any) -> None:
    assert again(value) == value


def test_no_number_is_lost() -> None:
    assert math.isnan(again(math.nan))
    assert again(10**30) == 10**30


@given(jf.responses())
def test_errors_come_back_with_their_facts(partial: Any) -> None:
    broken = StreamInterruptedError("it broke", provider="p", status=200, request_id="r")
    broken.partial = partial
    back = again(broken)
    assert type(back) is StreamInterruptedError
    assert str(back) == str(broken)
    assert back.__dict__ == broken.__dict__


def test_errors_are_kept_whatever_they_carry() -> None:
    odd = RateLimitError("slow", retry_after=2.5)
    odd.__dict__["response"] = object()
    back = again(odd)
    assert (type(back), back.message, back.retry_after) == (RateLimitError, "slow", 2.5)
    listed = again(ConfigError("bad:", [ConfigIssue("a", "is b", "write c")]))
    assert listed.issues == (ConfigIssue("a", "is b", "write c"),)


@pytest.mark.parametrize(
    "value", [object(), Secret("made-up"), {1, 2}, print], ids=lambda v: type(v).__name__
)
def test_what_cannot_be_written_down_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be written down"):
        encode({"a": [value]})


@pytest.mark.parametrize(
    "name", ["os:system", "subprocess:Popen", "jackfield.types:_parts", "no:x"]
)
def test_nothing_but_values_is_made_of_a_line(name: str) -> None:
    with pytest.raises(ValueError, match="there is no"):
        decode({"$": name, "args": ["true"]})


@given(jf.chat_requests(), st.data())
def test_requests_with_the_same_answer_have_the_same_digest(request: Any, data: Any) -> None:
    aside = evolve(request, timeout=Timeout(total=7), strict=True, metadata={"tags": ["a"]})
    assert digest(aside) == digest(request)
    more = evolve(request, messages=(*request.messages, Message("user", data.draw(jf.texts()))))
    assert digest(more) != digest(request)
    assert digest(evolve(request, model=request.model + "x")) != digest(request)


def test_a_providers_error_of_another_class_comes_back_as_it_is() -> None:
    assert type(again(ProviderError("no", code="x"))) is ProviderError
