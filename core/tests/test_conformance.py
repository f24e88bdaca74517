"""The conformance suite passes good providers, and each kind of bad one fails where it should."""

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


HEAD = """
from core_toy import *
from core_toy import Toy as Base
from jackfield import *
from jackfield.testing import ProviderConformance, Recording
from jackfield.drivers.replay import Recorded

class Parser(ToyStream): pass
class Toy(Base): pass

{mutation}

class TestMutant(ProviderConformance):
    provider = Toy
    config = {{"base_url": "https://toy.example/v1", "api_key": KEY}}
    recordings = [
        Recording(name="plain", responses=(Recorded(chunks=[whole("Hello")]),), expect={{"text": "Hello"}}),
        Recording(name="streamed", verb="stream_execute", framing="sse",
                  responses=(Recorded(chunks=streamed("Hel", "lo")),), expect={{"text": "Hello"}}),
        Recording(name="refused", responses=(Recorded(status=401, chunks=[b"{{}}"]),)),
    ]
"""

STREAMING = """
Toy.exchanges = {{**Base.exchanges, ChatRequest: Exchange(build={build}, parse={parse}, stream={stream})}}
"""


def exchange(build: str = "build", parse: str = "parse", stream: str = "Parser") -> str:
    return STREAMING.format(build=build, parse=parse, stream=stream)


MUTANTS: dict[str, tuple[str, str]] = {
    "no docs": (
        'Toy.info = ProviderInfo(name="toy", display_name="Toy", api_key_env="K")',
        "test_its_info_is_complete",
    ),
    "odd name": (
        'Toy.info = ProviderInfo(name="My Toy", display_name="Toy", docs_url="https://x", api_key_env="K")',
        "test_its_info_is_complete",
    ),
    "no key variable": (
        'Toy.info = ProviderInfo(name="toy", display_name="Toy", docs_url="https://x")',
        "test_its_info_is_complete",
    ),
    "wrong verb": (
        "class Toy(Base):\n    def execute(self, prompt_only): ...",
        "test_its_verbs_fit_the_contract",
    ),
    "twins differ": (
        "class Toy(Base):\n    async def aexecute(self, model, prompt): ...",
        "test_each_verb_and_its_twin_take_the_same",
    ),
    "own config loading": (
        (
            "class Toy(Base):\n    def __init__(self, config=None, **o):\n"
            '        known = {k: v for k, v in (config or {}).items() if k in ("base_url", "api_key")}\n'
            "        super().__init__(known, **o)"
        ),
        "test_every_configuration_problem_is_reported_at_once",
    ),
    "accepts anything": (
        (
            "class Toy(Base):\n    def chat_request(self, model, prompt, parameters=None, /, **o):\n"
            '        return ChatRequest(model=str(model), messages=(Message("user", str(prompt)),))'
        ),
        "test_bad_input_is_refused_with_its_name_before_anything_is_sent",
    ),
    "unquoted model": (
        "def get(call): return json_request(f'/models/{call.request.model}/chat', {})\n"
        + exchange(build="get"),
        "test_a_models_name_stays_where_it_belongs",
    ),
    "misspelt parameter": (
        'Toy.params = {**Base.params, "temprature": Param("temperature")}',
        "test_its_table_names_common_parameters_only",
    ),
    "parameter lost": (
        'Toy.params = {**Base.params, "top_k": Param("top_k")}\n'
        "def lossy(call):\n    call.wire.pop('top_k', None)\n    return build(call)\n"
        + exchange(build="lossy"),
        "test_a_parameter_is_sent_or_warned_about",
    ),
    "key in the url": (
        "def leaky(call): return json_request('/chat?key=' + call.provider.key.reveal(), {})\n"
        + exchange(build="leaky"),
        "test_the_key_goes_into_a_header",
    ),
    "key in the body": (
        "def leaky(call): return json_request('/chat', {'key': call.provider.key.reveal()})\n"
        + exchange(build="leaky"),
        "test_explaining_sends_nothing_and_masks_the_key",
    ),
    "key printed": (
        "class Toy(Base):\n    def __repr__(self): return f'<Toy {self.key.reveal()}>'",
        "test_the_key_is_in_no_representation",
    ),
    "key logged": (
        (
            "import logging\nclass Toy(Base):\n    def auth_headers(self, key):\n"
            "        logging.getLogger('toy').debug('key %s', key.reveal())\n        return super().auth_headers(key)"
        ),
        "test_the_key_is_in_no_log",
    ),
    "state in the provider": (
        "count = [0]\ndef stateful(call, response):\n    count[0] += 1\n"
        "    r = parse(call, response)\n    from attrs import evolve\n    return evolve(r, id=str(count[0]))\n"
        + exchange(parse="stateful"),
        "test_every_colour_reads_the_same",
    ),
    "strict about fields": (
        "def fussy(call, response):\n    body = msgspec.json.decode(response.body)\n"
        "    assert set(body) == {'id', 'model', 'choices', 'usage'}, 'what is this'\n"
        "    return parse(call, response)\n"
        "def typed(call, response):\n    try: return fussy(call, response)\n"
        "    except AssertionError as e: raise ValueError(str(e))\n" + exchange(parse="typed"),
        "test_unknown_fields_are_tolerated",
    ),
    "always finished": (
        "class Eager(ToyStream):\n    def __init__(self, call):\n        super().__init__(call)\n        self.finished = True\n"
        + exchange(stream="Eager"),
        "test_a_cut_stream_is_never_a_success_with_missing_text",
    ),
    "wrong text": (
        "def shout(call, response):\n    from attrs import evolve\n    r = parse(call, response)\n"
        "    return evolve(r, message=Message('assistant', r.text.upper()))\n"
        + exchange(parse="shout"),
        "test_a_recording_is_read_as_it_says",
    ),
    "ignores the status": (
        "class Toy(Base):\n    def make_error(self, response): return LLMError('something')\n",
        "test_a_recording_is_read_as_it_says",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_provider_that_breaks_a_rule_fails_the_test_of_it_and_is_told_what_to_do(
    pytester: pytest.Pytester, name: str
) -> None:
    mutation, test = MUTANTS[name]
    pytester.syspathinsert(Path(__file__).parent)
    pytester.makepyfile(HEAD.format(mutation=mutation))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-q", "-k", test)
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) >= 1, outcomes
    if test != "test_its_verbs_fit_the_contract":
        result.stdout.fnmatch_lines(["*What to do:*"])


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
