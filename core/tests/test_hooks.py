"""Hooks go around every call alike, price answers, count tokens, and cost nothing where absent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from core_toy import BACKENDS, KEY, Toy, aio, streamed, whole

from jackfield import (
    ChatRequest,
    ChatResponse,
    Cost,
    LLMError,
    Message,
    OverloadedError,
    Pricing,
    StreamInterruptedError,
    TextDelta,
    Usage,
    create_provider,
    hookimpl,
    replay,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.drivers.virtual import VirtualDriver
from jackfield.flow import Flow, sleep
from jackfield.plugins import PluginManager
from jackfield.retrying import Budget
from jackfield.testing import Answer, ScriptedProvider


@pytest.fixture
def manager() -> PluginManager:
    """A manager of its own: what a test registers stays in it."""
    return PluginManager()


def toy(manager: PluginManager, *answers: Recorded, **config: Any) -> Toy:
    given = {"base_url": "https://toy.example", "api_key": KEY, "retry": {"attempts": 3}, **config}
    drivers: Any = {"driver": ReplayDriver(answers), "async_driver": AsyncReplayDriver(answers)}
    return Toy(given, hook=manager.hook, **drivers)


class Spy:
    """Writes down each call's end."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @hookimpl
    def wrap_call(self, provider: Any, request: Any) -> Any:
        def spy(flow: Flow[Any]) -> Flow[Any]:
            self.seen.append((provider.name, request.model))
            try:
                response = yield from flow
            except LLMError as error:
                self.seen.append(type(error).__name__)
                raise
            except GeneratorExit:
                self.seen.append("left")
                raise
            self.seen.append(response.text)
            return response

        return spy


PLAIN = Recorded(chunks=[whole("Hello")])
STREAM = Recorded(chunks=streamed("Hel", "lo"))


def test_middleware_sees_blocking_plain_and_streamed_calls_alike(manager: PluginManager) -> None:
    spy = Spy()
    manager.register(spy)
    provider = toy(manager, PLAIN, STREAM)
    assert provider.execute("m", "Hi").text == "Hello"
    assert "".join(map(str, provider.stream_execute("m", "Hi"))) == "Hello"
    assert spy.seen == [("toy", "m"), "Hello"] * 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_and_asynchronous_ones(manager: PluginManager, backend: str) -> None:
    spy = Spy()
    manager.register(spy)

    async def main() -> None:
        provider = toy(manager, PLAIN, STREAM)
        await provider.aexecute("m", "Hi")
        await provider.astream_execute("m", "Hi").drain()

    aio(main, backend)
    assert spy.seen == [("toy", "m"), "Hello"] * 2


def test_middleware_sees_one_call_however_many_attempts(manager: PluginManager) -> None:
    spy = Spy()
    manager.register(spy)
    toy(manager, Recorded(status=503), Recorded(status=503), PLAIN).execute("m", "Hi")
    assert spy.seen == [("toy", "m"), "Hello"]


class AttemptSpy(Spy):
    """Writes down each attempt's end."""

    @hookimpl
    def wrap_attempt(self, provider: Any, request: Any) -> Any:
        return Spy.wrap_call(self, provider, request)

    def wrap_call(self, provider: Any, request: Any) -> Any:
        """Not a hook here."""


def test_middleware_of_attempts_sees_every_one(manager: PluginManager) -> None:
    spy = AttemptSpy()
    manager.register(spy)
    toy(manager, Recorded(status=503), PLAIN).execute("m", "Hi")
    assert spy.seen == [("toy", "m"), "OverloadedError", ("toy", "m"), "Hello"]


def test_middleware_sees_how_a_call_failed_or_was_left(manager: PluginManager) -> None:
    spy = Spy()
    manager.register(spy)
    with pytest.raises(OverloadedError):
        toy(manager, *[Recorded(status=503)] * 3).execute("m", "Hi")
    with toy(manager, STREAM).stream_execute("m", "Hi") as stream:
        next(stream)
    assert spy.seen == [("toy", "m"), "OverloadedError", ("toy", "m"), "left"]


class Preparing:
    """Says *word* at the end of what is asked, and notes which calls are nested."""

    def __init__(self, word: str) -> None:
        self.word, self.nested = word, list[bool]()

    @hookimpl
    def prepare_call(self, provider: Any, request: Any, nested: bool) -> Any:
        self.nested.append(nested)

        def prepare(given: ChatRequest) -> ChatRequest:
            return evolve(given, messages=[Message("user", given.messages[0].text + self.word)])

        return prepare if isinstance(request, ChatRequest) else None


