"""A target that hangs keeps a call from the others for its share of the time, and no longer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from core_toy import BACKENDS, DONE, KEY, STOP, Toy, aio, event, live, streamed, whole
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    ConfigError,
    LLMError,
    ModelListRequest,
    RequestTimeoutError,
    Timeout,
)
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import NOW, Flow, HTTPRequest
from jackfield.routing import Balance, Fallback, Keys, Route, RouteExplanation
from jackfield.testing.faults import FaultServer

COLOURS = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
HANGS = float("inf")
LONG = Timeout(first_chunk=600.0, idle=600.0)
"""As long for a stream's first content as for all."""


class Services:
    """Services at https://NAME.example, that answer their names after so many seconds, or fail, or hang."""

    def __init__(self, **behaviour: float | Scripted) -> None:
        self.behaviour = behaviour
        self.asked: list[tuple[str, float]] = []

    def __call__(self, request: HTTPRequest, now: float) -> Scripted:
        name = (urlsplit(request.url).hostname or "").partition(".")[0]
        self.asked.append((name, round(now, 6)))
        what = self.behaviour[name]
        if isinstance(what, Scripted):
            return what
        if what == HANGS:
            return Scripted(status=None, delay=HANGS)
        chunks = streamed(name) if request.stream else [whole(name)]
        return Scripted(delay=what, pieces=tuple((0.0, chunk) for chunk in chunks))

    def call(self, route: Route, *, stream: bool = False, timeout: Timeout | None = None) -> Any:
        """What comes of a call, and when."""

        def ended() -> Flow[Any]:
            request = ChatRequest(model="m", messages="Hi", timeout=timeout)
            outcome: Any
            try:
                outcome = (yield from route.call(request, stream=stream)).text
            except LLMError as error:
                outcome = error
            return outcome, round((yield NOW), 6)

        return VirtualDriver(self).run(ended())


def toy(name: str, **config: Any) -> Toy:
    return Toy({"base_url": f"https://{name}.example/v1", "api_key": KEY, **config}, name=name)


def toys(names: str, **config: Any) -> list[Toy]:
    return [toy(name, **config) for name in names]


@COLOURS
@pytest.mark.parametrize("kind", [Fallback, Balance])
def test_with_all_defaults_a_call_whose_first_target_hangs_is_answered_by_the_second(
    kind: type[Route], stream: bool
) -> None:
    services = Services(a=HANGS, b=0.5)
    asked = {False: 300.0, True: 60.0}[stream]  # half of the total; the time for a first content
    assert services.call(kind.of(*toys("ab")), stream=stream) == ("b", asked + 0.5)
    assert services.asked == [("a", 0.0), ("b", asked)]


@COLOURS
@given(answers=st.integers(1, 40), given_=st.integers(1, 9))
def test_who_is_alone_because_the_others_are_out_has_their_time(
    stream: bool, answers: int, given_: int
) -> None:
    """*answers* and the route's ``attempt_timeout`` *given_* are tenths of seconds."""
    down = Scripted(status=503)
    services = Services(a=down, b=down, c=answers / 10)
    route = Fallback.of(
        *toys("abc", retry={"attempts": 1}), attempt_timeout=given_ / 10, breaker={"failures": 1}
    )
    for _ in range(9):  # at first the others fail at once, then they are out
        assert services.call(route, stream=stream)[0] == "c"


@COLOURS
def test_who_hangs_makes_way_for_those_that_are_asked_though_their_breakers_are_open(
    stream: bool,
) -> None:
    """At most half of the targets are out, however many failed."""
    services = Services(**dict.fromkeys("abc", Scripted(status=503)))
    route = Fallback.of(*toys("abc", retry={"attempts": 1}), breaker={"failures": 1})
    short = Timeout(first_chunk=20.0, idle=20.0, total=20.0)  # less than they would be out
    assert isinstance(services.call(route, stream=stream, timeout=short)[0], LLMError)
    services.behaviour.update(a=HANGS, b=HANGS, c=0.5)
    assert services.call(route, stream=stream, timeout=short)[0] == "c"


@pytest.mark.parametrize("name", ["first_chunk", "idle"])
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_a_routes_timeouts_hold_for_its_targets_unless_theirs_are_shorter(
    name: str, nested: bool
) -> None:
    pieces = {"first_chunk": ((99.0, b""),), "idle": tuple((0.0, c) for c in streamed("H")[:1])}
    services = Services(a=Scripted(pieces=(*pieces[name], (99.0, b""))), b=0.5)
    for own, told, took in ((60.0, 7.0, 7.0), (5.0, 7.0, 5.0)):
        target: Any = toy("a", timeout={name: own}, retry={"attempts": 1})
        first = Fallback.of(target) if nested else target
        route = Fallback.of(first, toy("b"), timeout={name: told}, stream="restart_marked")
        assert services.call(route, stream=True) == ("b", took + 0.5)


