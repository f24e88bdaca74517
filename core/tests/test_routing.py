"""Routes answer as long as a target can, ask nobody in vain, and never multiply an outage."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from core_backends import Backend, ask, during
from core_toy import BACKENDS, aio
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ChatResponse,
    ConfigError,
    ConfigIssue,
    ContentFilterError,
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    Pricing,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StreamInterruptedError,
    StreamRestart,
    TransportError,
    create_provider,
    fold,
    hookimpl,
)
from jackfield.drivers.virtual import VirtualDriver
from jackfield.plugins import PluginManager
from jackfield.routing import Balance, Fallback, Keys, Route, RouteExplanation, RouteTarget
from jackfield.testing import Answer, ScriptedProvider

DOWN = [OverloadedError, ServerError, TransportError, RequestTimeoutError, RateLimitError]
ELSEWHERE = [*DOWN, QuotaExceededError]
OURS = [InvalidRequestError, NotFoundError, ContextLengthExceededError, ContentFilterError]
REFUSED = [AuthenticationError, PermissionDeniedError]


def always(kind: type[LLMError], **facts: Any) -> Any:
    return during(0, float("inf"), lambda: kind("no", **facts))


def calls(route: Route, count: int, every: float = 0.5, seed: int = 0) -> list[Any]:
    """The results of *count* calls, one every so many seconds, in virtual time."""
    flows = [(every * i, route.call(ask())) for i in range(count)]
    return VirtualDriver(seed=seed).run_all(flows)


def texts(results: list[Any]) -> Counter[str]:
    return Counter(r.text if isinstance(r, ChatResponse) else type(r).__name__ for r in results)


# Failing over.


@pytest.mark.parametrize("kind", ELSEWHERE)
@pytest.mark.parametrize("every", [0.0, 0.01, 1.0])
def test_a_healthy_second_target_answers_every_call(kind: type[LLMError], every: float) -> None:
    route = Fallback.of(Backend("first", always(kind)), Backend("second"))
    assert texts(calls(route, 1000, every)) == {"second": 1000}


@pytest.mark.parametrize("kind", [*OURS, *REFUSED])
def test_what_is_the_requests_or_the_keys_fault_is_asked_nobody_else(kind: type[LLMError]) -> None:
    second = Backend("second")
    results = calls(Fallback.of(Backend("first", always(kind)), second), 20)
    assert texts(results) == {kind.__name__: 20}
    assert second.arrivals == []


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_key_passes_the_call_on_where_that_is_asked_for(kind: type[LLMError]) -> None:
    first = Backend("first", always(kind))
    route = Fallback.of(first, Backend("second"), dead_key="fail_over")
    assert texts(calls(route, 100)) == {"second": 100}
    assert len(first.arrivals) == 1


def test_the_first_target_gets_its_calls_back_when_it_is_well_again() -> None:
    first = Backend("first", during(10, 40, lambda: ServerError("no")))
    results = calls(Fallback.of(first, Backend("second")), 200, every=1.0)
    answered = [r.text for r in results]
    assert answered[:10] == ["first"] * 10
    assert answered[10:40] == ["second"] * 30
    # It opened within five calls, is probed when its cooldown is over, and is back a call later.
    assert answered[75:] == ["first"] * 125
    assert len([t for t in first.arrivals if 20 <= t < 45]) <= 1


def test_an_answer_tells_who_gave_it_and_at_which_attempt() -> None:
    inner = Balance.of(Backend("a", always(ServerError)), Backend("b", always(ServerError)))
    route = Fallback.of(inner, Backend("c"))
    (answer,) = calls(route, 1)
    assert answer.provider_metadata["jackfield"] == {"provider": "c", "attempts": 3}


def test_attempts_are_counted_across_routes() -> None:
    pairs = [Fallback.of(Backend(n, always(ServerError)), Backend(n)) for n in "ab"]
    first = Backend("first", always(ServerError))
    (answer,) = calls(Fallback.of(first, *pairs), 1)
    assert answer.provider_metadata["jackfield"] == {"provider": "a", "attempts": 3}


def test_a_route_is_ready_while_one_of_its_targets_is() -> None:
    class Unready(Backend):
        def check_config(self) -> list[ConfigIssue]:
            return [ConfigIssue("api_key", "there is none", "set it")]

    assert list(Fallback.of(Unready("a"), Backend("b")).validate_config()) == []
    (issue,) = Fallback.of(Unready("a")).validate_config()
    assert issue.path == "a: api_key"


def test_when_all_fail_the_error_tells_what_each_said() -> None:
    route = Fallback.of(Backend("a", always(ServerError)), Backend("b", always(QuotaExceededError)))
    (error,) = calls(route, 1)
    assert isinstance(error, LLMError)
    assert error.attempts == 4
    assert sum("a: ServerError" in note for note in error.__notes__) >= 1


# Outages.


@pytest.mark.parametrize("targets", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [ServerError, TransportError, RequestTimeoutError])
def test_a_full_outage_is_not_multiplied(targets: int, kind: type[LLMError]) -> None:
    backends = [Backend(str(i), always(kind)) for i in range(targets)]
    offered = 6000
    calls(Fallback.of(*backends), offered, every=0.01)
    assert sum(len(b.arrivals) for b in backends) <= 1.1 * offered + 100


def test_routes_in_routes_do_not_multiply_retries_either() -> None:
    backends = [Backend(str(i), always(ServerError)) for i in range(4)]
    pairs = [Fallback.of(*backends[:2]), Balance.of(*backends[2:])]
    calls(Fallback.of(*pairs), 6000, every=0.01)
    assert sum(len(b.arrivals) for b in backends) <= 1.1 * 6000 + 100


@given(
    st.lists(st.sampled_from(["ok", "down", "limited"]), min_size=1, max_size=5),
    st.integers(1, 6),
)
def test_one_call_tries_at_most_as_often_as_its_budget_says(
    kinds: list[str], attempts: int
) -> None:
    faults: dict[str, Any] = {
        "ok": None, "down": always(ServerError), "limited": always(RateLimitError),
    }  # fmt: skip
    backends = [Backend(str(i), faults[kind]) for i, kind in enumerate(kinds)]
    (result,) = calls(Fallback.of(*backends, retry={"attempts": attempts}), 1)
    tried = sum(len(b.arrivals) for b in backends)
    assert tried <= len(backends) + attempts - 1
    assert isinstance(result, ChatResponse) == ("ok" in kinds)
    assert "ok" not in kinds or tried == kinds.index("ok") + 1


def test_a_limit_is_obeyed_and_is_no_outage() -> None:
    first = Backend("first", during(0, 20, lambda: RateLimitError("slow", retry_after=20.0)))
    route = Fallback.of(first, Backend("second"))
    answered = texts(calls(route, 40, every=1.0))
    assert answered["second"] >= 20
    assert answered["first"] + answered["second"] == 40
    assert len([t for t in first.arrivals if 0.2 < t < 20]) == 0


# Breakers.


def test_a_breaker_opens_after_five_failures_and_one_call_probes_it() -> None:
    first = Backend("first", always(ServerError))
    route = Fallback.of(first, Backend("second"))
    calls(route, 300, every=0.2)
    early = [t for t in first.arrivals if t < 30]
    assert len(early) == 5
    assert len(first.arrivals) - 5 == 1  # one probe in the half minute after the cooldown


def test_it_opens_at_half_of_twenty_within_ten_seconds() -> None:
    turns = iter(range(10_000))
    flaky = Backend("flaky", lambda *_: ServerError("no") if next(turns) % 2 else None)
    calls(Fallback.of(flaky, Backend("second")), 60, every=0.3)
    assert 20 <= len([t for t in flaky.arrivals if t < 30]) <= 22


@given(st.integers(1, 8))
def test_at_most_half_of_the_targets_are_out(count: int) -> None:
    backends = [Backend(str(i), always(ServerError), 0.01) for i in range(count)]
    route = Balance.of(*backends)
    calls(route, 400, every=0.05)
    late = [sum(t > 15 for t in b.arrivals) for b in backends]
    assert sum(n > 0 for n in late) >= count - count // 2


def test_a_target_that_is_well_again_is_back_within_its_cooldown_and_a_second() -> None:
    first = Backend("first", during(0, 29, lambda: ServerError("no")))
    results = calls(Fallback.of(first, Backend("second")), 500, every=0.1)
    opened = sorted(first.arrivals)[4]
    back = next(i * 0.1 for i, r in enumerate(results) if r.text == "first")
    assert back <= opened + 0.1 + 30 + 1


# Balance.


@settings(max_examples=25)  # of two thousand calls each
@given(st.lists(st.integers(1, 20), min_size=2, max_size=6))
def test_weights_are_met_within_two_percent(weights: list[int]) -> None:
    targets = [RouteTarget(Backend(str(i)), weight=float(w)) for i, w in enumerate(weights)]
    counted = texts(calls(Balance.of(*targets, strategy="weighted"), 2000, every=0.001))
    for i, weight in enumerate(weights):
        assert abs(counted[str(i)] / 2000 - weight / sum(weights)) <= 0.02


def test_round_robin_takes_turns() -> None:
    route = Balance.of(*(Backend(name) for name in "abc"))
    assert [r.text for r in calls(route, 7)] == list("abcabca")


def test_the_least_busy_is_asked() -> None:
    slow, quick = Backend("slow", latency=10.0), Backend("quick", latency=0.5)
    counted = texts(calls(Balance.of(slow, quick, strategy="least_busy"), 200, every=0.1))
    assert counted["quick"] > 5 * counted["slow"]


def test_the_least_recently_used_is_asked() -> None:
    route = Balance.of(*(Backend(name) for name in "abc"), strategy="least_recently_used")
    assert [r.text for r in calls(route, 6)] == list("abcabc")


def test_the_quickest_is_asked_once_all_were_measured() -> None:
    backends = [Backend("slow", latency=2.0), Backend("quick", latency=0.1)]
    counted = texts(calls(Balance.of(*backends, strategy="least_latency"), 100, every=0.5))
    assert counted["slow"] <= 2


def test_two_random_choices_prefer_the_less_busy() -> None:
    backends = [Backend("slow", latency=20.0), *(Backend(n, latency=0.2) for n in "ab")]
    counted = texts(calls(Balance.of(*backends, strategy="random_two"), 500, every=0.05))
    assert counted["slow"] < 60


class Prices:
    """What the models here cost."""

    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing | None:
        known = {"dear": Decimal(10), "cheap": Decimal(1)}
        return Pricing(input=known[model], output=known[model]) if model in known else None


def test_the_cheapest_is_asked_with_its_multiplier_counted() -> None:
    manager = PluginManager()
    manager.register(Prices())
    dear, cheap = (Backend(name, hook=manager.hook) for name in ("dear", "cheap"))
    targets = [RouteTarget(dear, "dear"), RouteTarget(cheap, "cheap")]
    assert texts(calls(Balance.of(*targets, strategy="cheapest"), 10)) == {"cheap": 10}
    targets[1] = RouteTarget(cheap, "cheap", cost_multiplier=Decimal(11))
    assert texts(calls(Balance.of(*targets, strategy="cheapest"), 10)) == {"dear": 10}


class Last:
    """A strategy of one's own."""

    def choose(self, candidates: Any, request: Any, chance: float) -> Any:
        return candidates[-1]


