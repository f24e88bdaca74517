"""OpenTelemetry: each call is a span by the names of the conventions, ended once, and measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import anyio
import pytest
from hypothesis import given, settings
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind, StatusCode

from jackfield import (
    ChatRequest,
    ChatResponse,
    Cost,
    HTTPProvider,
    LLMError,
    LLMProvider,
    MediaPart,
    Message,
    ProviderInfo,
    ServerError,
    StreamInterruptedError,
    TextPart,
    Tool,
    ToolCall,
    Usage,
    hookimpl,
    replay,
)
from jackfield.flow import Flow
from jackfield.plugins import PluginManager
from jackfield.retrying import Budget
from jackfield.testing import Answer, ScriptedProvider
from jackfield.testing import strategies as jf
from jackfield_otel import CAPTURE, Telemetry, attributes, content, telemetry

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

OUTAGE = Answer(error=ServerError("it burns, sk-abcdefghijklmnopqrstuv", status=500))
NO_WAIT = {"attempts": 3, "initial": 0.0}
KEY = "sk-abcdefghijklmnopqrstuv"


class Desk:
    """Spans and metrics in memory, and providers whose calls leave them."""

    def __init__(self, *, sampled: bool = True, **options: Any) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        meters = MeterProvider([self.reader])
        self.plugins = PluginManager()
        self.plugins.register(Telemetry(self.tracers, meters, **options))

    def provider(self, *answers: Any, **config: Any) -> ScriptedProvider:
        given = {"answers": answers, "retry": NO_WAIT, **config}
        return ScriptedProvider(given, name="work", hook=self.plugins.hook)

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that ended, the earliest first."""
        return sorted(self.exporter.get_finished_spans(), key=lambda s: s.start_time or 0)

    def call(self) -> ReadableSpan:
        """The one span of a call."""
        (found,) = [s for s in self.spans if s.kind is SpanKind.CLIENT]
        return found

    def points(self, name: str) -> list[Any]:
        """What was recorded of the metric *name*."""
        data = self.reader.get_metrics_data()
        scopes = [s for r in data.resource_metrics for s in r.scope_metrics] if data else []
        return [p for s in scopes for m in s.metrics if m.name == name for p in m.data.data_points]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def told(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def test_a_call_is_a_span_by_the_names_of_the_conventions(desk: Desk) -> None:
    params = {"temperature": 0.5, "max_tokens": 9, "stop": ["end"], "seed": 3, "top_k": 4}
    desk.provider("Hello there").execute("small", "Hi", params)
    call = desk.call()
    assert (call.name, call.status.status_code) == ("chat small", StatusCode.UNSET)
    assert told(call) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "small",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.stop_sequences": ("end",),
        "gen_ai.request.seed": 3,
        "gen_ai.request.top_k": 4.0,
        "gen_ai.response.id": "scripted-1",
        "gen_ai.response.model": "small",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 1,
        "gen_ai.usage.output_tokens": 2,
        "jackfield.attempts": 1,
        "jackfield.instance": "work",
    }


def test_each_attempt_is_a_span_inside_its_call(desk: Desk) -> None:
    desk.provider(OUTAGE, OUTAGE, "Hello").execute("m", "Hi")
    call, *attempts = desk.spans
    assert [s.name for s in attempts] == ["attempt m"] * 3
    assert [s.parent and s.parent.span_id for s in attempts] == [call.context.span_id] * 3
    assert [told(s)["jackfield.attempt"] for s in attempts] == [1, 2, 3]
    assert [told(s).get("error.type") for s in attempts] == ["ServerError", "ServerError", None]
    assert told(call)["jackfield.attempts"] == 3
    assert call.status.status_code is StatusCode.UNSET


