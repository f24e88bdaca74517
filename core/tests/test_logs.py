"""The log has one record for each thing that happened, for people and for programs, and no key in it."""

from __future__ import annotations

import io
import json
import logging
import stat
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

import pytest
from core_toy import BACKENDS, KEY, Toy, aio, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    CallWarning,
    ChatRequest,
    ChatResponse,
    ConfigError,
    Cost,
    EmbeddingRequest,
    FinishReason,
    Message,
    OverloadedError,
    ServerError,
    StreamInterruptedError,
    Usage,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.drivers.virtual import VirtualDriver
from jackfield.manager.settings import LogSettings
from jackfield.middleware.cache import Cache
from jackfield.middleware.log_records import LONGEST, Happening, JSONFormatter, TextFormatter
from jackfield.middleware.logs import Logs
from jackfield.plugins import PluginManager
from jackfield.requests import Request
from jackfield.testing import Answer
from jackfield.testing import strategies as jf
from jackfield.testing.scripted import ScriptedProvider

LOG = logging.getLogger("jackfield")
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

ANSWER = ChatResponse(
    model="m-2026",
    message=Message("assistant", "Hello"),
    finish_reason=FinishReason.STOP,
    usage=Usage(input_tokens=3, output_tokens=2),
    cost=Cost(amount=Decimal("0.000039"), source="computed"),
    warnings=(CallWarning("clamped", "temperature", "2 became 1"),),
)


class Written:
    """What `Logs` wrote, a record a line."""

    def __init__(self, form: Literal["text", "json"], level: Level, prompts: bool) -> None:
        self.stream = io.StringIO()
        self.logs = Logs(LogSettings(level=level, format=form, prompts=prompts))

    def __enter__(self) -> Self:
        self.logs.attach()
        LOG.propagate = False  # what is written here is no report that a test runner can carry
        assert isinstance(self.logs._handler, logging.StreamHandler)
        self.logs._handler.setStream(self.stream)
        return self

    def __exit__(self, *_: object) -> None:
        LOG.propagate = True
        self.logs.detach()

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().split("\n")[:-1]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def provider(self, *answers: Any, **config: Any) -> ScriptedProvider:
        return ScriptedProvider({"answers": answers, **config}, hook=self.hook)

    @property
    def hook(self) -> Any:
        manager = PluginManager()
        manager.register(self.logs)
        return manager.hook


def written(
    level: Level = "INFO", form: Literal["text", "json"] = "json", prompts: bool = False
) -> Written:
    return Written(form, level, prompts)


def kinds(records: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(r["level"], r.get("event", r.get("message"))) for r in records]


# What is written.


@pytest.mark.parametrize("stream", [False, True])
def test_a_calls_end_says_who_was_asked_and_what_it_took(stream: bool) -> None:
    with written() as log:
        provider = ScriptedProvider({"answers": [ANSWER], "delay": 1.5}, name="work", hook=log.hook)
        request = provider.chat_request("m", "Hi", metadata={"tenant": "t", "tags": ["a"]})
        VirtualDriver().run(provider.call(request, stream=stream))
    compromise, ended = log.records
    assert compromise["level"] == "WARNING"
    assert compromise["detail"] == "2 became 1"
    assert {name: value for name, value in ended.items() if name != "time"} == {
        "level": "INFO",
        "logger": "jackfield",
        "event": "call ended",
        "provider": "work",
        "model": "m",
        "operation": "chat",
        "tenant": "t",
        "tags": ["a"],
        "seconds": 1.5,
        **({"first_seconds": 1.5} if stream else {}),
        "input_tokens": 3,
        "output_tokens": 2,
        "cost": "0.000039",
        "currency": "USD",
        "finish_reason": "stop",
    }


def test_what_is_unknown_is_not_written_as_zero() -> None:
    with written() as log:
        log.provider(ChatResponse(message=Message("assistant", "Hi"))).execute("m", "Hi")
    assert {"input_tokens", "output_tokens", "cost"} & log.records[0].keys() == set()