def test_a_strategy_may_be_anybodys() -> None:
    route = Balance.of(Backend("a"), Backend("b"), strategy=Last())
    assert texts(calls(route, 3)) == {"b": 3}


def test_an_unknown_strategy_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean least_latency"):
        Balance.of(Backend("a"), strategy="least_latencyy")


def test_threads_share_a_route_without_losing_count() -> None:
    names = "abcd"
    route = Balance.of(*(ScriptedProvider({"answers": [n]}, name=n) for n in names))
    counted: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        own = Counter(route.execute("m", "Hi").text for _ in range(100))
        with lock:
            counted.update(own)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == dict.fromkeys(names, 200)
    assert all(state.occupancy == 0 for state in route._states)


# Keys.


def keys(*behaviours: Any) -> tuple[Keys, list[Backend]]:
    backends = [Backend("service", b) for b in behaviours]
    return Keys.of(*backends, name="service"), backends


@pytest.mark.parametrize("kind", [*REFUSED, QuotaExceededError])
def test_a_dead_key_makes_way_for_the_next_and_is_not_asked_again_soon(kind: Any) -> None:
    route, (dead, good) = keys(always(kind), None)
    assert texts(calls(route, 50)) == {"service": 50}
    assert (len(dead.arrivals), len(good.arrivals)) == (1, 50)