def test_the_callers_span_is_the_parent_and_is_left_as_it_was(desk: Desk) -> None:
    provider = desk.provider("one two three")
    with desk.tracers.get_tracer("test").start_as_current_span("mine") as mine:
        provider.execute("m", "Hi")
        stream = provider.stream_execute("m", "Hi")
        assert trace.get_current_span() is mine
    for _ in stream:  # elsewhere, later: the parent is that of the call
        assert not trace.get_current_span().get_span_context().is_valid
    calls = [s for s in desk.spans if s.name == "chat m"]
    assert [s.parent and s.parent.span_id for s in calls] == [mine.get_span_context().span_id] * 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_side_by_side_keep_their_own_parents(desk: Desk, backend: str) -> None:
    provider = desk.provider("one two three", pause=0.001)
    tracer = desk.tracers.get_tracer("test")

    async def task(number: int) -> None:
        with tracer.start_as_current_span(f"task {number}"):
            await provider.astream_execute(f"m{number}", "Hi").drain()
            await provider.aexecute(f"m{number}", "Hi")

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(task, number)

    anyio.run(main, backend=backend)
    names = {s.context.span_id: s.name for s in desk.spans}
    for call in (s for s in desk.spans if s.kind is SpanKind.CLIENT):
        assert call.parent is not None
        assert names[call.parent.span_id].removeprefix("task ") == call.name.removeprefix("chat m")
    assert len(desk.spans) == 5 * 5


def test_a_stream_tells_when_its_first_chunk_came(desk: Desk) -> None:
    desk.provider("one two three").stream_execute("m", "Hi").drain()
    call = told(desk.call())
    assert call["gen_ai.request.stream"] is True
    assert call["gen_ai.response.time_to_first_chunk"] >= 0
    assert call["gen_ai.usage.output_tokens"] == 3
    (first,) = desk.points("gen_ai.client.operation.time_to_first_chunk")
    assert first.count == 1


def test_a_plain_call_has_no_first_chunk(desk: Desk) -> None:
    desk.provider("Hello").execute("m", "Hi")
    assert "gen_ai.request.stream" not in told(desk.call())
    assert desk.points("gen_ai.client.operation.time_to_first_chunk") == []


def test_an_error_is_told_by_its_class_and_without_keys(desk: Desk) -> None:
    with pytest.raises(ServerError):
        desk.provider(OUTAGE).execute("m", "Hi")
    for span in desk.spans:
        assert told(span)["error.type"] == "ServerError"
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == "it burns, **********"
        assert KEY not in span.to_json()
    (point,) = desk.points("gen_ai.client.operation.duration")
    assert point.attributes["error.type"] == "ServerError"
    assert desk.points("gen_ai.client.token.usage") == []


def test_what_a_server_repeats_of_our_secrets_is_not_told(desk: Desk) -> None:
    class Secretive(ScriptedProvider):
        def conceal(self, error: LLMError) -> None:
            error.replace("hunter2", "*")

    answers = [Answer(error=ServerError("hunter2 is wrong"))]
    provider = Secretive({"answers": answers, "retry": NO_WAIT}, hook=desk.plugins.hook)
    with pytest.raises(ServerError):
        provider.execute("m", "Hi")
    assert [s.status.description for s in desk.spans] == ["* is wrong"] * 4


def test_a_strangers_error_is_told_by_its_class_alone(desk: Desk) -> None:
    def fail(_request: ChatRequest) -> str:
        raise KeyError(KEY)

    with pytest.raises(KeyError):
        desk.provider(fail).execute("m", "Hi")
    assert [s.status.description for s in desk.spans] == ["KeyError"] * 2
    assert KEY not in "".join(s.to_json() for s in desk.spans)


def test_a_broken_stream_tells_what_had_arrived(desk: Desk) -> None:
    with pytest.raises(StreamInterruptedError):
        desk.provider(Answer("one two three", cut_after=2)).stream_execute("m", "Hi").drain()
    call = told(desk.call())
    assert call["error.type"] == "StreamInterruptedError"
    assert call["gen_ai.response.model"] == "m"


def test_leaving_early_is_no_error_and_ends_the_spans(desk: Desk) -> None:
    with desk.provider("one two three").stream_execute("m", "Hi") as stream:
        next(stream)
        assert desk.spans == []
    assert len(desk.spans) == 2
    call = desk.call()
    assert call.status.status_code is StatusCode.UNSET
    assert told(call)["jackfield.left"] is True
    assert len(desk.points("gen_ai.client.operation.duration")) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_ends_its_spans(desk: Desk, backend: str) -> None:
    provider = desk.provider("one two", pause=60)

    async def main() -> None:
        with anyio.move_on_after(0.05):
            await provider.astream_execute("m", "Hi").drain()

    anyio.run(main, backend=backend)
    assert len(desk.spans) == 2
    assert told(desk.call())["jackfield.left"] is True


def test_a_call_that_is_never_made_is_no_span(desk: Desk) -> None:
    desk.provider("Hello").stream_execute("m", "Hi").close()
    assert desk.spans == []


