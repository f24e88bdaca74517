"""A kept answer is the first one, whole, for whoever asks the same; identical calls are made once."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve
from core_toy import BACKENDS, KEY, Toy, aio, streamed, whole
from hypothesis import given

from jackfield import (
    ChatRequest,
    ChatResponse,
    ConfigError,
    Cost,
    EmbeddingRequest,
    FinishReason,
    InvalidRequestError,
    LLMError,
    Message,
    ModelListRequest,
    Pricing,
    ProviderInfo,
    ProviderPart,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StreamInterruptedError,
    TextPart,
    Timeout,
    Usage,
    fold,
    hookimpl,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.drivers.virtual import VirtualDriver
from jackfield.flow import Flow
from jackfield.manager.settings import CacheSettings
from jackfield.middleware import cache as cache_module
from jackfield.middleware.cache import Cache, CacheStatistics, cache_issues
from jackfield.operations import RankedDocument, RerankRequest, RerankResponse
from jackfield.plugins import PluginManager
from jackfield.testing import Answer
from jackfield.testing import strategies as jf
from jackfield.testing.scripted import ScriptedProvider

WARM = datetime(2026, 7, 1, tzinfo=UTC)
ONCE = {"retry": {"attempts": 1}}


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.time = WARM

    def __call__(self) -> datetime:
        return self.time


def scripted(cache: Cache, *answers: Any, **config: Any) -> ScriptedProvider:
    manager = PluginManager()
    manager.register(cache)
    return ScriptedProvider({"answers": answers, **config}, hook=manager.hook)


@pytest.fixture(params=["memory", "disk"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cache]:
    made = Cache(CacheSettings(store=request.param, path=tmp_path / "cache.sqlite3"))
    yield made
    made.close()


def unmarked(response: Any) -> Any:
    """*response* as it was before the cache gave it again."""
    known = dict(response.provider_metadata)
    mark = dict(known.pop("jackfield"))
    saved, _ = mark.pop("saved"), mark.pop("cache")
    if mark:
        known["jackfield"] = mark
    amount = None if saved is None else Decimal(saved)
    source = "unknown" if saved is None else "computed"
    cost = Cost(amount=amount, source=source)
    return evolve(response, cost=cost, provider_metadata=known)


def mark(response: Any) -> Any:
    return response.provider_metadata.get("jackfield", {}).get("cache")


# What a hit is.


def test_the_same_question_is_asked_once(cache: Cache) -> None:
    provider = scripted(cache, "Hello", "Good day")
    assert [provider.execute("m", "Hi").text for _ in range(3)] == ["Hello"] * 3
    assert provider.execute("m", "Good morning").text == "Good day"
    assert len(provider.requests) == 2
    assert cache.statistics == CacheStatistics(hits=2, misses=2, stored=2)


@given(jf.responses())
def test_plain_or_streamed_a_hit_is_the_first_answer_but_for_its_mark_and_cost(
    answer: ChatResponse,
) -> None:
    cache = Cache()
    provider = scripted(cache, answer)
    first = provider.execute("m", "Hi")
    again, stream = provider.execute("m", "Hi"), provider.stream_execute("m", "Hi")
    events = list(stream)
    if cache.statistics.stored:
        assert unmarked(again) == first
        assert fold(events) == stream.response == again
        assert again.cost.amount == 0
    else:
        assert len(provider.requests) == 3


@given(jf.responses())
def test_so_it_is_when_the_first_answer_was_streamed(answer: ChatResponse) -> None:
    cache = Cache()
    provider = scripted(cache, answer)
    first = provider.stream_execute("m", "Hi").drain()
    if cache.statistics.stored:
        assert unmarked(provider.execute("m", "Hi")) == first


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_is_the_same_on_an_event_loop(cache: Cache, backend: str) -> None:
    provider = scripted(cache, "Hello", "Good day")

    async def main() -> list[str]:
        first = await provider.aexecute("m", "Hi")
        stream = provider.astream_execute("m", "Hi")
        texts = [str(event) async for event in stream]
        return [first.text, "".join(texts), stream.response.text]

    assert aio(main, backend) == ["Hello"] * 3


ODD = ChatResponse(
    message=Message(
        "assistant",
        [
            TextPart("Hi", provider_metadata={"claude": {"sealed": b"\x00\xff", "pair": (1, 2.5)}}),
            ProviderPart("claude", {"cost": Decimal("0.1"), "$": "text", 7: None}),
        ],
    ),
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(input_tokens=3, raw={"big": 2**70, "reason": FinishReason.STOP}),
    cost=Cost(amount=Decimal("0.000039"), source="provider"),
    provider_metadata={"jackfield": {"provider": "claude", "attempts": 2}},
)


def test_bytes_decimals_enumerations_and_metadata_survive(cache: Cache) -> None:
    provider = scripted(cache, ODD)
    provider.execute("m", "Hi")
    again = provider.execute("m", "Hi")
    part = again.message.content[1]
    assert isinstance(part, ProviderPart)
    assert type(part.data["cost"]) is Decimal
    assert again == evolve(
        ODD,
        cost=Cost(amount=Decimal(0), source="computed"),
        provider_metadata={
            "jackfield": {"provider": "claude", "attempts": 2, "cache": "hit", "saved": "0.000039"}
        },
    )


def test_what_a_caller_does_to_an_answer_is_not_in_the_next(cache: Cache) -> None:
    provider = scripted(cache, copy.deepcopy(ODD))
    for _ in range(3):
        response: Any = provider.execute("m", "Hi")
        assert "mine" not in response.provider_metadata
        response.provider_metadata["mine"] = response.usage.raw["mine"] = True


class Prices:
    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing | None:
        return Pricing(input=Decimal(3), output=Decimal(15))


def test_a_hit_costs_nothing_and_says_what_was_saved() -> None:
    manager = PluginManager()
    manager.register(Cache())
    manager.register(Prices())
    driver = ReplayDriver([Recorded(chunks=[whole("Hello")])])
    given = {"base_url": "https://toy.example", "api_key": KEY}
    provider = Toy(given, hook=manager.hook, driver=driver)
    first, again = provider.execute("m", "Hi"), provider.execute("m", "Hi")
    assert again.cost == Cost(amount=Decimal(0), source="computed")
    assert again.provider_metadata["jackfield"] == {"cache": "hit", "saved": "0.000039"}
    assert again.usage == first.usage
    assert mark(first) is None


def test_vectors_are_kept(cache: Cache) -> None:
    provider = scripted(cache)
    request = EmbeddingRequest(model="m", inputs=["one", "two"])
    first, again = provider.run(request), provider.run(request)
    assert unmarked(again) == first
    assert len(provider.requests) == 1


class Ranks(ScriptedProvider):
    info = ProviderInfo(name="ranks", display_name="Ranks")
    asked = 0

    @property
    def operations(self) -> Any:
        return super().operations | {RerankRequest}

    def flow(self, request: Any, **given: Any) -> Flow[Any]:
        if not isinstance(request, RerankRequest):
            return (yield from super().flow(request, **given))
        self.asked += 1
        return RerankResponse(results=(RankedDocument(index=1, score=0.5, document="b"),))


def test_rankings_are_kept(cache: Cache) -> None:
    manager = PluginManager()
    manager.register(cache)
    provider = Ranks(hook=manager.hook)
    request = RerankRequest(model="m", query="q", documents=["a", "b"])
    first, again = provider.run(request), provider.run(request)
    assert unmarked(again) == first
    assert provider.asked == 1


def test_what_changes_from_call_to_call_is_not(cache: Cache) -> None:
    provider = scripted(cache)
    provider.run(ModelListRequest())
    provider.run(ModelListRequest())
    assert len(provider.requests) == 2


# What is not kept.


@pytest.mark.parametrize(
    "answer",
    [
        Answer(refusal="I would rather not."),
        Answer("I would", finish_reason=FinishReason.CONTENT_FILTER),
        Answer("I", finish_reason=FinishReason.ERROR),
        ChatResponse(
            message=Message("assistant", "Hi"),
            finish_reason=FinishReason.STOP,
            provider_metadata={"odd": object()},
        ),
    ],
    ids=["refused", "filtered", "failed", "not data"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_not_good_is_not_kept(cache: Cache, answer: Any, stream: bool) -> None:
    provider = scripted(cache, answer, "Hello")
    if stream:
        provider.stream_execute("m", "Hi").drain()
    else:
        provider.execute("m", "Hi")
    assert provider.execute("m", "Hi").text == "Hello"
    assert cache.statistics.stored == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("cut", [None, 1])
def test_neither_is_an_error_nor_a_part_of_an_answer(
    cache: Cache, stream: bool, cut: int | None
) -> None:
    failing = Answer("Once upon a time", error=ServerError("down"), cut_after=cut)
    provider = scripted(cache, failing, "Hello", **ONCE)
    with pytest.raises((ServerError, StreamInterruptedError)):
        provider.stream_execute("m", "Hi").drain() if stream else provider.execute("m", "Hi")
    assert cache.statistics.stored == 0
    assert provider.execute("m", "Hi").text == "Hello"


@pytest.mark.parametrize("taken", [1, 3])
def test_neither_is_one_whose_consumer_left(cache: Cache, taken: int) -> None:
    provider = scripted(cache, "Once upon a time", "Hello")
    with provider.stream_execute("m", "Hi") as stream:
        for _ in range(taken):
            next(stream)
    assert cache.statistics.stored == 0
    assert provider.execute("m", "Hi").text == "Hello"


# How to go past it.


def test_a_call_may_go_past_the_cache_or_ask_anew(cache: Cache) -> None:
    provider = scripted(cache, "one", "two", "three")

    def ask(**metadata: Any) -> str:
        return provider.execute("m", "Hi", metadata=metadata).text

    assert [ask(), ask(cache=False), ask(), ask(cache=True)] == ["one", "two", "one", "one"]
    assert [ask(cache="refresh"), ask()] == ["three", "three"]


@pytest.mark.parametrize("wrong", ["no", None, 1.5, [False]])
def test_another_wish_is_refused_with_what_there_is(cache: Cache, wrong: Any) -> None:
    provider = scripted(cache, "Hello")
    with pytest.raises(InvalidRequestError, match="write False, or 'refresh'") as caught:
        provider.execute("m", "Hi", metadata={"cache": wrong})
    assert caught.value.param == "metadata"
    assert provider.requests == []


def test_tenants_share_nothing(cache: Cache) -> None:
    provider = scripted(cache, "one", "two", then="cycle")
    said = [provider.execute("m", "Hi", metadata={"tenant": t}).text for t in ("a", "b", "a", "b")]
    assert said == ["one", "two", "one", "two"]


def test_what_has_no_key_is_asked_each_time(cache: Cache) -> None:
    provider = scripted(cache, "one", "two")
    options = {"scripted": {"odd": object()}}
    said = [provider.execute("m", "Hi", provider_options=options).text for _ in range(2)]
    assert said == ["one", "two"]


def test_what_a_route_calls_is_not_looked_at(cache: Cache) -> None:
    request = ChatRequest(messages="Hi")
    assert cache.wrap_call(ScriptedProvider(), request, True) is None
    assert cache.wrap_call(ScriptedProvider(), request, False) is not None


@pytest.mark.parametrize("name", ["ttl", "entries", "megabytes"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_settings_that_make_no_sense_are_refused(name: str, value: Any) -> None:
    wrong = CacheSettings(**{name: value})
    with pytest.raises(ConfigError, match=f"cache.{name}: must be above 0"):
        Cache(wrong)
    assert [issue.path for issue in cache_issues("cache", wrong)] == [f"cache.{name}"]


# Time.


def test_in_memory_an_answer_grows_old_by_the_drivers_clock() -> None:
    provider = scripted(Cache(CacheSettings(ttl=60)), "one", "two")
    flows = [(at, provider.call(ChatRequest(messages="Hi"))) for at in (0.0, 59.0, 61.0, 62.0)]
    said = [r.text for r in VirtualDriver().run_all(flows)]
    assert said == ["one", "one", "two", "two"]


def test_on_disk_by_the_wall_clock_and_it_outlives_the_program(tmp_path: Path) -> None:
    clock, settings = Clock(), CacheSettings(store="disk", path=tmp_path / "a", ttl=60)

    def ask() -> int:
        """How often the backend of a new program is asked."""
        cache = Cache(settings, clock=clock)
        provider = scripted(cache, "Hello")
        assert provider.execute("m", "Hi").text == "Hello"
        cache.close()
        return len(provider.requests)

    assert [ask(), ask()] == [1, 0]
    clock.time += timedelta(seconds=61)
    assert [ask(), ask()] == [1, 0]


# Identical calls at once.


class Slow(ScriptedProvider):
    """Counts the calls that are really made."""

    def __init__(self, cache: Cache, *answers: Any, **config: Any) -> None:
        manager = PluginManager()
        manager.register(cache)
        super().__init__({"answers": answers, "delay": 10.0, **config}, hook=manager.hook)


def together(provider: ScriptedProvider, times: list[float], **options: Any) -> list[Any]:
    """What identical calls that start at *times* come to, in virtual time."""
    request = provider.chat_request("m", "Hi", **options)
    return VirtualDriver().run_all([(at, provider.call(request)) for at in times])


def test_a_hundred_identical_calls_are_one(cache: Cache) -> None:
    provider = Slow(cache, "Hello", "Good day")
    answers = together(provider, [n / 50 for n in range(100)])
    assert {a.text for a in answers} == {"Hello"}
    assert len(provider.requests) == 1
    assert sorted(map(str, map(mark, answers))) == ["None", *["joined"] * 99]
    assert cache.statistics == CacheStatistics(misses=1, joined=99, stored=1)


def test_under_threads_too(cache: Cache) -> None:
    entered, go = threading.Barrier(33), threading.Event()

    def answer(_request: Any) -> str:
        go.wait(10)
        return "Hello"

    provider, said = scripted(cache, answer), list[str]()

    def ask() -> None:
        entered.wait()
        said.append(provider.execute("m", "Hi").text)

    threads = [threading.Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    entered.wait()
    go.set()
    for thread in threads:
        thread.join()
    assert said == ["Hello"] * 32
    assert len(provider.requests) == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_under_event_loops_too(cache: Cache, backend: str) -> None:
    provider, said = scripted(cache, "Hello", delay=0.05), list[str]()

    async def ask(stream: bool) -> None:
        if stream:
            said.append("".join([str(e) async for e in provider.astream_execute("m", "Hi")]))
        else:
            said.append((await provider.aexecute("m", "Hi")).text)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for n in range(100):
                tasks.start_soon(ask, n % 2 == 0)

    aio(main, backend)
    assert said == ["Hello"] * 100
    assert len(provider.requests) == 1


def test_tenants_that_ask_at_once_ask_each_for_itself(cache: Cache) -> None:
    provider = Slow(cache, *[f"answer {n}" for n in range(5)])
    requests = [
        provider.chat_request("m", "Hi", metadata={"tenant": str(n % 5)}) for n in range(20)
    ]
    answers = VirtualDriver().run_all([(0.0, provider.call(r)) for r in requests])
    assert [a.text for a in answers] == [answers[n % 5].text for n in range(20)]
    assert len({a.text for a in answers}) == len(provider.requests) == 5


@pytest.mark.parametrize("kind", [ServerError, RateLimitError, InvalidRequestError])
def test_an_error_is_its_callers_alone_and_another_takes_over(
    cache: Cache, kind: type[LLMError]
) -> None:
    provider = Slow(cache, Answer(error=kind("no")), "Hello", **ONCE)
    first, *others = together(provider, [0.0] * 10)
    assert isinstance(first, kind)
    assert {a.text for a in others} == {"Hello"}
    assert len(provider.requests) == 2


def timed(driver: VirtualDriver, flow: Flow[Any]) -> Flow[tuple[Any, float]]:
    """What comes of *flow*, and when."""
    try:
        return (yield from flow), driver.now
    except LLMError as error:
        return error, driver.now


def test_who_waited_for_two_failures_asks_by_himself(cache: Cache) -> None:
    """So that an outage is told to everybody in three calls' time, however many they are."""
    provider, driver = Slow(cache, Answer(error=ServerError("no")), **ONCE), VirtualDriver()
    request = ChatRequest(messages="Hi")
    ended = driver.run_all([(0.0, timed(driver, provider.call(request))) for _ in range(50)])
    assert [at for _, at in ended] == [10.0, 20.0, *[30.0] * 48]
    assert {type(error) for error, _ in ended} == {ServerError}
    assert len({id(error) for error, _ in ended}) == len(provider.requests) == 50


