"""Flows run alike under every driver, and whatever they open is closed, however they end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from core_toy import BACKENDS, aio
from hypothesis import given
from hypothesis import strategies as st

from jackfield import InvalidRequestError, TransportError
from jackfield.drivers.concurrent import AsyncDriver
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.drivers.seam import Outcome
from jackfield.drivers.sync import SyncDriver
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import (
    Close,
    Defer,
    Flow,
    HTTPRequest,
    Signal,
    invoke,
    now,
    random,
    read,
    send,
    sleep,
    tap,
    wait,
    with_header,
)

URL = "https://example.com/"


def under_sync(flow: Callable[[], Flow[Any]], recorded: list[Recorded]) -> Any:
    return ReplayDriver(recorded).run(flow())


def under_asyncio(flow: Callable[[], Flow[Any]], recorded: list[Recorded]) -> Any:
    return aio(lambda: AsyncReplayDriver(recorded).run(flow()))


def under_trio(flow: Callable[[], Flow[Any]], recorded: list[Recorded]) -> Any:
    return aio(lambda: AsyncReplayDriver(recorded).run(flow()), "trio")


def under_virtual(flow: Callable[[], Flow[Any]], recorded: list[Recorded]) -> Any:
    answers = iter(recorded)

    def server(_request: HTTPRequest, _at: float) -> Scripted:
        answer = next(answers)
        pieces = tuple((0.0, chunk) for chunk in answer.chunks)
        return Scripted(status=answer.status, headers=answer.headers, pieces=pieces)

    return VirtualDriver(server).run(flow())


DRIVERS = [under_sync, under_asyncio, under_trio, under_virtual]


def everything() -> Flow[Any]:
    """Uses every effect once."""
    start = yield from now()
    yield from sleep(1.5)
    waited = (yield from now()) - start
    number = yield from invoke(lambda: 6 * 7)
    chance = yield from random()
    whole = yield from send(HTTPRequest(url=URL))
    opened = yield from send(HTTPRequest(url=URL, stream=True))
    pieces = []
    while piece := (yield from read(opened)):
        pieces.append(piece)
        yield [piece]
    yield Close(opened)
    late = yield from wait(Signal(), 0.01)
    raised = Signal()
    raised.set()
    assert (late, (yield from wait(raised))) == (False, True)
    return waited, number, 0 <= chance < 1, whole.status, whole.body, pieces


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_driver_performs_every_effect(driver: Any) -> None:
    recorded = [Recorded(chunks=[b"who", b"le"]), Recorded(chunks=[b"a", b"b"])]
    assert driver(everything, recorded) == (1.5, 42, True, 200, b"whole", [b"a", b"b"])


@given(st.lists(st.binary(min_size=1, max_size=5), max_size=6), st.integers(200, 599))
def test_drivers_agree_on_any_body_and_status(chunks: list[bytes], status: int) -> None:
    def flow() -> Flow[Any]:
        response = yield from send(HTTPRequest(url=URL))
        return response.status, response.body

    results = [driver(flow, [Recorded(status=status, chunks=chunks)]) for driver in DRIVERS]
    assert results == [(status, b"".join(chunks))] * 4


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("status", [299, 300, 503])
def test_only_a_success_comes_open(driver: Any, status: int) -> None:
    def flow() -> Flow[Any]:
        response = yield from send(HTTPRequest(url=URL, stream=True))
        return response.handle is not None, response.body

    found = driver(flow, [Recorded(status=status, chunks=[b"whole"])])
    assert found == ((True, b"") if status < 300 else (False, b"whole"))


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_is_deferred_runs_once_in_reverse_order_after_success(driver: Any) -> None:
    done: list[int] = []

    def flow() -> Flow[str]:
        yield Defer(lambda: done.append(1))
        yield Defer(lambda: done.append(2))
        assert done == []
        return "result"

    assert driver(flow, []) == "result"
    assert done == [2, 1]


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_is_deferred_runs_after_a_failure(driver: Any) -> None:
    done: list[int] = []

    def flow() -> Flow[str]:
        yield Defer(lambda: done.append(1))
        raise InvalidRequestError("no")

    with pytest.raises(InvalidRequestError):
        driver(flow, [])
    assert done == [1]


def test_what_is_deferred_runs_when_the_consumer_leaves() -> None:
    done: list[int] = []

    def flow() -> Flow[None]:
        yield Defer(lambda: done.append(1))
        yield ["event"]
        yield ["never"]

    events = SyncDriver().drive(flow(), Outcome())
    assert next(events) == "event"
    assert done == []
    events.close()
    assert done == [1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_deferred_runs_when_the_task_is_cancelled(backend: str) -> None:
    done: list[int] = []

    def flow() -> Flow[None]:
        yield Defer(lambda: done.append(1))
        yield from sleep(60)

    async def main() -> None:
        with anyio.move_on_after(0.01):
            await AsyncDriver().run(flow())

    aio(main, backend)
    assert done == [1]


def test_one_failing_close_does_not_keep_the_others_from_closing() -> None:
    done: list[int] = []

    def fail() -> None:
        raise OSError("cannot close")

    def flow() -> Flow[str]:
        yield Defer(lambda: done.append(1))
        yield Defer(fail)
        yield ["event"]
        return "result"

    with contextlib.suppress(OSError):
        SyncDriver().run(flow())
    assert done == [1]


@pytest.mark.parametrize("driver", [under_sync, under_asyncio, under_trio])
def test_a_failed_effect_is_thrown_into_the_flow_which_may_go_on(driver: Any) -> None:
    def flow() -> Flow[str]:
        try:
            yield from send(HTTPRequest(url=URL))
        except TransportError:
            return "went on"
        return "no error"

    assert driver(flow, []) == "went on"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_flow_that_yields_something_else_is_told_so(driver: Any) -> None:
    def flow() -> Flow[None]:
        yield "not an effect"

    with pytest.raises(TypeError, match="'not an effect', which is not an effect"):
        driver(flow, [])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_blocking_function_runs_off_the_event_loop(backend: str) -> None:
    def flow() -> Flow[int]:
        return (yield from invoke(threading.get_ident))

    async def main() -> bool:
        return await AsyncDriver().run(flow()) != threading.get_ident()

    assert aio(main, backend)


def test_a_stream_left_early_closes_its_response() -> None:
    def flow() -> Flow[None]:
        opened = yield from send(HTTPRequest(url=URL, stream=True))
        while piece := (yield from read(opened)):
            yield [piece]

    driver = ReplayDriver([Recorded(chunks=[b"a", b"b"])])
    events = driver.drive(flow(), Outcome())
    next(events)
    assert [r.closed for r in driver.transport.responses] == [False]
    events.close()
    assert [r.closed for r in driver.transport.responses] == [True]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_tapped_flow_is_the_same_flow_and_each_step_is_seen(driver: Any) -> None:
    recorded = [Recorded(chunks=[b"whole"]), Recorded(chunks=[b"a", b"b"])]
    seen: list[Any] = []
    tapped = driver(lambda: tap(everything(), lambda step, _: seen.append(step)), recorded)
    assert tapped == driver(everything, recorded)
    assert [step for step in seen if type(step) is list] == [[b"a"], [b"b"]]
    assert sum(isinstance(step, HTTPRequest) for step in seen) == 2


def raising(signal: Signal, after: float) -> Flow[str]:
    yield from sleep(after)
    signal.set()
    return "raised"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_signal_wakes_who_waits_for_it_in_whatever_colour(backend: str) -> None:
    signal, woken = Signal(), []
    driver = AsyncDriver()
    thread = threading.Thread(target=lambda: woken.append(SyncDriver().run(wait(signal, 30))))
    thread.start()

    async def waiting() -> None:
        woken.append(await driver.run(wait(signal, 30)))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(waiting)
            group.start_soon(waiting)
            await anyio.sleep(0.05)
            await anyio.to_thread.run_sync(signal.set)

    aio(main, backend)
    thread.join(10)
    assert woken == [True] * 3


def test_a_signal_is_waited_for_in_virtual_time() -> None:
    signal = Signal()

    def waiting(seconds: float) -> Flow[tuple[bool, float]]:
        raised = yield from wait(signal, seconds)
        return raised, (yield from now())

    flows = [
        (0.0, waiting(9.0)),
        (0.0, waiting(3.0)),
        (1.0, raising(signal, 4.0)),
        (7.0, waiting(1)),
    ]
    results = VirtualDriver().run_all(flows)
    assert results == [(True, 5.0), (False, 3.0), "raised", (True, 7.0)]


def test_a_flow_that_nobody_can_wake_is_an_error_and_no_hang() -> None:
    with pytest.raises(RuntimeError, match="1 flows wait"):
        VirtualDriver().run(wait(Signal()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_wait_leaves_nothing_behind_in_its_signal(backend: str) -> None:
    signal = Signal()

    async def main() -> None:
        with anyio.move_on_after(0.05):
            await AsyncDriver().run(wait(signal))

    aio(main, backend)
    assert signal._callbacks == []


def test_many_flows_share_the_virtual_clock_and_end_in_their_own_time() -> None:
    def flow(seconds: float) -> Flow[float]:
        yield from sleep(seconds)
        return (yield from now())

    driver = VirtualDriver()
    assert driver.run_all([(0, flow(5)), (1, flow(1)), (2, flow(10))]) == [5, 2, 12]
    assert driver.now == 12


def test_the_virtual_driver_is_deterministic_in_its_seed() -> None:
    def flow() -> Flow[tuple[float, float]]:
        return (yield from random()), (yield from random())

    first, same, other = (VirtualDriver(seed=s).run(flow()) for s in (1, 1, 2))
    assert first == same != other


def test_a_recording_that_is_used_up_says_so_and_is_not_retried() -> None:
    def flow() -> Flow[Any]:
        return (yield from send(HTTPRequest(url=URL)))

    with pytest.raises(TransportError, match="no further response") as caught:
        ReplayDriver([]).run(flow())
    assert not caught.value.retryable


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\0b"])
def test_a_header_cannot_break_out_of_its_line(value: str) -> None:
    with pytest.raises(InvalidRequestError, match="line break or NUL"):
        with_header(HTTPRequest(url=URL), "x-tag", value)


def iterate(flow: Flow[Any]) -> Iterator[Any]:
    yield from SyncDriver().drive(flow, Outcome())


def test_a_dropped_stream_is_closed_by_the_garbage_collector() -> None:
    done: list[int] = []

    def flow() -> Flow[None]:
        yield Defer(lambda: done.append(1))
        yield ["event"]

    events = iterate(flow())
    next(events)
    del events
    assert done == [1]