def test_what_is_asked_may_be_changed_before_a_call(manager: PluginManager) -> None:
    one, two, spy = Preparing(" one"), Preparing(" two"), AskedSpy()
    for plugin in (one, two, spy):
        manager.register(plugin)
    provider = manager.create("scripted", {"answers": ["Hello"], "retry": {"attempts": 1}})
    assert isinstance(provider, ScriptedProvider)
    provider.execute("m", "Hi")
    provider.list_models()
    asked = provider.requests[0]
    assert isinstance(asked, ChatRequest)
    assert (
        asked.messages[0].text == "Hi one two"
    )  # in the order in which wrappers stand, outside first
    assert spy.asked[0] is asked
    VirtualDriver().run(provider.call(asked, budget=Budget(1, 100)))
    assert one.nested == [False, False, True]


class AskedSpy:
    """Notes what the wrappers of a call are told that it asks."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    @hookimpl
    def wrap_call(self, request: Any) -> None:
        self.asked.append(request)


def test_preparing_may_fail_in_the_calls_place(manager: PluginManager) -> None:
    class Refusing:
        @hookimpl
        def prepare_call(self) -> Any:
            def refuse(_request: Any) -> Any:
                raise OverloadedError("not now")

            return refuse

    spy = Spy()
    manager.register(Refusing())
    manager.register(spy)
    with pytest.raises(OverloadedError, match="not now"):
        toy(manager).execute("m", "Hi")
    assert spy.seen == []


class Cache:
    """Answers what was asked before without asking again."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    @hookimpl
    def wrap_call(self, provider: Any, request: Any) -> Any:
        def cached(flow: Flow[Any]) -> Flow[Any]:
            key = (provider.name, repr(request))
            if key in self.kept:
                flow.close()
                yield replay(self.kept[key])
                return self.kept[key]
            self.kept[key] = yield from flow
            return self.kept[key]

        return cached


def test_a_cache_is_a_few_lines_and_serves_streams_from_plain_calls(manager: PluginManager) -> None:
    manager.register(Cache())
    provider = toy(manager, PLAIN)
    answer = provider.execute("m", "Hi")
    assert provider.execute("m", "Hi") == answer
    stream = provider.stream_execute("m", "Hi")
    assert "".join(map(str, stream)) == "Hello"
    assert stream.response == answer


def test_middleware_may_change_the_events_and_use_effects_of_its_own(
    manager: PluginManager,
) -> None:
    class Shout:
        @hookimpl
        def wrap_call(self, provider: Any, request: Any) -> Any:
            def shout(flow: Flow[Any]) -> Flow[Any]:
                yield from sleep(5)
                step, outcome = None, None
                while True:
                    try:
                        step = flow.send(outcome)
                    except StopIteration as stop:
                        return stop.value
                    if isinstance(step, list):
                        step = [
                            TextDelta(str(e).upper()) if isinstance(e, TextDelta) else e
                            for e in step
                        ]
                    outcome = yield step

            return shout

    manager.register(Shout())
    assert "".join(map(str, toy(manager, STREAM).stream_execute("m", "Hi"))) == "HELLO"


def test_middleware_without_interest_returns_none(manager: PluginManager) -> None:
    class Bored:
        @hookimpl
        def wrap_call(self, provider: Any, request: Any) -> None:
            return None

    manager.register(Bored())
    assert toy(manager, PLAIN).execute("m", "Hi").text == "Hello"


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_of_middleware_surfaces_and_the_response_is_closed(
    manager: PluginManager, stream: bool
) -> None:
    class Broken:
        @hookimpl
        def wrap_call(self, provider: Any, request: Any) -> Any:
            def broken(flow: Flow[Any]) -> Flow[Any]:
                step = next(flow)
                while not isinstance(step, list):
                    step = flow.send((yield step))
                raise ZeroDivisionError

            return broken

    manager.register(Broken())
    provider = toy(manager, STREAM)
    request = provider.chat_request("m", "Hi")
    with pytest.raises(ZeroDivisionError):
        list(provider.stream(request)) if stream else provider._driver.run(
            provider.call(request, stream=True)
        )
    assert [r.closed for r in provider._driver.transport.responses] == [True]  # type: ignore[attr-defined]  # a ReplayDriver


PRICES = Pricing(
    input=Decimal(3),
    output=Decimal(15),
    cache_read=Decimal("0.3"),
    source="a table",
    as_of=date(2026, 1, 1),
)


