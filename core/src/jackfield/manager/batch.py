"""Thousands of requests: so many at a time, failures beside results, and on where a crash left off."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, TypedDict, Unpack

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import field, frozen

from ..operations.jobs import BatchItem
from ..requests import Request
from .batching import Batch, BatchItemResult, BatchProgress, Native
from .executors import BatchExecutor, awork, find_executor, work
from .native import NativeJob, Polling

Requests = Iterable[Request[Any] | BatchItem]


class BatchOptions(TypedDict, total=False):
    """How a batch is worked off.

    *concurrency* requests are on their way at once. With *checkpoint*, the name
    of a file, each result is on the disk before it is handed out; the same batch
    with the same file goes on where it was left, and asks again what failed
    unless *retry_failed* is False. *progress* is called after each result. With
    *on_error* ``"raise"`` the first failure ends the batch. *native* hands the
    requests in as batches of their providers, for half the price within a day:
    True, or ``"prefer"`` for those that have such; *polling* says how often they
    are asked, and *native_size* how many requests one holds.
    """

    concurrency: int
    checkpoint: Path | str | None
    progress: Callable[[BatchProgress], object] | None
    on_error: Literal["keep", "raise"]
    retry_failed: bool
    native: Native
    native_size: int
    polling: Polling


@frozen(kw_only=True)
class BatchOutcome:
    """What became of a batch: a result for each request, in their order."""

    results: tuple[BatchItemResult, ...] = field(repr=lambda r: f"<{len(r)} results>")
    progress: BatchProgress

    @property
    def failures(self) -> list[BatchItemResult]:
        """The results that are errors."""
        return [r for r in self.results if r.error is not None]

    def __iter__(self) -> Iterator[BatchItemResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)


def run_batch(
    call: Any,
    requests: Requests,
    *,
    executor: BatchExecutor | str | None = None,
    **options: Unpack[BatchOptions],
) -> BatchOutcome:
    """Perform *requests* and keep all results in memory; see `BatchOptions`, and `iter_batch` for streams.

    *call* is a provider, a manager, or a `Recipe` of one. *executor* does the work: threads, or an
    installed one by its name.

    Raises:
        ConfigError: the checkpoint is of another batch, damaged or in use.
        UnsupportedOperationError: *native* is True, and a provider has no batches.
    """
    with Batch(call, requests, **options) as batch:
        results = sorted(_performed(batch, executor), key=lambda r: r.index)
        return BatchOutcome(results=tuple(results), progress=batch.progress)


def iter_batch(
    call: Any,
    requests: Requests,
    *,
    ordered: bool = False,
    executor: BatchExecutor | str | None = None,
    **options: Unpack[BatchOptions],
) -> Iterator[BatchItemResult]:
    """The results of `run_batch` as they end, or in the order of the requests if *ordered*.

    *requests* may be an iterator without end: they are taken as they can be sent.
    Leaving early sends no more, and does not wait for what is on its way.
    """
    with Batch(call, requests, ordered=ordered, **options) as batch:
        yield from _performed(batch, executor)


def _performed(batch: Batch, executor: BatchExecutor | str | None) -> Iterator[BatchItemResult]:
    chosen = find_executor(executor)
    batch.prepare(remote=chosen.remote)
    function = partial(_do, batch.call)
    with closing(chosen.map(function, batch.arguments(), batch.concurrency)) as outcomes:
        for place, outcome in outcomes:
            results = batch.results_of(place, outcome)
            batch.keep(results)
            batch.finish(results)
            yield from batch.take()
    yield from batch.take()


def _do(call: Any, argument: Request[Any] | NativeJob | None) -> Any:
    return argument.work() if isinstance(argument, NativeJob) else work(call, argument)


class BatchStream:
    """The results of a batch on an event loop, as they come; *progress* is how far it is."""

    def __init__(self, batch: Batch, results: MemoryObjectReceiveStream[BatchItemResult]) -> None:
        self._batch, self._results = batch, results

    @property
    def progress(self) -> BatchProgress:
        """How far the batch is."""
        return self._batch.progress

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BatchItemResult:
        try:
            return await self._results.receive()
        except anyio.EndOfStream:
            if self._batch.failure is not None:
                raise self._batch.failure from None
            raise StopAsyncIteration from None


@asynccontextmanager
async def aiter_batch(
    call: Any, requests: Requests, *, ordered: bool = False, **options: Unpack[BatchOptions]
) -> AsyncGenerator[BatchStream, None]:
    """`iter_batch` on the event loop; leaving its ``async with`` cancels what is on its way.

    As in::

        async with aiter_batch(provider, requests) as results:
            async for result in results:
                print(result.key, result.error or result.response)
    """
    left: Exception | None = None
    with Batch(call, requests, ordered=ordered, **options) as batch:
        batch.prepare()
        send, receive = anyio.create_memory_object_stream[BatchItemResult]()
        async with receive, anyio.create_task_group() as group:
            group.start_soon(_perform, batch, send)
            try:
                yield BatchStream(batch, receive)
            except Exception as error:  # noqa: BLE001  # raised below, outside the group, as it is
                left = error
            finally:
                group.cancel_scope.cancel()
    if left is not None:
        raise left


async def arun_batch(
    call: Any, requests: Requests, **options: Unpack[BatchOptions]
) -> BatchOutcome:
    """`run_batch` on the event loop."""
    async with aiter_batch(call, requests, **options) as results:
        found = sorted([r async for r in results], key=lambda r: r.index)
        return BatchOutcome(results=tuple(found), progress=results.progress)


async def _perform(batch: Batch, send: MemoryObjectSendStream[BatchItemResult]) -> None:
    """Work the batch off with as many tasks as may call at once."""
    arguments, turn = enumerate(batch.arguments()), anyio.Lock()

    async def deliver() -> None:
        async with turn:
            for result in batch.take():
                await send.send(result)

    async def serve() -> None:
        try:
            for place, argument in arguments:
                native = isinstance(argument, NativeJob)
                outcome = await (argument.awork() if native else awork(batch.call, argument))  # type: ignore[union-attr, arg-type]  # just asked
                results = batch.results_of(place, outcome)
                with anyio.CancelScope(shield=True):  # it was paid for
                    if batch.checkpoint is not None:
                        await anyio.to_thread.run_sync(batch.keep, results)
                    batch.finish(results)
                await deliver()
            await deliver()
        except Exception as error:  # noqa: BLE001  # whoever reads the results is told
            batch.failure = batch.failure or error
            tasks.cancel_scope.cancel()

    async with send, anyio.create_task_group() as tasks:
        for _ in range(batch.concurrency):
            tasks.start_soon(serve)