@given(hanging=st.sets(st.integers(0, 4)), total=st.integers(10, 6000))
def test_who_hangs_keeps_a_list_of_models_from_the_others_for_its_share(
    hanging: set[int], total: int
) -> None:
    listed = Scripted(pieces=((0.0, b'{"data": [{"id": "m"}]}'),))
    services = Services(**{n: HANGS if i in hanging else listed for i, n in enumerate("abcde")})
    route = Fallback.of(*toys("abcde"), timeout={"total": total})

    def models() -> Flow[Any]:
        try:
            return [m.id for m in (yield from route.call(ModelListRequest()))], (yield NOW)
        except RequestTimeoutError:
            return [], (yield NOW)

    found, took = VirtualDriver(services).run(models())
    assert found == ([] if len(hanging) == 5 else ["m"])
    assert {name for name, _ in services.asked} == set("abcde")
    assert took <= total * (1 + 1e-9)


@COLOURS
@given(count=st.integers(1, 6), total=st.integers(1, 6000).map(lambda n: n / 10))
def test_the_time_is_shared_equally_and_the_last_gets_all_that_is_left(
    stream: bool, count: int, total: float
) -> None:
    names = "abcdef"[:count]
    services = Services(**dict.fromkeys(names, HANGS))
    timeout = Timeout(first_chunk=total, idle=total, total=total)
    error, at = services.call(Fallback.of(*toys(names)), stream=stream, timeout=timeout)
    assert isinstance(error, RequestTimeoutError)
    assert at == pytest.approx(total)
    assert [name for name, _ in services.asked] == list(names)
    expected = [total * i / count for i in range(count)]
    assert [t for _, t in services.asked] == pytest.approx(expected, abs=1e-5)


@COLOURS
def test_what_a_quick_failure_left_over_goes_to_those_who_follow(stream: bool) -> None:
    services = Services(a=Scripted(status=500, delay=0.0), b=HANGS, c=200.0)
    answered = services.call(Fallback.of(*toys("abc")), stream=stream, timeout=LONG)
    assert (answered, services.asked) == (("c", 500.0), [("a", 0.0), ("b", 0.0), ("c", 300.0)])


@COLOURS
@pytest.mark.parametrize("seconds", [1.0, 20.0])
def test_a_route_may_say_for_how_long_and_the_last_is_not_held_to_it(
    stream: bool, seconds: float
) -> None:
    services = Services(a=HANGS, b=HANGS, c=400.0)
    route = Fallback.of(*toys("abc"), attempt_timeout=seconds)
    answered = services.call(route, stream=stream, timeout=LONG)
    assert answered == ("c", 2 * seconds + 400.0)


@COLOURS
def test_a_callers_timeout_is_the_whole_calls(stream: bool) -> None:
    ten = Timeout(total=10.0)
    services = Services(a=HANGS, b=4.0)
    assert services.call(Fallback.of(*toys("ab")), stream=stream, timeout=ten) == ("b", 9.0)
    error, at = Services(a=HANGS, b=HANGS).call(
        Fallback.of(*toys("ab"), attempt_timeout=8.0), stream=stream, timeout=ten
    )
    assert (type(error), at) == (RequestTimeoutError, 10.0)


def test_a_targets_own_shorter_timeout_is_kept() -> None:
    services = Services(a=HANGS, b=0.0)
    first = toy("a", timeout=30)
    assert services.call(Fallback.of(first, toy("b"))) == ("b", 30.0)


@COLOURS
def test_a_route_inside_keeps_its_own_shorter_timeout(stream: bool) -> None:
    services = Services(a=HANGS, b=0.0)
    inner = Fallback.of(toy("a"), timeout={"total": 10.0})
    assert services.call(Fallback.of(inner, toy("b")), stream=stream) == ("b", 10.0)
    # Not where the caller says how long the call may take.
    services = Services(a=HANGS, b=0.0)
    inner = Fallback.of(toy("a"), timeout={"total": 10.0})
    asked = Timeout(total=60.0, first_chunk=60.0)
    assert services.call(Fallback.of(inner, toy("b")), stream=stream, timeout=asked) == ("b", 30.0)


@COLOURS
def test_a_longer_one_of_the_outermost_route_is_not_cut_by_it(stream: bool) -> None:
    services = Services(a=900.0)
    inner = Fallback.of(toy("a", timeout={"total": 5000.0, "first_chunk": 5000.0, "idle": 5000.0}))
    route = Fallback.of(inner, timeout={"total": 1200.0})
    assert services.call(route, stream=stream) == ("a", 900.0)


