"""L4: answers that are large, endless or explode need a bounded amount of memory."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from faults.cases import COLOURS, MARGIN, TIMEOUT, Case, cases
from jackfield.testing.faults import CATALOGUE, DIALECTS, FaultServer

BOUND = 64
"""MiB by which one call may let the process grow."""

SHORT = {**TIMEOUT, "total": 3.0}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are read from /proc"
    ),
]
Result = dict[str, Any]


def measured(server: FaultServer, dialect: str, colour: str) -> list[Result]:
    """What each big case of *dialect* came to, in a process of its own."""
    healthy = Case(CATALOGUE["ok"], dialect, stream=True)
    wanted = [healthy, *cases(dialect, big=True)]
    tag = f"big-{dialect}-{colour}"
    listed = [
        (c.fault.name, dialect, c.stream, c.config(server, f"{tag}-{c}", timeout=SHORT))
        for c in wanted
    ]
    job = json.dumps({"colour": colour, "cases": listed})
    done = subprocess.run(
        [sys.executable, "-m", "faults.measured"],
        cwd=Path(__file__).parent.parent,
        input=job,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: list[Result] = json.loads(done.stdout)
    return results[1:]


@pytest.fixture(scope="module")
def results(server: FaultServer) -> Any:
    """The measurements, each block made once."""
    return cache(lambda dialect, colour: measured(server, dialect, colour))


# The dialects differ in what they parse, the loops in how they read: trio need not read them all.
BLOCKS = [(d, c) for d in DIALECTS for c in COLOURS if c != "trio" or d == "openai"]
each = pytest.mark.parametrize(("dialect", "colour"), BLOCKS)


@each
def test_no_answer_makes_the_process_grow_by_64_mib(
    results: Any, dialect: str, colour: str
) -> None:
    large = [r for r in results(dialect, colour) if r["growth"] >= BOUND]
    assert large == []


@each
def test_every_large_answer_is_a_typed_error(results: Any, dialect: str, colour: str) -> None:
    wanted = [case.expected for case in cases(dialect, big=True)]
    found = results(dialect, colour)
    wrong = [r for r, verdicts in zip(found, wanted, strict=True) if not verdicts & {*r["found"]}]
    assert wrong == []


@each
def test_no_large_answer_outlives_its_deadline(results: Any, dialect: str, colour: str) -> None:
    late = [r for r in results(dialect, colour) if r["seconds"] > SHORT["total"] + MARGIN]
    assert late == []