def test_keys_take_turns() -> None:
    route, backends = keys(None, None, None)
    calls(route, 30)
    assert [len(b.arrivals) for b in backends] == [10, 10, 10]


def test_a_limited_key_rests_while_the_others_work() -> None:
    limited = during(0, 10, lambda: RateLimitError("slow", retry_after=10.0))
    route, (first, second) = keys(limited, None)
    calls(route, 10)
    assert (len(first.arrivals), len(second.arrivals)) == (1, 10)


def test_a_server_that_is_down_is_not_asked_with_every_key() -> None:
    route, backends = keys(*[always(ServerError)] * 5)
    (error,) = calls(route, 1)
    assert isinstance(error, ServerError)
    assert sum(len(b.arrivals) for b in backends) == 3


def test_when_every_key_is_dead_the_error_says_so_and_no_other_provider_is_asked() -> None:
    route, backends = keys(always(AuthenticationError), always(AuthenticationError))
    other = Backend("other")
    (error,) = calls(Fallback.of(route, other), 1)
    assert isinstance(error, AuthenticationError)
    assert [len(b.arrivals) for b in backends] == [1, 1]
    assert other.arrivals == []


# Streams.

BROKEN = Answer("one two three", cut_after=2)


def scripted(name: str, *answers: Any) -> ScriptedProvider:
    return ScriptedProvider({"answers": answers, "retry": {"attempts": 1}}, name=name)


