"""A call whose targets are out waits for the first that comes back; what it pays, and what others are told of it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from core_backends import Backend, Behaviour, ask, during
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatResponse,
    EmbeddingRequest,
    LLMError,
    Message,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    TextDelta,
    Usage,
    fold,
    replay,
)
from jackfield.drivers.virtual import VirtualDriver
from jackfield.events import Finish, StreamStart
from jackfield.flow import NOW, Flow, Sleep
from jackfield.manager.settings import LimitSettings
from jackfield.middleware.limits import Limits
from jackfield.plugins import PluginManager
from jackfield.requests import Request
from jackfield.retrying import RetryQuota
from jackfield.routing import Balance, Fallback, Keys, Route, RouteExplanation
from jackfield.testing import Answer, ScriptedProvider

BROKEN = Answer("one two three", cut_after=2)
Ended = tuple[Any, float]


def limited(seconds: float | None, start: float = 0.0, end: float = float("inf")) -> Behaviour:
    """Asks between *start* and *end* to be left alone for so many *seconds*."""
    return during(start, end, lambda: RateLimitError("slow", retry_after=seconds))


def refused(_now: float, _chance: float) -> LLMError:
    return AuthenticationError("who?")


def down(_now: float, _chance: float) -> LLMError:
    return ServerError("no")


def ended(route: Route, *starts: float, stream: bool = False) -> list[Ended]:
    """What came of the calls that began at *starts*, the text or the error, and when."""
    return run([(at, route) for at in starts], stream=stream)


def run(calls: Sequence[tuple[float, Route]], *others: Any, stream: bool = False) -> list[Ended]:
    def timed(route: Route) -> Flow[Ended]:
        outcome: Any
        try:
            outcome = (yield from route.call(ask(), stream=stream)).text
        except LLMError as error:
            outcome = error
        return outcome, (yield NOW)

    flows = [(at, timed(route)) for at, route in calls]
    return VirtualDriver().run_all([*flows, *others])[: len(flows)]


def later(change: Callable[[], object]) -> Flow[None]:
    """A flow that makes a *change*."""
    change()
    yield NOW


def scripted(name: str, *answers: Any) -> ScriptedProvider:
    return ScriptedProvider({"answers": answers, "retry": {"attempts": 1}}, name=name)


# What it waits for.


def test_who_waits_for_a_probe_that_hangs_asks_the_first_that_may_be_asked_meanwhile() -> None:
    first = Backend("first", down)
    second = Backend("second", limited(20.0, 34.0, 35.0))

    def hangs() -> None:
        first.latency = 1000.0

    route = Fallback.of(first, second)
    starts = [*range(5), 34.2, 34.3, 36.0]  # opened by the fifth; the sixth probes
    outcomes = run([(at, route) for at in starts], (30.0, later(hangs)))
    for text, at in outcomes[-2:]:
        assert text == "second"
        assert 54.3 <= at <= 36.0 + 20.0 * 1.25 + 0.2


def test_a_long_hint_of_one_hides_no_other_that_is_back_earlier() -> None:
    first, second = Backend("first", limited(2.0, 0, 1)), Backend("second", limited(50.0))
    third = Backend("third", limited(50.0, 0.4, 90.0))
    route = Fallback.of(first, second, third)
    outcomes = ended(route, 0.0, 0.5)
    assert [text for text, _ in outcomes] == ["third", "first"]
    assert outcomes[1][1] <= 0.1 + 2.0 * 1.25 + 0.2


def test_no_target_is_asked_again_before_it_said() -> None:
    first, second = Backend("first", limited(10.0, 0, 1)), Backend("second", down)
    ended(Fallback.of(first, second), 0.0)
    assert not [t for t in first.arrivals if 0 < t < 10.0]


def test_the_last_try_is_for_a_target_that_said_when_to_come_back() -> None:
    first, second = Backend("first", down), Backend("second", limited(10.0, 0, 1))
    outcomes = ended(Fallback.of(first, second), 0.0, 0.5)  # the second call does not ask it before
    assert [text for text, _ in outcomes] == ["second", "second"]
    assert all(at <= 1.0 + 10.0 * 1.25 + 0.2 for _, at in outcomes)
    assert len(first.arrivals) <= 4


def test_a_last_try_is_kept_for_nobody_who_is_back_too_late() -> None:
    first, second = Backend("first", during(0, 0.2, lambda: ServerError("no"))), limited(50.0)
    route = Fallback.of(
        first, Backend("second", second), timeout={"total": 30.0}, retry={"initial": 2.0}
    )
    ended(route, 0.0)
    assert len(first.arrivals) in (2, 3)
    assert first.arrivals[-1] < 6.0


def test_what_a_failing_server_said_holds_for_every_call() -> None:
    first = Backend("first", during(0, 1, lambda: ServerError("busy", retry_after=20.0)))
    outcomes = ended(Fallback.of(first, Backend("second")), 0.0, 1.5, 15.0, 21.0)
    assert [text for text, _ in outcomes] == ["second", "second", "second", "first"]


def test_a_hint_counts_from_when_it_was_given() -> None:
    first = Backend("first", limited(40.0, 0, 1))
    second = Backend("second", lambda *_: QuotaExceededError("no money"), latency=20.0)
    ((text, at),) = ended(Fallback.of(first, second), 0.0)
    assert text == "first"
    assert 40.0 <= at <= 0.1 + 40.0 * 1.25 + 0.2


def test_who_probes_with_a_long_stream_keeps_nobody_from_the_target() -> None:
    class Talks(Backend):
        """Begins at once and talks for a long time."""

        def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
            if (yield NOW) < 30:
                raise ServerError("no")
            told = replay(ChatResponse(model="m", message=Message("assistant", self.name)))
            yield told[:2]
            yield Sleep(100.0)
            yield told[2:]
            return fold(told)

    second = Backend("second", during(40, 1000, lambda: ServerError("no")))
    starts = [*range(5), 36.0, 41.0, 60.0]
    outcomes = ended(Fallback.of(Talks("first"), second), *starts, stream=True)
    assert [text for text, _ in outcomes[5:]] == ["first"] * 3


@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=4), st.floats(0.0, 5.0))
def test_a_limited_route_answers_as_soon_as_the_first_of_its_targets_may_be_asked(
    hints: list[float], second: float
) -> None:
    backends = [Backend(str(i), limited(hint, 0, 0.001)) for i, hint in enumerate(hints)]
    outcomes = ended(Fallback.of(*backends), 0.0, 0.1 * len(hints) + second)
    soonest = min(0.1 * (i + 1) + hint * 1.25 for i, hint in enumerate(hints))
    for (text, at), began in zip(outcomes, (0.0, 0.1 * len(hints) + second), strict=True):
        assert isinstance(text, str)
        assert at <= max(soonest + 0.1 * len(hints), began) + 0.25 * max(hints) + 0.2


def test_who_is_alone_with_an_operation_is_not_out() -> None:
    class Embeds(Backend):
        operations = frozenset({EmbeddingRequest})

    route = Fallback.of(Backend("chats", during(0, 5, lambda: ServerError("no"))), Embeds("embeds"))
    outcomes = ended(route, *range(6))
    assert outcomes[-1][0] == "chats"
    assert outcomes[-1][1] <= 5.2


def test_nor_is_who_is_alone_because_the_others_keys_were_refused() -> None:
    well_again = Backend("second", during(0, 5, lambda: ServerError("no")))
    route = Fallback.of(Backend("first", refused), well_again, dead_key="fail_over")
    outcomes = ended(route, *range(6))
    assert outcomes[-1][0] == "second"
    assert outcomes[-1][1] <= 5.2


# What it pays.


def test_who_waited_until_somebody_may_be_asked_fails_over_for_nothing() -> None:
    first = Backend("first", lambda now, _: (limited(2.0) if now < 1 else down)(now, 0.0))
    route = Fallback.of(first, Backend("second", limited(2.0, 0, 1)))
    route._quota = RetryQuota(0)
    (told, _), (text, at) = ended(route, 0.0, 1.5)
    assert isinstance(told, RateLimitError)
    assert text == "second"
    assert at <= 5.0


@pytest.mark.parametrize("nested", [False, True])
def test_who_waits_for_a_target_that_it_did_not_ask_pays_nothing(nested: bool) -> None:
    second = Backend("second", limited(1.0, 0, 0.5))
    route = Fallback.of(Backend("first", down), Fallback.of(second) if nested else second)
    route._quota = RetryQuota(0)
    outcomes = ended(route, 0.0, 0.6)
    assert isinstance(outcomes[0][0], LLMError)
    assert outcomes[1][0] == "second"


def test_what_a_route_inside_did_not_send_is_no_try() -> None:
    first = Backend("first", limited(2.0, 0, 0.5))
    inner = Fallback.of(first)
    route = Fallback.of(inner)
    route._quota = RetryQuota(0)
    outcomes = run([(0.0, inner), (0.6, route)])
    assert [text for text, _ in outcomes] == ["first", "first"]


def test_who_is_too_late_to_pay_asks_what_costs_nothing() -> None:
    class Contended(RetryQuota):
        """Others take what it has between the two questions."""

        def __init__(self) -> None:
            super().__init__(5)

        def take(self, error: LLMError) -> bool:
            self._tokens = 0
            return False

    failing = Backend("second", down)
    route = Fallback.of(Backend("first", down), failing, Backend("well"))
    run([(float(i), Fallback.of(failing)) for i in range(2)])
    ended(route, 0.0)  # of the second it is known that it fails
    route._quota = Contended()
    ((text, _),) = ended(route, 1.0)
    assert text == "well"


@pytest.mark.parametrize("backend", ["closed", "whole"])
def test_a_stream_that_was_begun_gives_back_what_its_try_took(backend: str) -> None:
    route = Fallback.of(
        scripted("a", Answer(error=ServerError("no"))), scripted("b", "one two three")
    )
    route._quota = quota = RetryQuota(5)
    with route.stream_execute("m", "Hi") as stream:
        next(stream)
        assert not quota.covers(ServerError("no"))
        if backend == "whole":
            stream.drain()
    assert quota.covers(ServerError("no"))


# What the route around it is told.


@pytest.mark.parametrize("first", [limited(1.0), down, limited(None)])
def test_a_dead_key_after_a_limited_one_does_not_end_the_call(first: Behaviour) -> None:
    inner = Fallback.of(Backend("a", first), Backend("b", refused), dead_key="fail_over")
    ((text, _),) = ended(Fallback.of(inner, Backend("other")), 0.0)
    assert text == "other"


def test_a_failure_says_more_than_a_limit_without_a_time() -> None:
    inner = Fallback.of(Backend("a", limited(None)), Backend("b", down))
    ((error, _),) = ended(Fallback.of(inner, retry={"attempts": 1}), 0.0)
    assert isinstance(error, ServerError)


def test_the_failure_told_is_the_most_hopeful_one_although_the_quota_is_empty() -> None:
    quota = RetryQuota(10)
    failing = Backend("b", down)
    route = Fallback.of(Backend("a", refused), failing, dead_key="fail_over")
    route._quota = quota
    ended(Fallback.of(failing), 0.0)
    emptied = later(lambda: [quota.take(ServerError("no")) for _ in range(2)])
    ((error, _),) = run([(0.0, route)], (0.21, emptied))
    assert isinstance(error, ServerError)


def test_nor_does_it_where_they_are_one_providers_keys() -> None:
    inner = Keys.of(Backend("key1", limited(1.0)), Backend("key2", refused))
    ((text, _),) = ended(Fallback.of(inner, Backend("other")), 0.0)
    assert text == "other"


def test_a_provider_is_left_alone_until_its_first_key_may_be_used() -> None:
    inner = Keys.of(Backend("key1", limited(1.0, 0, 0.1)), Backend("key2", limited(40.0)))
    ((text, at),) = ended(Fallback.of(inner), 0.0)
    assert text == "key1"
    assert at <= 2.0
    # A call of a moment later goes there, too, and not to whom it costs more to ask.
    inner = Keys.of(Backend("key1", limited(1.0, 0, 0.1)), Backend("key2", limited(40.0)))
    outcomes = ended(Fallback.of(inner, Backend("other")), 0.0, 2.0)
    assert [text for text, _ in outcomes] == ["other", "key1"]


def test_a_route_is_not_out_for_the_limit_of_one_of_its_targets() -> None:
    inner = Fallback.of(
        Backend("a", during(0, 0.5, lambda: ServerError("no"))), Backend("b", limited(70.0))
    )
    outcomes = ended(Fallback.of(inner, Backend("other")), 0.0, 1.0)
    assert [text for text, _ in outcomes] == ["other", "a"]


def test_the_error_tells_what_targets_of_routes_inside_said() -> None:
    inner = Fallback.of(Backend("a", down), Backend("b", down), name="inner")
    ((error, _),) = ended(Fallback.of(inner, Backend("c", down), retry={"attempts": 1}), 0.0)
    assert isinstance(error, ServerError)
    told = [note.partition(":")[0] for note in error.__notes__]
    assert sorted(told) in (["a", "b"], ["b", "c"], ["a", "c"])  # the third is the error itself


def test_the_error_tells_whom_routes_inside_gave_up() -> None:
    late = Backend("a", down, latency=2.0)  # who speaks HTTP is over in time
    inner = Fallback.of(late, Backend("b", down), attempt_timeout=1.0)
    ((error, _),) = ended(Fallback.of(inner, Backend("c", down), retry={"attempts": 1}), 0.0)
    assert isinstance(error, ServerError)
    assert any("a had not answered in its 1 s" in note for note in error.__notes__)


def test_a_stream_that_had_begun_was_given_up_by_nobody() -> None:
    cut = ScriptedProvider.of(Answer("one two three", cut_after=2, pause=20.0))
    route = Fallback.of(cut, Backend("b"), attempt_timeout=5.0)
    ((error, at),) = ended(route, 0.0, stream=True)
    assert isinstance(error, StreamInterruptedError)
    assert at > 5.0
    assert not getattr(error, "__notes__", [])


def test_a_stream_that_is_tried_once_was_not_tried_where_nothing_was_sent() -> None:
    first = Backend("first", limited(30.0))
    route = Fallback.of(Fallback.of(first), Backend("well"), stream="never")
    outcomes = ended(route, 0.0, 1.0, stream=True)
    assert isinstance(outcomes[0][0], RateLimitError)
    assert outcomes[1][0] == "well"


# Whom it waits with.


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_who_waits_in_a_queue_of_ours_makes_way_for_the_next_target_in_time(stream: bool) -> None:
    limits = Limits(None, {"a": LimitSettings(concurrency=1, wait=60)})
    plugins = PluginManager()
    plugins.register(limits)
    busy = Backend("a", latency=100.0, hook=plugins.hook)
    route = Fallback.of(busy, Backend("b"), attempt_timeout=5.0)
    outcomes = run([(0.0, Fallback.of(busy)), (1.0, route), (2.0, route)], stream=stream)
    assert [text for text, _ in outcomes] == ["a", "b", "b"]
    assert outcomes[1][1] <= 6.0 + 0.11
    assert limits.state().limits[0].waiting == 0
    told = route.explain("m", "Hi")
    assert isinstance(told, RouteExplanation)
    assert told.considered[0].kept  # a queue of ours is no failure of the target


# Going on.


def test_who_cannot_go_on_makes_way_for_one_that_can() -> None:
    second, third = Backend("b"), scripted("c", "three four")
    route = Fallback.of(scripted("a", BROKEN), second, third, stream="continue_prefix")
    stream = route.stream_execute("m", "Hi")
    events = list(stream)
    assert "".join(map(str, events)) == "one two three four"
    assert fold(events) == stream.response
    assert second.arrivals == []


def test_one_of_several_keys_goes_on_as_its_provider_does() -> None:
    keys = Keys.of(scripted("c", "three four"), scripted("c", "three four"))
    route = Fallback.of(scripted("a", BROKEN), keys, stream="continue_prefix")
    assert "".join(map(str, route.stream_execute("m", "Hi"))) == "one two three four"


@given(
    st.text("\n ", max_size=4),
    st.lists(st.text("\n a", min_size=1, max_size=3), min_size=1, max_size=5),
)
def test_blanks_that_were_delivered_do_not_come_again(blanks: str, pieces: list[str]) -> None:
    begun = (StreamStart(), TextDelta("one" + blanks), TextDelta("?"), Finish(finish_reason="stop"))
    first = scripted("a", Answer(events=begun, cut_after=1))
    rest = (StreamStart(), *map(TextDelta, pieces), Finish(finish_reason="stop", usage=Usage()))
    route = Fallback.of(first, scripted("b", Answer(events=rest)), stream="continue_prefix")
    stream = route.stream_execute("m", "Hi")
    stream.drain()
    whole, again = "one" + blanks, "".join(pieces)
    same = max(n for n in range(len(blanks) + 1) if again.startswith(blanks[:n]))
    assert stream.response.text == whole + again[same:]


# Who would be asked.


def test_explaining_shows_who_is_asked_last_last() -> None:
    route = Fallback.of(Backend("a", refused), Backend("b"), dead_key="fail_over")
    route.execute("m", "Hi")
    told = route.explain("m", "Hi")
    assert isinstance(told, RouteExplanation)
    assert [c.target for c in told.considered] == ["b", "a"]
    assert told.provider == "b"


def test_a_strategy_that_cannot_be_copied_is_explained_all_the_same() -> None:
    class Locked:
        def __init__(self) -> None:
            self.lock = threading.Lock()

        def choose(self, candidates: Any, request: Any, chance: float) -> Any:
            with self.lock:
                return candidates[0]

    with pytest.raises(TypeError):
        copy.deepcopy(Locked())
    told = Balance.of(Backend("a"), Backend("b"), strategy=Locked()).explain("m", "Hi")
    assert isinstance(told, RouteExplanation)
    assert [c.target for c in told.considered] == ["a", "b"]
