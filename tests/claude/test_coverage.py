"""Every recorded turn is replayed, or its reason why not is in the table."""

from __future__ import annotations

from collections import Counter

import pytest

from claude import traffic
from support.recordings import Turn

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not traffic.ALL, reason="no recordings: set JACKFIELD_WIRE"),
]


def verdict(turn: Turn) -> str:
    """What becomes of *turn* here."""
    return traffic.scope(turn) or f"not replayed: {traffic.reason(turn)}"


def body(turn: Turn) -> str:
    """What becomes of the body that *turn* asked with."""
    if traffic.scope(turn) not in (traffic.CHAT, traffic.COUNT):
        return ""
    return (
        "; built from a typed request" if isinstance(turn.body, dict) else "; request not recorded"
    )


def test_every_recorded_turn_is_replayed_or_has_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert [
        str(t) for t in traffic.ALL if (traffic.scope(t) is None) == (traffic.reason(t) is None)
    ] == []
    table = Counter((t.provider, verdict(t), body(t)) for t in traffic.ALL)
    with capsys.disabled():
        print()  # noqa: T201 -- the table is to be read
        for (provider, what, how), number in sorted(table.items()):
            print(f"{number:4} {provider:10} {what}{how}")  # noqa: T201
