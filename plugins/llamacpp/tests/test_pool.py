"""Loaded models: shared, given back, taking turns, and streams that may be left at any time."""

from __future__ import annotations

import gc
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jackfield_llamacpp.engine import Body, Embeddings, Sink
from jackfield_llamacpp.errors import EngineError
from jackfield_llamacpp.options import LoadOptions
from jackfield_llamacpp.pool import Key, Lease, Pool, Shelf

SECONDS = 10


class Counter:
    """An engine that counts up to `body["to"]`; with `body["wait"]` it waits for that event first."""

    n_ctx = 100

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.stopped_at: int | None = None
        self.at_once = self.most_at_once = 0

    def generate(self, body: Body, sink: Sink) -> None:
        assert not self.closed.is_set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for number in range(body["to"]):
                if sink.cancelled():
                    self.stopped_at = number
                    return
                sink.put({"number": number})
                if number == body.get("pause_after"):
                    body["wait"].wait(SECONDS)
            if body.get("fail"):
                raise EngineError("engine_failed", "as asked")
        finally:
            self.at_once -= 1

    def embed(self, texts: Sequence[str]) -> Embeddings:
        raise NotImplementedError

    def tokenize(self, text: str) -> list[int]:
        raise NotImplementedError

    def count(self, body: Body) -> int:
        raise NotImplementedError

    def close(self) -> None:
        self.closed.set()


def key(name: str) -> Key:
    return ("counter", Path(name), LoadOptions())


def lease(pool: Pool, engine: Counter, name: str = "m") -> Lease:
    return pool.acquire(key(name), lambda: engine)


def numbers(stream: Any) -> list[int]:
    return [chunk["number"] for batch in stream for chunk in batch]


@pytest.fixture
def pool() -> Pool:
    return Pool()


def test_a_stream_hands_out_every_chunk_in_order(pool: Pool) -> None:
    with lease(pool, Counter()) as held:
        assert numbers(pool.hold(held).generate({"to": 1000})) == list(range(1000))


def test_the_same_model_is_loaded_once_and_freed_after_the_last(pool: Pool) -> None:
    engine, loads = Counter(), []

    def load() -> Counter:
        loads.append(1)
        return engine

    leases = [pool.acquire(key("m"), load) for _ in range(3)]
    assert (len(loads), len(pool)) == (1, 1)
    for held in leases[:-1]:
        held.close()
        held.close()  # twice is once
    assert not engine.closed.is_set()
    leases[-1].close()
    assert engine.closed.is_set()
    assert len(pool) == 0


def test_a_loading_that_fails_leaves_nothing_behind_and_may_be_tried_again(pool: Pool) -> None:
    def fail() -> Counter:
        raise EngineError("load_failed", "no memory")

    with pytest.raises(EngineError, match="no memory"):
        pool.acquire(key("m"), fail)
    assert len(pool) == 0
    lease(pool, Counter()).close()


def test_many_threads_that_ask_for_one_model_share_one_loading(pool: Pool) -> None:
    engine, loads = Counter(), []

    def load() -> Counter:
        loads.append(1)
        return engine

    def use() -> None:
        assert numbers(pool.acquire(key("m"), load).generate({"to": 20})) == list(range(20))

    keep = pool.acquire(key("m"), load)
    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    keep.close()
    assert len(loads) == 1
    assert engine.most_at_once == 1
    assert engine.closed.wait(SECONDS)


def test_leaving_a_stream_stops_its_run_and_frees_the_model(pool: Pool) -> None:
    engine, wait = Counter(), threading.Event()
    stream = lease(pool, engine).generate({"to": 10**9, "pause_after": 3, "wait": wait})
    next(stream)
    stream.close()
    wait.set()
    assert engine.closed.wait(SECONDS)
    assert engine.stopped_at == 4
    assert list(stream) == []


def test_dropping_a_stream_stops_its_run(pool: Pool) -> None:
    engine, wait = Counter(), threading.Event()
    stream = lease(pool, engine).generate({"to": 10**9, "pause_after": 3, "wait": wait})
    next(stream)
    del stream
    gc.collect()
    wait.set()
    assert engine.closed.wait(SECONDS)
    assert engine.stopped_at == 4


def test_a_stream_that_was_never_read_holds_nothing_after_it_is_closed(pool: Pool) -> None:
    engine = Counter()
    stream = lease(pool, engine).generate({"to": 3})
    stream.close()
    assert engine.closed.is_set()


def test_a_stream_closed_by_another_thread_ends_for_its_reader(pool: Pool) -> None:
    engine, wait, ended = Counter(), threading.Event(), threading.Event()
    stream = lease(pool, engine).generate({"to": 10**9, "pause_after": 0, "wait": wait})
    next(stream)

    def read_on() -> None:
        for _ in stream:
            pass
        ended.set()

    reader = threading.Thread(target=read_on)
    reader.start()
    stream.close()
    assert ended.wait(SECONDS)
    wait.set()
    reader.join(SECONDS)


def test_a_second_call_in_the_middle_of_the_first_waits_and_gets_through(pool: Pool) -> None:
    engine = Counter()
    with lease(pool, engine) as held:
        first = pool.hold(held).generate({"to": 500})
        next(first)
        # The first is not read on: its run must not wait for its reader.
        assert numbers(pool.hold(held).generate({"to": 5})) == list(range(5))
        assert engine.most_at_once == 1
        first.close()


def test_a_call_that_waits_for_its_turn_can_be_left(pool: Pool) -> None:
    engine, wait = Counter(), threading.Event()
    with lease(pool, engine) as held:
        first = pool.hold(held).generate({"to": 2, "pause_after": 0, "wait": wait})
        next(first)
        second = pool.hold(held).generate({"to": 10**9})
        reader = threading.Thread(target=lambda: list(second))
        reader.start()
        second.close()
        reader.join(SECONDS)
        assert not reader.is_alive()
        wait.set()
        assert numbers(first) == [1]


def test_a_failure_comes_after_the_chunks_before_it_and_only_once(pool: Pool) -> None:
    stream = lease(pool, Counter()).generate({"to": 3, "fail": True})
    got: list[int] = []

    def read_on() -> None:
        for batch in stream:
            got.extend(chunk["number"] for chunk in batch)

    with pytest.raises(EngineError, match="as asked"):
        read_on()
    assert got == [0, 1, 2]
    assert list(stream) == []


def test_a_released_model_refuses_further_use(pool: Pool) -> None:
    held = lease(pool, Counter())
    held.close()
    with pytest.raises(EngineError, match="released"):
        held.engine  # noqa: B018 - the property raises


def test_a_shelf_keeps_the_last_used_and_lets_running_calls_finish(pool: Pool) -> None:
    shelf, engines = Shelf(pool, 2), {name: Counter() for name in "abc"}

    def take(name: str) -> Lease:
        return shelf.take(key(name), lambda: engines[name])

    running = take("a").generate({"to": 100})
    first = next(running)
    take("b").close()
    take("c").close()  # "a" leaves the shelf
    rest = numbers(running)
    assert [chunk["number"] for chunk in first] + rest == list(range(100))
    assert engines["a"].closed.wait(SECONDS)
    assert not engines["b"].closed.is_set()
    shelf.close()
    assert engines["b"].closed.is_set()
    assert engines["c"].closed.is_set()
    assert len(pool) == 0


def test_a_shelf_that_is_forgotten_frees_its_models(pool: Pool) -> None:
    shelf, engine = Shelf(pool, 2), Counter()
    shelf.take(key("m"), lambda: engine).close()
    del shelf
    gc.collect()
    assert engine.closed.wait(SECONDS)