def test_a_call_that_fails_for_good_is_an_error_and_what_was_retried_a_warning() -> None:
    with written() as log:
        failing = Answer(error=ServerError("down", status=500, request_id="r-1"))
        provider = log.provider(failing, retry={"attempts": 2, "initial": 0})
        with pytest.raises(ServerError):
            provider.execute("m", "Hi")
    retried, failed = log.records
    assert retried["level"] == "WARNING"
    assert "attempt 1 failed, again in 0.0 s: down [scripted/m 500]" in retried["message"]
    assert (failed["level"], failed["event"], failed["error"]) == (
        "ERROR",
        "call failed",
        "ServerError",
    )
    told = {"message": "down", "status": 500, "request_id": "r-1", "attempts": 2}
    assert told.items() <= failed.items()


def test_a_broken_stream_says_how_far_it_came() -> None:
    with written(prompts=True) as log:
        provider = log.provider(Answer("Once upon a time", cut_after=2))
        with pytest.raises(StreamInterruptedError):
            provider.stream_execute("m", "Hi").drain()
    (failed,) = log.records
    assert (failed["error"], failed["answer"]) == ("StreamInterruptedError", "Once upon ")


def test_an_error_that_nobody_foresaw_is_one_too() -> None:
    def fails(_request: Any) -> Any:
        raise ZeroDivisionError("by zero")

    with written() as log, pytest.raises(ZeroDivisionError):
        log.provider(fails).execute("m", "Hi")
    assert log.records[0]["error"] == "ZeroDivisionError"


def test_a_consumer_who_leaves_is_no_error() -> None:
    with written() as log, log.provider("Once upon a time").stream_execute("m", "Hi") as stream:
        next(stream)
    assert kinds(log.records) == [("INFO", "call left")]


@pytest.mark.parametrize("backend", BACKENDS)
def test_event_loops_write_the_same(backend: str) -> None:
    with written() as log:
        provider = log.provider("Hello")

        async def main() -> None:
            await provider.aexecute("m", "Hi")
            await provider.astream_execute("m", "Hi").drain()

        aio(main, backend)
    assert kinds(log.records) == [("INFO", "call ended")] * 2


def test_what_a_route_calls_is_a_detail() -> None:
    for nested in (False, True):
        with written("DEBUG") as log:
            provider = ScriptedProvider({"answers": [Answer(error=ServerError("down"))]})
            request: Request[Any] = ChatRequest(messages="Hi")
            wrap = log.logs.wrap_call(provider, request, nested)
            with pytest.raises(ServerError):
                VirtualDriver().run(wrap(provider.flow(request, stream=False, deadline=9.0)))
        level = "DEBUG" if nested else "ERROR"
        assert kinds(log.records) == [("DEBUG", "call started"), (level, "call failed")]


def test_a_hit_of_the_cache_is_told_as_one() -> None:
    manager = PluginManager()
    with written() as log:
        manager.register(log.logs)
        manager.register(Cache())
        provider = ScriptedProvider({"answers": ["Hello"]}, hook=manager.hook)
        for _ in range(2):
            provider.execute("m", "Hi")
    assert [(r.get("cache"), r.get("cost")) for r in log.records] == [(None, None), ("hit", "0")]


def toy(log: Written, *answers: Recorded, **config: Any) -> Toy:
    given = {"base_url": "https://toy.example", "api_key": KEY, "retry": {"initial": 0}, **config}
    drivers: Any = {"driver": ReplayDriver(answers), "async_driver": AsyncReplayDriver(answers)}
    return Toy(given, hook=log.hook, **drivers)