def test_an_answer_that_is_not_kept_is_not_shared(cache: Cache) -> None:
    provider = Slow(cache, Answer(refusal="No."), "Hello")
    first, other = together(provider, [0.0, 1.0])
    assert (first.refusal, other.text, mark(other)) == ("No.", "Hello", None)


@pytest.mark.parametrize("backend", BACKENDS)
def test_when_the_caller_is_cancelled_another_takes_over(cache: Cache, backend: str) -> None:
    provider, said = scripted(cache, Answer("slow", delay=60), "Hello"), list[str]()

    async def ask() -> None:
        said.append((await provider.aexecute("m", "Hi")).text)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            leader = anyio.CancelScope()

            async def lead() -> None:
                with leader:
                    await ask()

            tasks.start_soon(lead)
            while not provider.requests:  # noqa: ASYNC110  # the provider tells nobody
                await anyio.sleep(0.001)
            for _ in range(5):
                tasks.start_soon(ask)
            while cache.statistics.misses == 1 and not said:
                await anyio.sleep(0.01)
                leader.cancel()

    aio(main, backend)
    assert said == ["Hello"] * 5
    assert len(provider.requests) == 2


def test_when_the_consumer_of_a_stream_leaves_another_takes_over(cache: Cache) -> None:
    provider, said = scripted(cache, "Once upon a time", "Hello"), list[str]()
    stream = provider.stream_execute("m", "Hi")
    next(stream)
    other = threading.Thread(target=lambda: said.append(provider.execute("m", "Hi").text))
    other.start()
    stream.close()
    other.join()
    assert said == ["Hello"]


