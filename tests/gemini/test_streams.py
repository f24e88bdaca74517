"""However the bytes of an answer arrive, in every colour, it is the same; cut off, it is never whole."""

from __future__ import annotations

import pytest

from gemini.replays import on_loop, replay
from gemini.traffic import each, of, streams
from jackfield import LLMError, StreamInterruptedError, fold
from support.recordings import Turn, pieces

pytestmark = pytest.mark.wire
STREAMS = [t for t in of("chat") if streams(t) and t.status == 200]


@each(of())
def test_every_colour_reads_the_same(turn: Turn) -> None:
    plain = replay(turn).facts()
    assert on_loop(turn, None, "asyncio").facts() == plain
    assert on_loop(turn, None, "trio").facts() == plain


@each(STREAMS)
@pytest.mark.parametrize("size", [1, 7, 1021])
def test_however_its_bytes_arrive_a_stream_says_the_same(turn: Turn, size: int) -> None:
    plain, cut = replay(turn), replay(turn, pieces(turn.payload, size))
    assert cut.error is None
    assert cut.result == plain.result


@each(STREAMS)
def test_the_events_fold_into_the_response(turn: Turn) -> None:
    outcome = replay(turn)
    assert fold(outcome.events) == outcome.result


@each(STREAMS)
def test_a_stream_that_is_cut_is_an_error_or_whole(turn: Turn) -> None:
    plain = replay(turn).result
    for at in range(0, len(turn.payload), max(1, len(turn.payload) // 60)):
        cut = replay(turn, [turn.payload[:at]])
        if cut.error is None:
            # What is left out came after the reason why it ended: nothing that is said.
            assert cut.result.message == plain.message
        elif cut.events:
            assert isinstance(cut.error, StreamInterruptedError)
        else:
            assert isinstance(cut.error, LLMError)