@COLOURS
def test_routes_inside_routes_share_among_all_that_could_be_asked(stream: bool) -> None:
    services = Services(a=HANGS, b=HANGS, c=HANGS, d=1.0)
    route = Fallback.of(Balance.of(*toys("ab")), Fallback.of(*toys("cd")))
    assert services.call(route, stream=stream, timeout=LONG) == ("d", 451.0)
    assert services.asked == [("a", 0.0), ("b", 150.0), ("c", 300.0), ("d", 450.0)]


def test_several_keys_of_one_service_are_one_to_wait_for() -> None:
    both = Keys.of(*toys("aa"))
    services = Services(a=HANGS, b=1.0)
    assert services.call(Fallback.of(both, toy("b"))) == ("b", 301.0)
    error, at = services.call(both)
    assert (type(error), at) == (RequestTimeoutError, 600.0)


def test_a_stream_that_has_begun_keeps_its_time() -> None:
    pieces = [(1.0, event({"content": "x"})), *[(50.0, event({"content": "x"}))] * 8]
    slow = Scripted(pieces=(*pieces, (0.0, STOP), (0.0, DONE)))
    services = Services(a=slow, b=0.0)
    route = Fallback.of(*toys("ab"), attempt_timeout=2.0)
    assert services.call(route, stream=True) == ("x" * 9, 401.0)


def test_a_stream_that_is_begun_anew_may_wait_for_its_new_beginning() -> None:
    cut = Scripted(pieces=((1.0, event({"content": "x"})),), cut=True)
    services = Services(a=cut, b=200.0, c=0.0)
    inner = Fallback.of(*toys("ab"), stream="restart_marked")
    route = Fallback.of(inner, toy("c"), stream="restart_marked", attempt_timeout=30.0)
    assert services.call(route, stream=True, timeout=LONG) == ("b", 201.0)


def test_who_may_be_asked_once_may_take_all_the_time() -> None:
    services = Services(a=HANGS, b=0.0)
    never = Fallback.of(*toys("ab"), stream="never")
    error, at = services.call(never, stream=True, timeout=LONG)
    assert (type(error), at) == (RequestTimeoutError, 600.0)


def test_a_target_that_is_out_until_the_end_is_nobody_to_wait_for() -> None:
    slow = Scripted(status=429, headers={"retry-after": "3000"})
    services = Services(a=slow, b=550.0)
    route = Fallback.of(*toys("ab"))
    assert services.call(route)[0] == "b"
    assert services.call(route)[0] == "b"


def test_the_error_says_who_was_given_up_and_when() -> None:
    error, _ = Services(a=HANGS, b=HANGS).call(Fallback.of(*toys("ab"), attempt_timeout=5.0))
    assert any("a had not answered in its 5 s of the call" in note for note in error.__notes__)


def test_an_explanation_says_how_long_each_would_be_waited_for() -> None:
    route = Fallback.of(Balance.of(*toys("ab"), name="pair"), toy("c"))
    told = route.explain("m", "Hi")
    assert isinstance(told, RouteExplanation)
    assert [(c.target, c.seconds) for c in told.considered] == [("pair", 400.0), ("c", 200.0)]
    assert "after 400 s without an answer the next is asked" in told.considered[0].reason
    inner = told.considered[0].explanation
    assert isinstance(inner, RouteExplanation)
    assert [(c.target, c.seconds) for c in inner.considered] == [("a", 200.0), ("b", 200.0)]
    short = route.explain("m", "Hi", timeout=6)
    assert isinstance(short, RouteExplanation)
    assert [c.seconds for c in short.considered] == [4.0, 2.0]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), 10**9, "soon"])
def test_a_time_that_is_none_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigError, match="attempt_timeout"):
        Fallback.of(*toys("ab"), attempt_timeout=seconds)


@COLOURS
def test_over_a_real_socket_one_that_accepts_and_says_nothing_is_given_up(stream: bool) -> None:
    with FaultServer() as server:
        silent, well = (live(server.url("openai", fault)) for fault in ("no_head", "ok"))
        route = Fallback.of(silent, well, attempt_timeout=0.3)

        async def main() -> None:
            if stream:
                assert (await route.astream_execute("m", "Hi").drain()).text
            else:
                assert (await route.aexecute("m", "Hi")).text

        if stream:
            assert route.stream_execute("m", "Hi").drain().text
        else:
            assert route.execute("m", "Hi").text
        for backend in BACKENDS:
            aio(main, backend)