def test_a_consumer_who_takes_no_events_holds_nobody_up(cache: Cache) -> None:
    """Others wait for as long as between two events of a stream, and nobody ever after."""
    provider = scripted(cache, "Once upon a time", "Hello")
    stream = provider.stream_execute("m", "Hi")
    next(stream)
    flows = [provider.call(ChatRequest(model="m", messages="Hi")) for _ in range(3)]
    driver = VirtualDriver()
    starts = zip((0.0, 0.0, 61.0), flows, strict=True)
    ended = driver.run_all([(at, timed(driver, flow)) for at, flow in starts])
    assert [(a.text, at) for a, at in ended] == [("Hello", 60.0), ("Hello", 60.0), ("Hello", 61.0)]
    assert len(provider.requests) == 2
    stream.close()
    assert provider.execute("m", "Hi").text == "Hello"


def test_a_slow_answer_is_waited_for_while_it_comes(cache: Cache) -> None:
    provider = scripted(cache, "a b c d e", "Hello", delay=50.0, pause=50.0)
    request = ChatRequest(messages="Hi")
    flows = [(0.0, provider.call(request, stream=True)), (1.0, provider.call(request))]
    answers = VirtualDriver().run_all(flows)
    assert [a.text for a in answers] == ["a b c d e"] * 2
    assert len(provider.requests) == 1