def test_details_are_every_attempt_and_what_it_waited_for() -> None:
    with written("DEBUG") as log:
        provider = toy(log, Recorded(status=503), Recorded(chunks=streamed("Hel", "lo")))
        provider.stream_execute("m", "Hi").drain()
    told = [r for r in log.records if "event" in r]
    assert [r["event"] for r in told] == [
        "call started", "waited", "attempt failed", "waited", "attempt ended", "call ended",
    ]  # fmt: skip
    request = {"effect": "HTTPRequest", "method": "POST", "status": 503}
    assert request.items() <= told[1].items()
    assert {"error": "OverloadedError", "events": 0}.items() <= told[2].items()
    assert {"events": 4, "reads": 4}.items() <= told[4].items()
    assert all("seconds" in r for r in told[1:])


@pytest.mark.parametrize("level", ["INFO", "WARNING", "ERROR"])
def test_attempts_are_not_wrapped_where_nobody_asks_for_details(level: Level) -> None:
    with written(level) as log:
        wrapper = log.logs.wrap_attempt(ScriptedProvider(), ChatRequest(messages="Hi"))
        assert wrapper is None


@given(st.lists(jf.responses(), min_size=1, max_size=3))
def test_writing_changes_no_answer(answers: list[ChatResponse]) -> None:
    bare = ScriptedProvider({"answers": answers})
    with written("DEBUG", prompts=True) as log:
        logged = log.provider(*answers)
        for _ in answers:
            assert logged.execute("m", "Hi") == bare.execute("m", "Hi")


# What is not written, and how.


def test_prompts_and_answers_are_written_where_they_are_asked_for_and_nowhere_else() -> None:
    for prompts in (False, True):
        with written("DEBUG", prompts=prompts) as log:
            provider = log.provider("the answer")
            provider.execute("m", "the question")
            provider.stream_execute("m", "the question").drain()
            provider.run(EmbeddingRequest(model="m", inputs=["the question"]))
        text = "\n".join(log.lines)
        assert ("the question" in text, "the answer" in text) == (prompts, prompts)
    ended = [r for r in log.records if r["event"] == "call ended"]
    assert ended[0]["prompt"] == ["user: the question"]
    assert ended[0]["answer"] == "the answer"
    assert ended[2]["prompt"] == ["the question"]


SECRET = "correct-horse-battery"  # looks like no key: only its provider knows that it is one


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("stream", [False, True])
def test_no_key_is_written_even_if_a_server_repeats_it(
    form: Literal["text", "json"], stream: bool
) -> None:
    said = json.dumps({"error": {"message": f"{KEY} and {SECRET} are wrong", "code": SECRET}})
    refusal = Recorded(status=503, chunks=[said.encode()])
    with written("DEBUG", form, prompts=True) as log:
        provider = toy(log, *[refusal] * 3, headers={"x-account": SECRET})
        request = provider.chat_request("m", f"my key is {KEY}")
        with pytest.raises(OverloadedError):
            provider.stream(request).drain() if stream else provider.run(request)
    text = log.stream.getvalue()
    assert "attempt failed" in text
    assert "again in" in text
    assert KEY not in text
    assert SECRET not in text


def test_nor_is_it_where_only_the_kernel_writes(caplog: pytest.LogCaptureFixture) -> None:
    said = json.dumps({"error": {"message": f"{SECRET} is wrong"}})
    answers = [Recorded(status=503, chunks=[said.encode()]), Recorded(chunks=[whole("Hello")])]
    given = {"base_url": "https://toy.example", "api_key": SECRET, "retry": {"initial": 0}}
    with caplog.at_level(logging.DEBUG, "jackfield"):
        Toy(given, driver=ReplayDriver(answers)).execute("m", "Hi")
    assert "again in" in caplog.text
    assert "POST https://toy.example/chat/completions: 200" in caplog.text
    assert SECRET not in caplog.text


HOSTILE = [
    "one\n2026-01-01T00:00:00Z ERROR jackfield: call failed",
    "\r\x1b[2J\x1b]0;title\x07",
    "\u2028next\u2029\x85line",
    "\u202eturned round",
    "\ud800",
    'a" error="made up',
    "\x00",
]