class Prices:
    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing | None:
        return PRICES if (provider, model) == ("toy", "m") else None


def test_a_price_makes_a_cost_of_plain_and_streamed_answers_alike(manager: PluginManager) -> None:
    manager.register(Prices())
    counted = b'data: {"id":"1","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
    stream = Recorded(chunks=[*streamed("Hello")[:-1], counted, streamed()[-1]])
    provider = toy(manager, PLAIN, stream)
    cost = Cost(amount=Decimal("0.000039"), source="computed")
    assert provider.execute("m", "Hi").cost == cost
    assert provider.stream_execute("m", "Hi").drain().cost == cost


def test_an_unknown_price_or_usage_is_an_unknown_cost_and_not_zero(manager: PluginManager) -> None:
    manager.register(Prices())
    provider = toy(manager, Recorded(chunks=[whole("Hello", model="other")]), STREAM)
    assert provider.execute("other", "Hi").cost == Cost()
    assert str(provider.stream_execute("m", "Hi").drain().cost) == "unknown"


def test_cached_tokens_have_their_own_price() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0, cache_read_tokens=500_000)
    assert PRICES.cost(usage).amount == Decimal("1.65")
    writes = Usage(input_tokens=1_000_000, output_tokens=0, cache_write_tokens=1_000_000)
    assert PRICES.cost(writes).amount == Decimal(3)


def test_more_cached_tokens_than_there_were_make_no_money() -> None:
    """Some services report the cached tokens of a whole conversation."""
    usage = Usage(input_tokens=298, output_tokens=0, cache_read_tokens=1_000_000)
    assert PRICES.cost(usage).amount == Decimal("0.3")


def test_a_tokenizer_counts_for_a_provider_that_cannot(manager: PluginManager) -> None:
    class Words:
        @hookimpl
        def count_tokens(self, provider: str, model: str, request: Any) -> int | None:
            return len(request.messages[0].text.split()) if model == "m" else None

    manager.register(Words())
    provider = toy(manager)
    counted = provider.count_tokens("m", "three words here")
    assert (counted.input_tokens, counted.estimated) == (3, False)
    guessed = provider.count_tokens("other", "three words here")
    assert guessed.estimated
    assert [w.kind for w in guessed.warnings] == ["emulated"]
    assert guessed.input_tokens > 0


def test_registering_later_takes_effect_on_the_next_call(manager: PluginManager) -> None:
    provider = toy(manager, PLAIN, PLAIN, PLAIN)
    spy = Spy()
    provider.execute("m", "Hi")
    manager.register(spy)
    provider.execute("m", "Hi")
    manager.unregister(spy)
    provider.execute("m", "Hi")
    assert len(spy.seen) == 2


def test_wrappers_of_several_plugins_nest(manager: PluginManager) -> None:
    order: list[str] = []

    def plugin(name: str) -> Any:
        class Plugin:
            @hookimpl
            def wrap_call(self, provider: Any, request: Any) -> Any:
                def wrap(flow: Flow[Any]) -> Flow[Any]:
                    order.append(f"{name} in")
                    response = yield from flow
                    order.append(f"{name} out")
                    return response

                return wrap

        return Plugin()

    for name in ("a", "b"):
        manager.register(plugin(name))
    toy(manager, PLAIN).execute("m", "Hi")
    assert [o.split()[1] for o in order] == ["in", "in", "out", "out"]
    assert order[0].split()[0] == order[-1].split()[0]


def test_a_partial_answer_reaches_middleware_with_the_error(manager: PluginManager) -> None:
    kept: list[Any] = []

    class Ledger:
        @hookimpl
        def wrap_call(self, provider: Any, request: Any) -> Any:
            def ledger(flow: Flow[Any]) -> Flow[Any]:
                try:
                    return (yield from flow)
                except StreamInterruptedError as error:
                    kept.append(error.partial_text)
                    raise

            return ledger

    manager.register(Ledger())
    provider = manager.create("scripted", {"answers": [Answer("Once upon a time", cut_after=2)]})
    with pytest.raises(StreamInterruptedError):
        list(provider.stream_execute("m", "Hi"))
    assert kept == ["Once upon "]


def test_a_provider_without_a_manager_has_no_hooks() -> None:
    response = ChatResponse(message=Message("assistant", "Hello"))
    assert create_provider("scripted", {"answers": [response]}).execute("m", "Hi") == response