def test_a_stream_is_passed_on_while_nothing_was_delivered() -> None:
    route = Fallback.of(scripted("a", Answer(error=ServerError("no"))), scripted("b", "fine"))
    assert "".join(map(str, route.stream_execute("m", "Hi"))) == "fine"


def test_and_not_at_all_where_the_route_says_never() -> None:
    first, second = scripted("a", Answer(error=ServerError("no"))), scripted("b", "fine")
    with pytest.raises(ServerError):
        Fallback.of(first, second, stream="never").stream_execute("m", "Hi").drain()
    assert second.requests == []


def test_a_stream_that_broke_is_not_begun_anew_unless_asked_for() -> None:
    second = scripted("b", "fine")
    with pytest.raises(StreamInterruptedError) as caught:
        Fallback.of(scripted("a", BROKEN), second).stream_execute("m", "Hi").drain()
    assert caught.value.partial_text
    assert second.requests == []


def test_a_restart_is_told_and_what_came_before_is_void() -> None:
    route = Fallback.of(
        scripted("a", BROKEN), scripted("b", "all is well"), stream="restart_marked"
    )
    stream = route.stream_execute("m", "Hi")
    events = list(stream)
    (restart,) = [e for e in events if isinstance(e, StreamRestart)]
    assert (restart.provider, restart.model) == ("a", "m")
    assert fold(events) == stream.response
    assert stream.response.text == "all is well"


def test_an_answer_is_gone_on_with_where_it_broke() -> None:
    second = scripted("b", "three four")
    route = Fallback.of(scripted("a", BROKEN), second, stream="continue_prefix")
    stream = route.stream_execute("m", "Hi")
    events = list(stream)
    assert "".join(map(str, events)) == "one two three four"
    assert fold(events) == stream.response
    (asked,) = second.requests
    assert isinstance(asked, ChatRequest)
    assert [(m.role, m.text) for m in asked.messages] == [("user", "Hi"), ("assistant", "one two")]


def test_who_cannot_go_on_is_not_asked_to() -> None:
    second = Backend("b")
    route = Fallback.of(scripted("a", BROKEN), second, stream="continue_prefix")
    with pytest.raises(StreamInterruptedError) as caught:
        route.stream_execute("m", "Hi").drain()
    assert second.arrivals == []
    assert any("b cannot go on" in note for note in caught.value.__notes__)


def test_a_stream_left_early_leaves_nobody_busy() -> None:
    route = Balance.of(scripted("a", "one two three"))
    with route.stream_execute("m", "Hi") as stream:
        next(iter(stream))
        assert [s.occupancy for s in route._states] == [1]
    assert [s.occupancy for s in route._states] == [0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_routes_work_on_event_loops(backend: str) -> None:
    async def main() -> None:
        route = Fallback.of(scripted("a", Answer(error=ServerError("no"))), scripted("b", "fine"))
        assert (await route.aexecute("m", "Hi")).text == "fine"
        assert (await route.astream_execute("m", "Hi").drain()).text == "fine"

    aio(main, backend)


def test_a_target_that_is_down_hides_only_its_own_models() -> None:
    names = ScriptedProvider({"models": ["x", "y"]})
    route = Fallback.of(Backend("a"), names, RouteTarget(Backend("b"), "z"))
    assert [m.id for m in route.list_models()] == ["x", "y", "z"]
    with pytest.raises(LLMError):
        Fallback.of(Backend("a")).list_models()


# What can be told without calling, and what cannot be made.


def test_explaining_lists_who_would_be_asked_and_why_not() -> None:
    first = Backend("first", always(ServerError))
    route = Fallback.of(RouteTarget(first, "big"), RouteTarget(scripted("second", "x"), "small"))
    for _ in range(5):
        route.execute("m", "Hi")
    told = route.explain("m", "Hi")
    assert isinstance(told, RouteExplanation)
    assert [(c.target, c.model, c.kept) for c in told.considered] == [
        ("first/big", "big", False),
        ("second/small", "small", True),
    ]
    assert "5 times in a row" in told.considered[0].reason
    assert told.provider == "second"


@pytest.mark.parametrize("targets", [(), ("claude/x",), (RouteTarget(Backend("a"), weight=0.0),)])
def test_a_route_over_what_is_no_target_is_refused(targets: Any) -> None:
    with pytest.raises(ConfigError, match="targets"):
        Fallback({"targets": targets})


def test_routes_are_made_like_any_provider() -> None:
    made = create_provider("fallback", {"targets": [Backend("a")]}, name="main")
    assert made.execute("m", "Hi").text == "a"
    assert made.name == "main"