def test_who_waits_keeps_his_own_time(cache: Cache) -> None:
    provider = Slow(cache, "Hello")
    patient, hasty = (
        provider.chat_request("m", "Hi", timeout=Timeout(total=total)) for total in (60, 3)
    )
    driver = VirtualDriver()
    first, second = driver.run_all([(0.0, provider.call(patient)), (1.0, provider.call(hasty))])
    assert first.text == "Hello"
    assert isinstance(second, RequestTimeoutError)
    assert (second.provider, second.model) == ("scripted", "m")


def test_who_takes_over_has_what_is_left_of_it(cache: Cache) -> None:
    """It waited 10 of its 15 or 25 seconds; the answer would take 10 more."""
    found = []
    for total in (15, 25):
        provider = Slow(cache, Answer(error=ServerError("no"), delay=10.0), "Hello", **ONCE)
        driver = VirtualDriver()
        calls = [
            provider.call(provider.chat_request("m", f"Hi {total}", timeout=Timeout(total=t)))
            for t in (600, total)
        ]
        found.append(driver.run_all([(0.0, timed(driver, c)) for c in calls])[1])
    (error, at), (answer, then) = found
    assert isinstance(error, RequestTimeoutError)
    assert answer.text == "Hello"
    assert (at, then) == (15.0, 20.0)


