"""Every recorded case is replayed by some folder of tests, or left out for a reason that is told."""

from __future__ import annotations

from collections import Counter

import pytest

from support.recordings import WIRE, turns
from wire.cases import CASES, PLUGINS
from wire.takers import takers

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
OURS = [case for case in CASES if case.provider in PLUGINS]


def test_every_turn_of_the_folder_is_of_a_case_here() -> None:
    files = sorted(f"{path.parent.name}/{path.stem}" for path in WIRE.glob("*/*.json"))
    assert sorted(map(str, CASES)) == files
    for provider in {case.provider for case in CASES}:
        of_cases = [t for case in CASES if case.provider == provider for t in case.turns]
        assert len(of_cases) == len(turns(provider))


def test_every_case_is_replayed_or_has_its_reason() -> None:
    assert [str(case) for case in CASES if case.taken == bool(case.reasons)] == []
    assert [str(case) for case in CASES if None in case.reasons] == []
    left = Counter(f"{case}: {'; '.join(map(str, case.reasons))}" for case in CASES if case.reasons)
    print(f"\n{len(OURS)} cases, all but", *sorted(left), sep="\n")  # noqa: T201  # for reading


def test_at_least_97_in_100_cases_are_replayed() -> None:
    assert OURS
    assert sum(case.taken for case in OURS) >= 0.97 * len(OURS)


def test_every_chat_stream_tool_embedding_and_reranking_is_replayed() -> None:
    named = [case for case in OURS if case.named]
    assert named
    assert [str(case) for case in named if not case.taken] == []


def test_every_error_is_replayed() -> None:
    refused = [turn for case in OURS for turn in case.turns if turn.status >= 300]
    assert refused
    assert [str(turn) for turn in refused if not takers(turn)] == []


def test_no_turn_is_taken_by_two_dialects() -> None:
    """But for Hugging Face's chats, which its own folder and the dialect's hold to the wire."""
    twice = [t for case in CASES for t in case.turns if len(takers(t)) > 1]
    assert {t.provider for t in twice} <= {"huggingface"}
