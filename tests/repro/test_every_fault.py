"""Whatever a server does to a call, its recording replays to what the program saw, and holds no secret of it."""

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest

from faults.cases import DIALECTS, KEY, MODEL, PACE, PROVIDERS, Case, cases
from jackfield import LLMError, create_provider
from jackfield.testing import play, record
from jackfield.testing.faults import FaultServer
from jackfield.testing.recordings import parse_recording

ELSEWHERE = (
    "ok cut_clean cut_in_character cut_tool_call tool_pieces two_tools tools_mixed key_echoed bad_event "
    "key_echoed_midstream error_overloaded error_rate_limit 401 429 503 not_json filtered_finish split_utf8"
).split()
"""What dialects other than OpenAI's meet."""


def quick(case: Case) -> bool:
    """Whether the entry is met in one call, in no time, and without megabytes."""
    slow = case.heavy or case.fault.calls > 1 or "timeout" in case.expected
    return not slow and (case.dialect == "openai" or case.fault.name in ELSEWHERE)


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(pace=PACE) as running:
        yield running


@pytest.mark.live
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recording_replays_to_what_was_seen(
    server: FaultServer, dialect: str, stream: bool
) -> None:
    met = [c for c in cases(dialect) if quick(c) and c.stream is stream]
    wrong = {}
    for case in met:
        config = case.config(server, f"repro-{case}")
        provider = create_provider(PROVIDERS[dialect], config)
        with record(provider) as recorder, suppress(LLMError):
            if stream:
                provider.stream_execute(MODEL, case.prompt, tools=case.tools).drain()
            else:
                provider.execute(MODEL, case.prompt, tools=case.tools)
        if not recorder.sent:
            continue
        for redact in (False, True):
            written = recorder.document(redact_text=redact)
            text = json.dumps(written.document, ensure_ascii=False)
            again = play(parse_recording("again", json.loads(text)))
            kind = type(again.error).__name__ if again.error else None
            if written.notes or kind != written.document["expect"].get("error"):
                wrong[str(case), redact] = written.notes
            assert KEY not in text
    assert len(met) >= 8
    assert wrong == {}