def test_a_consumer_that_stopped_reading_keeps_nobody_with_a_timeout_of_his_own(
    cache: Cache,
) -> None:
    provider = scripted(cache, "a b c")
    with provider.stream_execute("m", "Hi") as stream:
        next(iter(stream))
        assert provider.execute("m", "Hi", timeout=2).text == "a b c"


def test_an_answer_larger_than_all_that_is_kept_pushes_nothing_out(tmp_path: Path) -> None:
    for place in ({}, {"path": tmp_path / "kept.sqlite"}):
        cache = Cache(CacheSettings(megabytes=0.02, **place))  # type: ignore[arg-type]  # one word
        provider = scripted(cache, "small", "x" * 30_000, "anew")
        for prompt in ("Hi", "long", "Hi"):
            provider.execute("m", prompt)
        assert len(provider.requests) == 2
        cache.close()


def test_a_number_and_its_text_are_two_wishes(cache: Cache) -> None:
    provider = scripted(cache, "one", "two")
    said = [
        provider.execute("m", "Hi", provider_options={"scripted": {"x": value}}).text
        for value in (Decimal("0.5"), "0.5")
    ]
    assert said == ["one", "two"]


def test_asking_anew_waits_for_nobody(cache: Cache) -> None:
    provider = Slow(cache, "one", "two")
    usual = provider.chat_request("m", "Hi")
    anew = evolve(usual, metadata={"cache": "refresh"})
    flows = [(0.0, usual), (1.0, anew), (12.0, usual)]
    answers = VirtualDriver().run_all([(at, provider.call(r)) for at, r in flows])
    assert [a.text for a in answers] == ["one", "two", "two"]


