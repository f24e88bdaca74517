"""Rates are read as people write them, and refused with what to write instead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.manager.settings import LimitSettings
from jackfield.middleware.rates import MOST, Rate, limit_issues, parse_rate

UNITS = {
    "second": 1, "sec": 1, "s": 1,
    "minute": 60, "min": 60, "m": 60,
    "hour": 3600, "h": 3600,
    "day": 86400, "d": 86400,
}  # fmt: skip


@given(st.integers(1, MOST), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_a_rate_is_an_amount_in_a_unit(amount: int, unit: str, space: str) -> None:
    for text in (f"{amount}{space}/{space}{unit}", f"{space}{amount:_}/{unit}{space}"):
        assert parse_rate(text) == Rate(amount, UNITS[unit])


@given(st.builds(Rate, st.integers(1, MOST), st.sampled_from([1, 60, 3600, 86400])))
def test_what_a_rate_prints_is_read_as_itself(rate: Rate) -> None:
    assert parse_rate(str(rate)) == rate


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (100, "must have a unit"),
        (1.5, "must have a unit"),
        (True, "must be text, not bool"),
        (None, "must be text, not NoneType"),
        (["100/minute"], "must be text, not list"),
        ("", "must be a rate"),
        ("100", "must be a rate"),
        ("/minute", "must be a rate"),
        ("100/", "must be a rate"),
        ("100/minute/hour", "must be a rate"),
        ("100/min 5/s", "must be a rate"),
        ("-5/minute", "must be a rate"),
        ("1.5/minute", "must be a rate"),
        ("1e9/minute", "must be a rate"),
        ("nan/minute", "must be a rate"),
        ("inf/s", "must be a rate"),
        ("١٠/minute", "must be a rate"),
        ("100/fortnight", "unknown unit 'fortnight'"),
        ("0/minute", "must be from 1"),
        (f"{MOST + 1}/day", "must be from 1"),
        ("9" * 5000 + "/day", "must be from 1"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(wrong: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_rate(wrong)
    assert '"100/minute"' in str(caught.value)
    assert len(str(caught.value)) < 250


@given(st.text() | st.integers() | st.floats() | st.none() | st.binary())
def test_no_input_is_anything_but_a_rate_or_a_plain_refusal(anything: Any) -> None:
    try:
        rate = parse_rate(anything)
    except ValueError:
        return
    assert 1 <= rate.amount <= MOST


def test_limits_are_checked_all_at_once_with_where_each_stands() -> None:
    wrong: Any = {
        "requests": "100",
        "tokens": "many/minute",
        "concurrency": 0,
        "wait": float("nan"),
        "models": {"m": LimitSettings(requests="0/s", models={"n": LimitSettings()})},
    }
    issues = list(limit_issues("limits", LimitSettings(**wrong)))
    assert [issue.path for issue in issues] == [
        "limits.requests",
        "limits.tokens",
        "limits.concurrency",
        "limits.wait",
        'limits.models."m".requests',
        'limits.models."m".models',
    ]
    assert all(issue.problem and issue.fix for issue in issues)


def test_limits_that_are_right_have_no_issues() -> None:
    fine = LimitSettings(requests="5/s", tokens="1_000/min", concurrency=3, wait=0)
    assert not list(limit_issues("limits", fine))