def test_tokens_and_durations_are_measured_by_model(desk: Desk) -> None:
    usage = Usage(input_tokens=10, output_tokens=20, cache_read_tokens=4, reasoning_tokens=5)
    provider = desk.provider(Answer("Hello", usage=usage))
    provider.execute("m", "Hi")
    provider.execute("m", "Hi")
    sums = {
        p.attributes["gen_ai.token.type"]: (p.sum, p.count)
        for p in desk.points("gen_ai.client.token.usage")
    }
    assert sums == {"input": (20, 2), "output": (40, 2)}
    (duration,) = desk.points("gen_ai.client.operation.duration")
    assert duration.count == 2
    assert dict(duration.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m",
    }
    call = told(next(s for s in desk.spans if s.kind is SpanKind.CLIENT))
    assert call["gen_ai.usage.cache_read.input_tokens"] == 4
    assert call["gen_ai.usage.reasoning.output_tokens"] == 5


def test_a_known_cost_is_told(desk: Desk) -> None:
    cost = Cost(amount=Decimal("0.25"), source="provider")
    answer = ChatResponse(message=Message("assistant", "Hello"), cost=cost)
    desk.provider(answer).execute("m", "Hi")
    call = told(desk.call())
    assert (call["jackfield.cost.amount"], call["jackfield.cost.currency"]) == (0.25, "USD")


def test_other_operations_have_their_names(desk: Desk) -> None:
    provider = desk.provider()
    provider.embed("m", ["a", "b"], dimensions=8)
    provider.list_models()
    calls = [s for s in desk.spans if s.kind is SpanKind.CLIENT]
    assert [s.name for s in calls] == ["embeddings m", "model_list"]
    assert told(calls[0])["gen_ai.embeddings.dimension.count"] == 8
    assert told(calls[0])["gen_ai.usage.input_tokens"] == 2


class Distant(HTTPProvider):
    info: ClassVar = ProviderInfo(name="claude", display_name="Distant", api_key_required=False)


@pytest.mark.parametrize(
    ("base_url", "address", "port"),
    [("https://api.example/v1", "api.example", 443), ("http://127.0.0.1:8080", "127.0.0.1", 8080)],
)
def test_a_server_has_its_address_and_a_vendor_its_name(
    base_url: str, address: str, port: int
) -> None:
    request = ChatRequest(model="m", messages=[Message("user", "Hi")])
    found = attributes.identity(Distant({"base_url": base_url}), request)
    assert (found["server.address"], found["server.port"]) == (address, port)
    assert found["gen_ai.provider.name"] == "anthropic"


class Route(LLMProvider):
    """Asks its targets in turn until one answers, as routes do."""

    info: ClassVar = ProviderInfo(name="route", display_name="Route", api_key_required=False)
    operations = frozenset({ChatRequest})
    targets: tuple[LLMProvider, ...] = ()

    def attempts(self, request: Any, stream: bool, budget: Any) -> Flow[Any]:
        for target in self.targets[:-1]:
            try:
                return (yield from target.call(request, stream=stream, budget=Budget(1, 1e9)))
            except ServerError:
                continue
        return (yield from self.targets[-1].call(request, stream=stream, budget=Budget(1, 1e9)))


def test_a_routes_calls_are_spans_inside_its_own_and_tokens_count_once(desk: Desk) -> None:
    route = Route({}, name="route", hook=desk.plugins.hook)
    route.targets = (desk.provider(OUTAGE), desk.provider("Hello there"))
    route.execute("m", "Hi")
    spans = {s.context.span_id: s for s in desk.spans}

    def path(span: ReadableSpan | None) -> list[str]:
        above = spans.get(span.parent.span_id) if span and span.parent else None
        return [*(path(above) if above else []), span.name if span else ""]

    assert [path(s) for s in desk.spans] == [
        ["chat m"],
        ["chat m", "chat m"],
        ["chat m", "chat m", "attempt m"],
        ["chat m", "chat m"],
        ["chat m", "chat m", "attempt m"],
    ]
    assert {p.attributes["gen_ai.token.type"]: p.sum for p in desk.points("gen_ai.client.token.usage")} == {
        "input": 1,
        "output": 2,
    }  # fmt: skip
    assert "gen_ai.usage.input_tokens" not in told(desk.spans[0])
    assert "jackfield.cached" not in told(desk.spans[0])