def test_many_questions_of_many_at_once_get_their_own_answers() -> None:
    cache = Cache(CacheSettings(entries=5))
    provider = scripted(cache, lambda request: request.messages[-1].text)
    wrong: list[str] = []

    def ask(seed: int) -> None:
        for n in range(200):
            question = f"question {(seed * 7 + n) % 11}"
            text = provider.execute("m", question).text
            wrong.extend([text] if text != question else [])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = cache.statistics
    assert wrong == []
    assert counted.hits + counted.misses + counted.joined == 16 * 200
    assert counted.misses == len(provider.requests) == counted.stored


# The disk.


def test_programs_share_a_file(tmp_path: Path) -> None:
    settings = CacheSettings(store="disk", path=tmp_path / "cache.sqlite3")
    one, other = Cache(settings), Cache(settings)
    first = scripted(one, "Hello").execute("m", "Hi")
    provider = scripted(other, "Hello")
    assert unmarked(provider.execute("m", "Hi")) == first
    assert provider.requests == []
    one.close()
    other.close()


def test_no_key_of_a_provider_is_in_the_file(tmp_path: Path) -> None:
    cache = Cache(CacheSettings(store="disk", path=tmp_path / "cache.sqlite3"))
    manager = PluginManager()
    manager.register(cache)
    given = {"base_url": "https://toy.example", "api_key": KEY, "headers": {"x-key": "canary-0123"}}
    driver = ReplayDriver([Recorded(chunks=streamed("Hello"))])
    Toy(given, hook=manager.hook, driver=driver).stream_execute("m", "Hi").drain()
    assert cache.statistics.stored == 1
    for file in tmp_path.iterdir():
        held = file.read_bytes()
        assert KEY.encode() not in held
        assert b"canary-0123" not in held
    cache.close()


@pytest.mark.parametrize("kind", ["plain", "stream"])
def test_a_disk_that_cannot_be_used_fails_no_call_and_identical_ones_are_still_one(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache.sqlite3").mkdir()
    cache = Cache(CacheSettings(store="disk", path=tmp_path / "cache.sqlite3"))
    provider = Slow(cache, "one", "two")
    request = ChatRequest(messages="Hi")
    flows = [(at, provider.call(request, stream=kind == "stream")) for at in (0.0, 5.0, 20.0)]
    answers = VirtualDriver().run_all(flows)
    assert [a.text for a in answers] == ["one", "one", "two"]
    assert cache.statistics.stored == 0
    assert caplog.records
    assert all(r.levelno == logging.WARNING for r in caplog.records)


def test_an_answer_of_a_class_that_is_gone_is_asked_for_again(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = scripted(cache, "one", "two")
    provider.execute("m", "Hi")

    def fails(_plain: Any) -> Any:
        raise ValueError("there is no such class here")

    with monkeypatch.context() as broken:
        broken.setattr(cache_module, "decode", fails)
        assert provider.execute("m", "Hi").text == "two"
    assert provider.execute("m", "Hi").text == "two"
    assert len(provider.requests) == 2
