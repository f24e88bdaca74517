"""The conformance suite passes good providers of every shape; test_mutants.py has the bad ones."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import ClassVar

import pytest
from core_toy import KEY, Toy, streamed, whole

from jackfield import LLMError, RateLimitError
from jackfield.drivers.replay import Recorded
from jackfield.operations import BatchResult
from jackfield.testing import ProviderConformance, Recording, ScriptedProvider
from jackfield.testing.conformance.mutate import essence
from jackfield.testing.conformance.observe import Outcome

pytest_plugins = ["pytester"]

RECORDINGS = (
    Recording(
        name="plain",
        responses=(Recorded(chunks=[whole("Hello, wörld")]),),
        expect={"text": "Hello, wörld"},
    ),
    Recording(
        name="streamed",
        verb="stream_execute",
        framing="sse",
        responses=(Recorded(chunks=streamed("Hello, ", "wör", "ld")),),
        expect={"text": "Hello, wörld", "finish_reason": "stop"},
    ),
    Recording(
        name="refused",
        responses=(Recorded(status=401, chunks=[b'{"error": {"message": "Who are you?"}}']),),
        expect={"error": "AuthenticationError", "status": 401},
    ),
    Recording(
        name="retried",
        responses=(Recorded(status=503), Recorded(chunks=[whole("Hello")])),
        expect={"text": "Hello"},
    ),
)


class TestToy(ProviderConformance):
    provider = Toy
    config = {"base_url": "https://toy.example/v1", "api_key": KEY}  # noqa: RUF012  # as users write it
    recordings = RECORDINGS


class TestScripted(ProviderConformance):
    provider = ScriptedProvider
    config = {  # noqa: RUF012  # as users write it
        "answers": [
            {
                "text": "{}",
                "reasoning": "Hm",
                "tool_calls": [{"name": "get_weather"}, {"name": "get_time"}],
            }
        ]
    }
    in_process = True
    calls: ClassVar = [
        {"verb": "stream_execute"},
        {"name": "image", "options": {"attachments": [b"\x89PNG\r\n\x1a\n"]}},
        {"name": "schema", "options": {"response_format": {"type": "json_schema", "schema": {}}}},
        {"verb": "embed"},
    ]


def test_errors_within_results_are_compared_by_what_they_say() -> None:
    """Each run makes its own, and no two are the same object."""

    def outcome(error: LLMError) -> Outcome:
        return Outcome(result=[BatchResult(custom_id="one", error=error)])

    first, again = (outcome(RateLimitError("Later", status=429)) for _ in range(2))
    others = [RateLimitError("Later", status=430), RateLimitError("Now", status=429), LLMError()]
    assert first == again
    assert essence(first) == essence(again)
    assert all(first != outcome(error) for error in others)
    assert essence(first) != essence(outcome(others[0]))
    assert essence(first) != essence(outcome(LLMError("Later", status=429)))


def test_a_good_provider_passes_from_three_lines(pytester: pytest.Pytester) -> None:
    pytester.syspathinsert(Path(__file__).parent)
    pytester.makepyfile(
        textwrap.dedent(
            """
            from core_toy import Toy
            from jackfield.testing import ProviderConformance

            class TestToy(ProviderConformance):
                provider = Toy
                config = {"base_url": "https://toy.example/v1", "api_key": "made-up"}
            """
        )
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-q", "-rs")
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) == outcomes.get("errors", 0) == 0
    assert outcomes["passed"] > 60
    result.stdout.fnmatch_lines(["*no such recording: set `recordings`*"])
