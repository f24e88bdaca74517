"""The cache and the budgets of a policy in a simulation: the real ones, in virtual time, the same for the same seed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.simulate import (
    Report,
    compare_reports,
    load_scenario,
    read_policy,
    read_trace,
    run_simulation,
    to_html,
)

ROUTES = """
[providers.one]
[providers.two]
[routes.main]
targets = ["one/m", "two/m"]
"""
PRICED = {name: {"price": {"input": 3, "output": 15}} for name in ("one", "two")}
TRAFFIC = "poisson:rate=1,duration=20m,repeat=0.6,prompts=20"


def simulated(
    folder: Path, text: str = "", trace: str = TRAFFIC, backends: Any = PRICED, **options: Any
) -> Report:
    path = folder / "routes.toml"
    path.write_text(ROUTES + text, "utf-8")
    policy, scenario = read_policy(path, {}), load_scenario({"backends": backends})
    options = {"route": "main", "seed": 3, **options}
    return run_simulation(policy, scenario, read_trace(trace, options["seed"]), **options)


def test_what_was_asked_before_costs_nothing_and_reaches_nobody(tmp_path: Path) -> None:
    without, kept = simulated(tmp_path), simulated(tmp_path, "[cache]")
    assert without.cached is None
    assert kept.cached is not None
    assert kept.cached > kept.calls / 3
    assert kept.requests + kept.cached == kept.calls == kept.successes
    assert kept.cost < without.cost
    assert kept.first is not None
    assert without.first is not None
    assert kept.first.p50 < without.first.p50


def test_calls_without_a_prompt_in_common_are_all_made(tmp_path: Path) -> None:
    traffic = "poisson:rate=1,duration=5m,spread=0"
    without, kept = simulated(tmp_path, trace=traffic), simulated(tmp_path, "[cache]", traffic)
    assert kept.cached == 0
    assert (kept.total, kept.cost) == (without.total, without.cost)


def test_an_answer_is_kept_for_as_long_as_the_file_says(tmp_path: Path) -> None:
    trace = tmp_path / "calls.jsonl"
    call = {"input_tokens": 9, "output_tokens": 9, "prompt": "hello"}
    trace.write_text("\n".join(json.dumps({"at": at, **call}) for at in (0, 50, 120)), "utf-8")
    cached = [simulated(tmp_path, f"[cache]\nttl = {ttl}", str(trace)).cached for ttl in (60, 600)]
    assert cached == [1, 2]


def test_a_cache_on_disk_is_left_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "cache.sqlite3"
    simulated(tmp_path, f'[cache]\nstore = "disk"\npath = "{place.as_posix()}"')
    assert not place.exists()


@settings(max_examples=15, deadline=None)
@given(cents=st.integers(1, 200), seed=st.integers(0, 99))
def test_a_hard_budget_is_never_exceeded_and_a_soft_one_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, cents: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("budget")
    table = f'[[budgets]]\nlimit = {cents / 100}\nper = "total"\n'
    traffic = "poisson:rate=1,duration=5m"
    free = simulated(folder, "", traffic, seed=seed)
    hard = simulated(folder, table, traffic, seed=seed)
    soft = simulated(folder, f"{table}hard = false\n", traffic, seed=seed)
    assert hard.cost <= Decimal(cents) / 100
    assert (hard.refused_by_budgets == 0) == (hard.cost == free.cost)
    assert hard.failed == hard.failures.get("QuotaExceededError", 0)
    assert (soft.cost, soft.total, soft.refused_by_budgets) == (free.cost, free.total, 0)
    assert bool(soft.over_budget) == bool(hard.refused_by_budgets)


def test_a_budget_begins_anew_with_its_period(tmp_path: Path) -> None:
    found = simulated(
        tmp_path, '[[budgets]]\nlimit = 0.5\nper = "hour"', "poisson:rate=1,duration=3h"
    )
    assert [h.cost > Decimal("0.4") for h in found.hours] == [True] * 3
    assert found.refused_by_budgets


def test_tags_and_prices_are_what_budgets_go_by(tmp_path: Path) -> None:
    trace = tmp_path / "calls.jsonl"
    call = {"input_tokens": 90, "output_tokens": 90, "max_tokens": 90}
    lines = [{"at": n, "tags": ["team"] if n % 2 else [], **call} for n in range(6)]
    trace.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    tagged = '[[budgets]]\nlimit = 0.000001\ntag = "team"\n'
    found = simulated(tmp_path, tagged, str(trace))
    assert (found.successes, found.failures) == (3, {"QuotaExceededError": 3})
    (doubt,) = simulated(tmp_path, tagged, "poisson:rate=1,duration=1m").warnings
    assert doubt == "budgets[0]: no call of the trace has the tag team"
    unpriced = {"one": {}, "two": {}}
    strict = f'{tagged}unpriced = "refuse"'
    assert simulated(tmp_path, strict, str(trace), unpriced).successes == 3
    assert simulated(tmp_path, tagged, str(trace), unpriced).successes == 6


def test_the_same_seed_gives_the_same_page_and_report(tmp_path: Path) -> None:
    policy = '[cache]\nttl = 300\n[[budgets]]\nlimit = 0.3\nper = "hour"'
    pages, reports = zip(
        *((to_html([r]), r.to_json()) for r in (simulated(tmp_path, policy) for _ in range(2))),
        strict=True,
    )
    assert pages[0] == pages[1]
    assert reports[0] == reports[1]
    assert json.loads(reports[0])["cached"]
    assert "cached" not in json.loads(simulated(tmp_path).to_json())


def test_a_page_compares_two_policies_and_holds_names_as_text(tmp_path: Path) -> None:
    traffic = "poisson:rate=2/minute,duration=5h,repeat=0.5"
    before = simulated(tmp_path, "", traffic, name="<script>now</script>")
    after = simulated(tmp_path, "[cache]", traffic, name="next")
    page = to_html([before, after])
    assert "<script" not in page
    assert "&lt;script&gt;now" in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<polyline") == 8
    rows = compare_reports(before, after).differences
    assert all(f"<td>{row.name}</td>" in page for row in rows)
    assert f"<td>{after.cached}</td>" in page
