"""Every recorded turn is replayed by a test here, or left out for a reason that its operation gives."""

from __future__ import annotations

from collections import Counter

import pytest

from openai_dialect.scope import BORROWED, OWN, failed, operation, reason
from support.recordings import WIRE, turns

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]


@pytest.mark.parametrize("provider", [p for p in (*OWN, *BORROWED) if turns(p)])
def test_every_recorded_turn_is_proved_or_has_its_reason(provider: str) -> None:
    rows: Counter[str] = Counter()
    for turn in turns(provider):
        found = operation(turn)
        why = reason(turn)
        if found is not None:
            rows[f"proved: {found}{', an error' if failed(turn) else ''}"] += 1
        else:
            assert why is not None, f"{turn} ({turn.operation}) is neither proved nor out of scope"
            rows[f"outside: {why}"] += 1
    assert rows.total() == len(turns(provider))
    print(f"\n{provider}")  # noqa: T201  # the coverage table is for reading
    for row, number in sorted(rows.items()):
        print(f"{number:5} {row}")  # noqa: T201


def test_there_are_recordings_of_chats() -> None:
    assert any(operation(turn) == "chat" for p in (*OWN, *BORROWED) for turn in turns(p))