def test_an_answer_out_of_a_cache_used_no_tokens(desk: Desk) -> None:
    class Cache:
        @hookimpl
        def wrap_call(self) -> Any:
            def cached(flow: Flow[Any]) -> Flow[Any]:
                flow.close()
                yield replay(answer)
                return answer

            return cached

    answer = ChatResponse(
        message=Message("assistant", "Hello"), usage=Usage(input_tokens=1, output_tokens=1)
    )
    desk.plugins.register(Cache())
    desk.provider().execute("m", "Hi")
    assert told(desk.call())["jackfield.cached"] is True
    assert "gen_ai.usage.input_tokens" not in told(desk.call())
    assert desk.points("gen_ai.client.token.usage") == []


# Content.

ASKED: list[Any] = [
    Message("system", "Be brief."),
    Message("user", [TextPart("See?"), MediaPart("image/png", b"bytes")]),
    Message("assistant", [ToolCall("c1", "look", '{"at": "it"}')]),
    {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
]


def test_nothing_that_was_said_is_recorded_unasked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in (None, "false", "NO_CONTENT"):
        if value is not None:
            monkeypatch.setenv(CAPTURE, value)
        desk.provider("Meow.").execute("m", ASKED, tools=[Tool("look")])
    recorded = "".join(s.to_json() for s in desk.spans)
    assert [w for w in ("Be brief", "See?", "a cat", "Meow", "look") if w in recorded] == []


def test_what_was_said_is_recorded_where_the_environment_asks_for_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE, "true")
    desk.provider("Meow.").execute("m", ASKED, tools=[Tool("look", "looks")])
    call = told(desk.call())
    assert json.loads(call["gen_ai.input.messages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "See?"},
                {"type": "media", "mime_type": "image/png", "modality": "image"},
            ],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "look", "arguments": {"at": "it"}}],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "response": "a cat"}],
        },
    ]
    assert json.loads(call["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Meow."}],
            "finish_reason": "stop",
        }
    ]
    assert json.loads(call["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "look", "description": "looks"}
    ]
    (attempt,) = [s for s in desk.spans if s.kind is SpanKind.INTERNAL]
    assert "Meow" not in attempt.to_json()


def test_a_program_may_decide_about_content_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CAPTURE, "true")
    desk = Desk(capture_content=False)
    desk.provider("Meow.").execute("m", "Hi")
    assert "gen_ai.output.messages" not in told(desk.call())


@given(jf.conversations(), jf.responses())
def test_anything_that_can_be_said_can_be_recorded(
    messages: list[Message], response: ChatResponse
) -> None:
    asked = content.asked(ChatRequest(model="m", messages=messages))
    assert len(json.loads(asked["gen_ai.input.messages"])) == len(messages)
    said = json.loads(content.answered(response)["gen_ai.output.messages"])
    assert len(said) == 1 + len(response.alternatives)


# Who does not listen.


def test_spans_that_are_not_sampled_are_measured_all_the_same() -> None:
    desk = Desk(sampled=False, capture_content=True)
    desk.provider("Hello").execute("m", "Hi")
    assert desk.spans == []
    assert len(desk.points("gen_ai.client.operation.duration")) == 1


def test_where_nobody_listens_it_stands_aside() -> None:
    plugins = PluginManager()
    plugins.register(telemetry)
    provider = ScriptedProvider({"answers": ["Hello"]}, hook=plugins.hook)
    provider.execute("m", "Hi")
    assert provider.requests[0].metadata == {}
    request = provider.requests[0]
    assert plugins.hook.wrap_call(provider=provider, request=request, nested=False) == []


IDLE = """
import sys
from jackfield import create_provider
create_provider("scripted", {"answers": ["Hello"]}).execute("m", "Hi")
assert "jackfield_otel" in sys.modules
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
BUSY = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from jackfield import create_provider

provider = create_provider("scripted", {"answers": ["Hello"]})
tracers = TracerProvider()
tracers.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda s: s.name + "\\n")))
trace.set_tracer_provider(tracers)
provider.execute("m", "Hi")
"""


@pytest.fixture
def run() -> Callable[[str], str]:
    def run(program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


def test_installed_it_costs_no_import_until_a_program_listens(run: Any) -> None:
    assert run(IDLE) == "[]\n"


def test_installed_it_uses_the_global_providers(run: Any) -> None:
    assert run(BUSY) == "attempt m\nchat m\n"
