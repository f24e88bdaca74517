"""The fault matrix: every entry x dialect x mode x colour, and the five things that must be zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import pytest

from faults.callers import run
from faults.cases import COLOURS, DIALECTS, PACE, PROVIDERS, Case, cases
from faults.judge import judge, verdicts
from faults.outcomes import Outcome
from jackfield.testing.faults import FaultServer

MATRIX = [(dialect, colour) for dialect in DIALECTS for colour in COLOURS]
Wrong = tuple[str, str, str]
"""The case, the class, the explanation."""
Seen = tuple[Sequence[Sequence[str]], Sequence[tuple[str, str]]]
"""What each call of a case came to, and what is wrong with them; their answers are not kept, for they are large."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Matrix:
    """Runs each block of the matrix once, and keeps what is to be said of it."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.results = cache(self._results)

    def _results(self, dialect: str, colour: str) -> Mapping[Case, Seen]:
        tag = f"{dialect}-{colour}"

        def judged(case: Case, outcomes: Sequence[Outcome]) -> Seen:
            labels = tuple(tuple(sorted(verdicts(case, o, self.server))) for o in outcomes)
            wrong = [w for o in outcomes for w in judge(case, o, self.server, f"{tag}-{case}")]
            for outcome in outcomes:
                outcome.lighten()
            return labels, wrong

        return run(colour, cases(dialect), self.server, tag, judged)

    def wrong(self, dialect: str, colour: str) -> Sequence[Wrong]:
        """Everything that is wrong."""
        results = self.results(dialect, colour)
        return [
            (str(case), kind, why) for case, (_, wrong) in results.items() for kind, why in wrong
        ]

    def of(self, dialect: str, colour: str, kind: str) -> str:
        """What is wrong of one *kind*, a line each."""
        wrong = self.wrong(dialect, colour)
        return "\n".join(f"{case}: {why}" for case, found, why in wrong if found == kind)

    def labels(self, case: Case, colour: str) -> Sequence[Sequence[str]]:
        """What the calls of *case* came to in *colour*."""
        return self.results(case.dialect, colour)[case][0]


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    with FaultServer(pace=PACE) as server:
        yield Matrix(server)


@pytest.mark.parametrize(("dialect", "colour"), MATRIX)
def test_no_answer_is_lost_silently(matrix: Matrix, dialect: str, colour: str) -> None:
    assert matrix.of(dialect, colour, "silent loss") == ""


@pytest.mark.parametrize(("dialect", "colour"), MATRIX)
def test_every_call_returns_by_its_deadline(matrix: Matrix, dialect: str, colour: str) -> None:
    assert matrix.of(dialect, colour, "hang") == ""


@pytest.mark.parametrize(("dialect", "colour"), MATRIX)
def test_no_error_shows_the_key(matrix: Matrix, dialect: str, colour: str) -> None:
    assert matrix.of(dialect, colour, "leak") == ""


@pytest.mark.parametrize(("dialect", "colour"), MATRIX)
def test_every_error_is_typed_and_says_who_and_where(
    matrix: Matrix, dialect: str, colour: str
) -> None:
    assert matrix.of(dialect, colour, "untyped") == ""


@pytest.mark.parametrize(("dialect", "colour"), MATRIX)
def test_every_fault_comes_to_what_the_catalogue_says(
    matrix: Matrix, dialect: str, colour: str
) -> None:
    assert matrix.of(dialect, colour, "verdict") == ""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_blocking_and_async_calls_come_to_the_same(matrix: Matrix, dialect: str) -> None:
    different = []
    # What of an answer outruns a reset is up to the system.
    for case in (c for c in cases(dialect) if c.fault.name != "early_413_reset"):
        found = {colour: str(compared(case, matrix.labels(case, colour))) for colour in COLOURS}
        if len(set(found.values())) > 1:
            different.append(f"{case}: {found}")
    assert different == []


def compared(case: Case, labels: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """What the calls of *case* came to, without what of an answer outran a deadline: that is up to the machine."""
    if "timeout" not in case.expected or len(case.expected) == 1:
        return labels
    raced = case.expected | {"interrupted", "retryable"}
    return [[label for label in found if label not in raced] for found in labels]


def test_no_other_origin_receives_a_byte(matrix: Matrix) -> None:
    for dialect, colour in MATRIX:
        assert matrix.results(dialect, colour)
    strays = matrix.server.log.connections("other")
    assert (len(strays), matrix.server.log.bytes_received("other")) == (0, b"")


def test_the_summary_adds_up(matrix: Matrix, capsys: pytest.CaptureFixture[str]) -> None:
    lines, total = [], 0
    for dialect, colour in MATRIX:
        results = matrix.results(dialect, colour)
        total += len(results)
        counts = Counter(kind for _, kind, _ in matrix.wrong(dialect, colour))
        kinds = ("silent loss", "hang", "leak", "untyped", "verdict")
        row = "".join(f"{counts[kind]:>12}" for kind in kinds)
        lines.append(f"{PROVIDERS[dialect]:<18}{colour:<8}{len(results):>6}{row}")
    with capsys.disabled():
        head = "".join(
            f"{kind:>12}" for kind in ("silent loss", "hang", "leak", "untyped", "verdict")
        )
        print(f"\n{'provider':<18}{'colour':<8}{'cases':>6}{head}\n" + "\n".join(lines))  # noqa: T201  # the matrix
    assert total == sum(len(cases(dialect)) for dialect, _ in MATRIX)
