"""A batch on a Ray cluster of this machine: the same results, and a worker that dies loses its request alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jackfield import ChatRequest, ConfigError, LLMError, TransportError, create_provider
from jackfield.manager.batch import iter_batch, run_batch
from jackfield.manager.executors import Recipe
from jackfield_ray import RayExecutor

ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "jackfield-ray[ray]"')
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray warns of many things, some at its end
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A cluster of two CPUs, without a dashboard."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=10**8)
    yield
    ray.shutdown()


def chats(count: int) -> list[ChatRequest]:
    return [ChatRequest(model="m", messages=f"text {n}") for n in range(count)]


ECHO = Recipe(create_provider, "scripted", {"then": "echo"})
REFUSING = {"error": "RateLimitError", "message": "too fast", "code": "slow"}


def test_a_cluster_that_is_started_for_a_batch_ends_with_it() -> None:
    executor = RayExecutor(init={"num_cpus": 1, "object_store_memory": 10**8})
    outcome = run_batch(ECHO, chats(2), executor=executor)
    assert [r.response.text for r in outcome] == ["text 0", "text 1"]
    assert not ray.is_initialized()


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", "TMPDIR"])
def test_files_in_the_environment_are_refused_rather_than_waited_for(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    monkeypatch.setenv(variable, str(tmp_path / "files"))
    with pytest.raises(ConfigError, match="set RAY_TMPDIR to a folder elsewhere"):
        run_batch(ECHO, chats(1), executor=RayExecutor())


@pytest.mark.usefixtures("cluster")
def test_the_results_are_those_of_threads(tmp_path: Path) -> None:
    items = chats(12)
    taken = 0

    def counted() -> Iterator[ChatRequest]:
        nonlocal taken
        for item in items:
            taken += 1
            yield item

    options: Any = {"executor": "ray", "concurrency": 3, "checkpoint": tmp_path / "checkpoint"}
    for number, result in enumerate(iter_batch(ECHO, counted(), ordered=False, **options)):
        assert taken - number <= 4
        assert result.response.text == f"text {result.index}"
    again = run_batch(ECHO, items, **options)
    assert [r.response.text for r in again] == [f"text {n}" for n in range(12)]
    assert again.progress.resumed == 12


@pytest.mark.usefixtures("cluster")
def test_failures_come_home_with_their_facts() -> None:
    recipe = Recipe(create_provider, "scripted", {"answers": [REFUSING], "retry": {"attempts": 1}})
    outcome = run_batch(recipe, chats(3), executor="ray")
    facts = [(type(e).__name__, e.code, e.provider) for r in outcome if (e := r.error)]
    assert facts == [("RateLimitError", "slow", "scripted")] * 3


@pytest.mark.usefixtures("cluster")
def test_a_worker_that_dies_is_a_failure_of_its_request() -> None:
    outcome = run_batch(Recipe(os._exit, 3), chats(2), executor="ray", concurrency=2)
    errors = [r.error for r in outcome]
    assert all(isinstance(e, TransportError) and e.maybe_executed for e in errors)
    assert "the worker was lost" in str(errors[0])


@pytest.mark.usefixtures("cluster")
def test_the_work_is_done_elsewhere_by_one_provider_in_each_process() -> None:
    once = Recipe(create_provider, "scripted", {"answers": ["first"], "then": "echo"})
    texts = [r.response.text for r in run_batch(once, chats(8), executor="ray", concurrency=1)]
    assert texts.count("first") <= 2


def test_a_provider_cannot_travel() -> None:
    class Holding:
        def __init__(self) -> None:
            self.lock = threading.Lock()

    with pytest.raises(ConfigError, match="cannot travel: pass a Recipe"):
        run_batch(Holding(), chats(1), executor="ray")


def test_own_batches_are_watched_from_here() -> None:
    with pytest.raises(LLMError, match="leave the executor out"):
        run_batch(ECHO, chats(1), executor="ray", native=True)