@given(st.sampled_from(HOSTILE) | st.text(max_size=40), st.sampled_from(["text", "json"]))
def test_whatever_is_said_is_one_record_on_one_line(said: str, form: Any) -> None:
    failing = Answer(error=ServerError(said, request_id=said, code=said))
    with written(form=form, prompts=True) as log:
        provider = log.provider(failing, retry={"attempts": 2, "initial": 0})
        request = ChatRequest(
            model=said, messages=[Message("user", said)], metadata={"tags": [said]}
        )
        with pytest.raises(ServerError):
            provider.run(request)
    text = log.stream.getvalue()
    assert len(log.lines) == len(text.splitlines()) == 2
    assert all(c.isprintable() or c == " " for line in log.lines for c in line if ord(c) < 0xA0)
    assert not set(text) & set("\u2028\u2029\u202e\ud800")


def test_a_value_cannot_be_taken_for_a_field() -> None:
    happening = Happening("call failed", {"message": 'a" error="b', "model": "x y=z"})
    assert str(happening) == r'call failed message="a\" error=\"b" model="x y=z"'


def test_a_field_of_any_length_has_its_limit() -> None:
    text = str(Happening("call ended", {"answer": "x" * (LONGEST + 5)}))
    assert text.endswith('… (5 more characters)"')


@pytest.mark.parametrize("form", ["text", "json"])
def test_records_of_others_are_one_line_too_with_their_exception(form: str) -> None:
    formatter = JSONFormatter() if form == "json" else TextFormatter()
    error = ValueError(f"two\nlines and {KEY}")
    trace = (ValueError, error, None)
    record = logging.LogRecord("jackfield.x", logging.ERROR, "f", 1, "it %s", ("broke",), trace)
    line = formatter.format(record)
    assert "\n" not in line
    assert "it broke" in line
    assert "ValueError" in line
    assert KEY not in line


# Where it is written.


@pytest.fixture
def level() -> Iterator[int]:
    before = LOG.level, list(LOG.handlers)
    yield LOG.level
    assert (LOG.level, LOG.handlers) == before


@pytest.mark.usefixtures("level")
def test_nothing_is_configured_until_it_is_attached() -> None:
    before = list(LOG.handlers), LOG.level, list(logging.root.handlers), logging.root.level
    logs = Logs(LogSettings(level="DEBUG"))
    assert (LOG.handlers, LOG.level, logging.root.handlers, logging.root.level) == before
    with logs:
        logs.attach()
        assert len(LOG.handlers) == len(before[0]) + 1
        assert (logging.root.handlers, logging.root.level) == before[2:]
    logs.detach()


@pytest.mark.usefixtures("level")
def test_several_may_listen_each_at_its_own_level() -> None:
    with written("ERROR") as errors, written("DEBUG") as details:
        errors.provider("Hello").execute("m", "Hi")
        with written("INFO") as calls:
            errors.provider("Hello").execute("m", "Hi")
    assert errors.lines == []
    assert kinds(calls.records) == [("INFO", "call ended")]
    assert details.lines


def test_a_file_holds_what_several_programs_write_and_only_its_owner_reads_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "folder" / "log.jsonl"
    settings = LogSettings(level="INFO", format="json", path=path, prompts=True)
    for _ in range(2):
        manager = PluginManager()
        with Logs(settings) as logs:
            manager.register(logs)
            ScriptedProvider({"answers": ["\ud800 Grüße"]}, hook=manager.hook).execute("m", "Hi")
    lines = path.read_text("utf-8").splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["\ud800 Grüße"] * 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"logs: .* cannot be written .*: name another path"):
        Logs(LogSettings(path=tmp_path)).attach()


def test_a_disk_that_fails_is_told_once_and_stops_no_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no disk that is always full")
    manager = PluginManager()
    logs = Logs(LogSettings(level="INFO", path=full, prompts=True)).attach()
    manager.register(logs)
    provider = ScriptedProvider({"answers": ["Hello"]}, hook=manager.hook)
    assert [provider.execute("m", "Hi").text for _ in range(3)] == ["Hello"] * 3
    logs.detach()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "/dev/full fails" in said
