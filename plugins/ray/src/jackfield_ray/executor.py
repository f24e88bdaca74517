"""An executor that spreads the requests of a batch over a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

from jackfield import ConfigError, TransportError

DEFAULTS: Mapping[str, Any] = {
    "num_cpus": 0.25,  # a request waits more than it computes
    "scheduling_strategy": "SPREAD",
    "max_retries": 0,  # a request may have cost something: the batch says whether it is made again
}
LOCAL: Mapping[str, Any] = {"include_dashboard": False, "log_to_driver": False}


class RayExecutor:
    """Runs each request as a task of the Ray cluster at *address*.

    Without *address* it is the cluster that this program is connected to, else the
    one that ``RAY_ADDRESS`` names, else one on this machine for as long as the batch
    takes. *init* is further for ``ray.init``, *options* for ``ray.remote``:
    ``{"num_gpus": 1}`` for models that run where the task does.

    Raises:
        ConfigError: Ray is not installed.
    """

    remote = True

    def __init__(
        self,
        address: str | None = None,
        *,
        init: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import ray
        except ImportError:
            fix = 'pip install "jackfield-ray[ray]"'
            raise ConfigError(f"Ray is not installed: {fix}") from None
        self._ray: Any = ray
        self._init = {"address": address, **({} if address else LOCAL), **(init or {})}
        self._options = {**DEFAULTS, **(options or {})}

    def map(
        self, function: Callable[[Any], Any], items: Iterable[Any], concurrency: int
    ) -> Generator[tuple[int, Any], None, None]:
        """See `jackfield.manager.executors.BatchExecutor`."""
        ray, ours = self._ray, not self._ray.is_initialized()
        if ours:
            _check_folder(self._init)
            ray.init(**self._init)
        waiting: dict[Any, int] = {}
        try:
            task, shared = ray.remote(**self._options)(_apply), ray.put(function)
            for number, item in enumerate(items):
                waiting[task.remote(shared, item)] = number
                yield from self._ended(waiting, block=len(waiting) >= concurrency)
            while waiting:
                yield from self._ended(waiting, block=True)
        finally:
            for left in waiting:
                ray.cancel(left, force=True)
            if ours:
                ray.shutdown()

    def _ended(
        self, waiting: dict[Any, int], *, block: bool
    ) -> Generator[tuple[int, Any], None, None]:
        """Those of *waiting* that have ended, at least one with *block*; they wait no more."""
        ready, _ = self._ray.wait(list(waiting), timeout=None if block else 0)
        for ended in ready:
            yield waiting[ended], self._outcome(ended)
            del waiting[ended]

    def _outcome(self, ended: Any) -> Any:
        try:
            return self._ray.get(ended)
        except Exception as error:  # noqa: BLE001  # whatever became of the worker
            said = (
                f"the worker was lost: {type(error).__name__}: {str(error).strip().splitlines()[0]}"
            )
            return TransportError(said, maybe_executed=True)


def _apply(function: Callable[[Any], Any], item: Any) -> Any:
    return function(item)


def _check_folder(init: Mapping[str, Any]) -> None:
    """Raise ConfigError where a new cluster's files would lie in the virtual environment.

    Its workers refuse to start there, and ``ray.init`` waits for them without end.
    """
    environment = os.environ.get("VIRTUAL_ENV")
    if not environment or init["address"] or os.environ.get("RAY_ADDRESS"):
        return
    set_to = (os.environ.get(name) for name in ("RAY_TMPDIR", "TMPDIR"))
    folder = Path(init.get("_temp_dir") or next(filter(None, set_to), "/tmp"))  # noqa: S108  # as Ray does
    if folder.resolve().is_relative_to(Path(environment).resolve()):
        fix = "set RAY_TMPDIR to a folder elsewhere"
        raise ConfigError(
            f"Ray cannot keep its files within a virtual environment, in {folder}: {fix}"
        )
