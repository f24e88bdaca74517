"""What is particular to each engine: leaving a long prompt, outputs while loading, ports, grammars."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest

from jackfield_llamacpp.engine import (
    KINDS,
    Chunk,
    Engine,
    choose_engine,
    installed,
    limits,
    load,
    resolved,
)
from jackfield_llamacpp.errors import EngineError
from jackfield_llamacpp.gguf import read_header
from jackfield_llamacpp.options import LoadOptions
from jackfield_llamacpp.paths import demo_model
from jackfield_llamacpp.toolcalls import FORMATS

Tools = list[dict[str, Any]]
REFERENCE, QUICK = KINDS["llama-cpp-python"], KINDS["xllamacpp"]
reference = pytest.mark.skipif(not installed(REFERENCE), reason=f"no engine: {REFERENCE.install}")
quick = pytest.mark.skipif(not installed(QUICK), reason=f"no engine: {QUICK.install}")
LONG = {"messages": [{"role": "user", "content": "fox and owl " * 200}], "max_tokens": 3}
SHORT = {"messages": [{"role": "user", "content": "What is 3 + 4?"}], "temperature": 0}


class Looker:
    """A sink that wants no more after it was asked *patience* times."""

    def __init__(self, patience: float = float("inf")) -> None:
        self.patience, self.asked = patience, 0
        self.chunks: list[Chunk] = []

    def put(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)

    def cancelled(self) -> bool:
        self.asked += 1
        return self.asked >= self.patience

    @property
    def text(self) -> str:
        deltas = [choice["delta"] for chunk in self.chunks for choice in chunk["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def usage(self) -> Mapping[str, Any]:
        usage: Mapping[str, Any] = self.chunks[-1]["usage"]
        return usage


def loaded(engine_name: str, **options: Any) -> Engine:
    model = demo_model()
    header = read_header(model.path)
    made = resolved(header, model.size, LoadOptions(**options))
    return load(choose_engine(engine_name), header, made)


def answer(engine: Engine, body: Mapping[str, Any]) -> Looker:
    sink = Looker()
    engine.generate(body, sink)
    return sink


def test_a_long_prompt_can_be_left_between_its_batches(engine_name: str) -> None:
    engine = loaded(engine_name, n_batch=32)
    sink = Looker(patience=3)
    engine.generate(LONG, sink)
    assert sink.text == ""
    assert not any("usage" in chunk for chunk in sink.chunks)
    assert sink.asked < 10  # the prompt has 26 batches
    assert answer(engine, SHORT).text == "3 + 4 = 7"
    engine.close()


def test_what_a_prompt_shares_with_the_one_before_is_not_computed_again(engine_name: str) -> None:
    engine = loaded(engine_name, n_batch=32)
    first, second = answer(engine, LONG), answer(engine, LONG)
    assert first.usage["prompt_tokens_details"]["cached_tokens"] == 0
    assert second.usage["prompt_tokens_details"]["cached_tokens"] > 700
    assert second.usage["prompt_tokens"] == first.usage["prompt_tokens"]
    engine.close()


def test_what_was_asked_before_does_not_change_a_seeded_answer(engine_name: str) -> None:
    engine = loaded(engine_name)
    story = {"messages": [{"role": "user", "content": "Tell me a story."}], "seed": 7}
    fresh = answer(engine, story).text
    for other in (SHORT, LONG, story):
        answer(engine, other)
        assert answer(engine, story).text == fresh
    engine.close()


def test_tokens_of_a_text_are_counted_without_marks_added(engine_name: str) -> None:
    engine = loaded(engine_name)
    assert engine.tokenize("") == []
    assert len(engine.tokenize("<|im_start|>")) == 1
    assert engine.tokenize("a fox") == [*engine.tokenize("a"), *engine.tokenize(" fox")]
    engine.close()


def test_a_body_that_is_no_conversation_is_refused(engine_name: str) -> None:
    engine = loaded(engine_name)
    for messages in (
        None,
        [],
        "hi",
        ["hi"],
        [{"content": "hi"}],
        [{"role": "user", "content": [5]}],
    ):
        with pytest.raises(EngineError) as caught:
            engine.generate({"messages": messages}, Looker())
        assert caught.value.code == "invalid_request"
        assert "messages" in str(caught.value)
    engine.close()


def test_a_tool_that_is_forced_but_not_on_offer_is_refused(engine_name: str, tools: Tools) -> None:
    engine = loaded(engine_name)
    choice = {"type": "function", "function": {"name": "fly"}}
    with pytest.raises(EngineError, match="have get_weather, add"):
        engine.generate({**SHORT, "tools": tools, "tool_choice": choice}, Looker())
    engine.close()


def test_a_model_that_is_freed_at_once_is_freed(engine_name: str) -> None:
    child = (
        "import sys\n"
        "from jackfield_llamacpp import LlamaCppProvider\n"
        "for at in range(40):\n"
        "    with LlamaCppProvider({'engine': sys.argv[1]}) as provider:\n"
        "        provider._lease(*provider._find('tiny-demo'), provider.config.load_options()).close()\n"
        "print('over')\n"
    )
    command = [sys.executable, "-c", child, engine_name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "over\n"


@reference
def test_what_other_threads_print_while_a_model_loads_is_not_lost() -> None:
    child = (
        "import threading, time, sys\n"
        "from jackfield_llamacpp import LlamaCppProvider\n"
        "over = False\n"
        "def talk():\n"
        "    n = 0\n"
        "    while not over:\n"
        "        print(n, flush=True); n += 1; time.sleep(0.0005)\n"
        "talker = threading.Thread(target=talk); talker.start()\n"
        "for at in range(6):\n"
        "    with LlamaCppProvider({'engine': 'llama-cpp-python'}) as p:\n"
        "        p.count_tokens('tiny-demo', 'hi')\n"
        "over = True; talker.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", child], capture_output=True, text=True, timeout=60, check=True
    )
    said = [int(line) for line in done.stdout.splitlines()]
    assert said == list(range(len(said)))
    assert len(said) > 10
    assert done.stderr == ""


@reference
def test_a_field_that_the_reference_engine_does_not_know_is_reported() -> None:
    (limit,) = limits(REFERENCE, None, {**SHORT, "speculate": True})
    assert (limit.kind, limit.what) == ("unsupported", "speculate")


@reference
def test_tools_for_a_template_without_any_are_reported(tools: Tools) -> None:
    found = limits(REFERENCE, "{{ messages }}", {**SHORT, "tools": tools})
    assert [limit.what for limit in found] == ["tools"]


@reference
def test_tools_and_a_schema_exclude_each_other_and_the_loser_is_named(tools: Tools) -> None:
    template = read_header(demo_model().path).chat_template
    both = {**SHORT, "tools": tools, "response_format": {"type": "json_object"}}
    assert [limit.what for limit in limits(REFERENCE, template, both)] == ["tools"]
    forced = {**both, "tool_choice": "required"}
    assert [limit.what for limit in limits(REFERENCE, template, forced)] == ["response_format"]
    assert limits(REFERENCE, template, {**both, "tool_choice": "none"}) == []


@reference
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_forced_call_has_the_form_of_its_model(form: Any, tools: Tools) -> None:
    from jackfield_llamacpp import lcpp_request
    from jackfield_llamacpp.answer import AnswerReader

    engine = loaded("llama-cpp-python")
    body = {**SHORT, "tools": tools, "tool_choice": "required"}
    grammar = lcpp_request.forced_grammar(form, body)
    text = answer(engine, {**SHORT, "grammar": grammar, "max_tokens": 200}).text
    reader = AnswerReader(form)
    deltas = [*reader.feed(text), *reader.close()]
    calls = [call["function"] for delta in deltas for call in delta.get("tool_calls", ())]
    assert calls[0]["name"] in {"get_weather", "add"}
    assert json.loads("".join(call["arguments"] for call in calls))
    engine.close()


@reference
def test_a_call_once_opened_fits_its_tool_even_if_the_model_would_not() -> None:
    engine = loaded("llama-cpp-python")
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Oslo", "Rome"]}, "days": {"type": "integer", "minimum": 1, "maximum": 5}},
        "required": ["city", "days"],
    }  # fmt: skip
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": schema}}
    asked = {"messages": [{"role": "user", "content": "What is the weather in Paris?"}]}
    sink = answer(engine, {**asked, "temperature": 0, "tools": [tool]})
    deltas = [choice["delta"] for chunk in sink.chunks for choice in chunk["choices"]]
    calls = [call["function"] for delta in deltas for call in delta.get("tool_calls", ())]
    jsonschema.validate(json.loads("".join(call["arguments"] for call in calls)), schema)
    engine.close()


@reference
def test_a_bias_keeps_a_token_out() -> None:
    engine = loaded("llama-cpp-python")
    seven = engine.tokenize("7")[0]
    text = answer(engine, {**SHORT, "logit_bias": {str(seven): -100}, "max_tokens": 9}).text
    assert "7" not in text
    engine.close()


@quick
def test_the_port_of_the_quick_engine_answers_nobody_without_its_key() -> None:
    engine: Any = loaded("xllamacpp")
    address = engine._address
    assert address.hostname == "127.0.0.1"
    for key in ("", "Bearer wrong"):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        headers = {"Content-Type": "application/json", "Authorization": key}
        connection.request("POST", "/v1/chat/completions", json.dumps(SHORT), headers)
        assert connection.getresponse().status == 401
        connection.close()
    assert engine._key not in repr(vars(engine)["_address"])
    engine.close()
