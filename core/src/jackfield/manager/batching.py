"""A batch without its I/O: what is to be asked next, and what its answers amount to."""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from attrs import evolve, field, frozen

from ..errors import ConfigError, InvalidRequestError, LLMError, UnsupportedOperationError
from ..operations.jobs import BatchItem
from ..requests import Request
from .checkpoint import ANOTHER, Checkpoint, Kept, KeptJob
from .encoding import digest
from .executors import as_error, resolve
from .native import NativeJob, Polling, can_batch

Native = Literal["prefer"] | bool
_AT_ONCE = 1_000
"""Results from a checkpoint that are held before they are handed out."""


@frozen(kw_only=True)
class BatchItemResult:
    """What became of one request: *response* or *error*.

    *index* is its place among the requests, *key* the ``custom_id`` that it came
    with or ``request-INDEX``; *resumed* says that a checkpoint had it.
    """

    index: int
    key: str
    request: Request[Any] = field(repr=False)
    response: Any = None
    error: LLMError | None = None
    resumed: bool = False


@frozen(kw_only=True)
class BatchProgress:
    """How far a batch is; *total* is None where nobody knows.

    Of the *done*, *failed* ended as errors and *resumed* came from a checkpoint.
    Tokens and *cost* (US dollars; None while none is known) are sums of what was reported.
    """

    total: int | None = None
    done: int = 0
    failed: int = 0
    resumed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


@frozen
class _Item:
    index: int
    key: str
    request: Request[Any]
    digest: str = ""


class Batch:
    """The state of one batch; whoever works it off calls it from one thread, but for `keep`."""

    def __init__(
        self,
        call: Any,
        requests: Iterable[Request[Any] | BatchItem],
        *,
        concurrency: int = 8,
        checkpoint: Path | str | None = None,
        progress: Callable[[BatchProgress], object] | None = None,
        on_error: Literal["keep", "raise"] = "keep",
        retry_failed: bool = True,
        ordered: bool = False,
        native: Native = False,
        native_size: int = 10_000,
        polling: Polling | None = None,
    ) -> None:
        if concurrency < 1 or native_size < 1:
            name = "concurrency" if concurrency < 1 else "native_size"
            raise InvalidRequestError(f"{name} must be 1 or more", param=name, phase="build")
        for name, given, known in (
            ("native", native, (True, False, "prefer")),
            ("on_error", on_error, ("keep", "raise")),
        ):
            if given not in known:
                problem = f"{name}: {given!r} is none of {', '.join(map(repr, known))}"
                raise InvalidRequestError(problem, param=name, phase="build")
        self.call, self.concurrency, self._requests = call, concurrency, requests
        self._report, self._raises, self._retry = progress, on_error == "raise", retry_failed
        self._ordered, self._native, self._size = ordered, native, native_size
        self._polling = polling or Polling()
        total = len(requests) if isinstance(requests, Sized) else None
        self.progress = BatchProgress(total=total)
        self.failure: Exception | None = None
        self._ready: deque[BatchItemResult] = deque()
        self._held: dict[int, BatchItemResult] = {}
        self._next = 0
        self._asked: dict[int, tuple[tuple[_Item, ...], NativeJob | None]] = {}
        self.checkpoint = None if checkpoint is None else Checkpoint(Path(checkpoint))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.checkpoint is not None:
            self.checkpoint.close()

    def prepare(self, *, remote: bool = False) -> None:
        """Find what speaks against the batch before anything is asked, as far as that can be told.

        Raises:
            ConfigError: its requests are not those of the checkpoint.
            UnsupportedOperationError: it cannot be done so.
        """
        if remote and self._native:
            fix = "leave the executor out"
            raise UnsupportedOperationError(f"providers' own batches are watched from here: {fix}")
        if remote:
            try:
                pickle.dumps(self.call)
            except Exception as error:  # noqa: BLE001  # whatever a class does when it is pickled
                kind, fix = (
                    type(self.call).__name__,
                    "pass a Recipe that makes one where the work is",
                )
                raise ConfigError(f"a {kind} cannot travel: {fix} ({error})") from None
        if self.checkpoint is not None and isinstance(self._requests, Sized):
            for item in self._items():
                self.checkpoint.find(item.index, item.key, item.digest, errors=not self._retry)

    def _items(self) -> Iterator[_Item]:
        index = -1
        for index, given in enumerate(self._requests):
            request, key = given, f"request-{index}"
            if isinstance(given, BatchItem):
                request, key = given.request, given.custom_id
            if not isinstance(request, Request):
                where, kind = f"requests[{index}]", type(request).__name__
                fix = "pass requests, as chat_request makes them, or BatchItems of them"
                raise InvalidRequestError(f"{where}: {kind}; {fix}", param=where, phase="build")
            yield _Item(index, key, request, digest(request) if self.checkpoint is not None else "")
        if self.checkpoint is not None and len(self.checkpoint) > index + 1:
            fix = f"restore the input, or start anew with {ANOTHER}"
            there = f"{self.checkpoint.path}: there are results of {len(self.checkpoint)} requests"
            raise ConfigError(f"{there}, and only {index + 1} came; {fix}")

    def arguments(self) -> Iterator[Request[Any] | NativeJob | None]:
        """What is to be done, one after the other; None is nothing, and gives a chance to `take`."""
        for place, (items, argument) in enumerate(self._units()):
            self._asked[place] = items, argument if isinstance(argument, NativeJob) else None
            yield argument

    def _units(self) -> Iterator[tuple[tuple[_Item, ...], Request[Any] | NativeJob | None]]:
        groups: dict[Any, list[Any]] = {}
        waiting = (
            Counter(j.id for j in self.checkpoint.jobs.values())
            if self.checkpoint is not None
            else {}
        )
        for item in self._items():
            if (result := self._kept(item)) is not None:
                self.finish([result])
                if len(self._ready) >= _AT_ONCE:
                    yield (), None
                continue
            job = self.checkpoint.jobs.get(item.index) if self.checkpoint is not None else None
            if not self._native and job is None:
                yield (item,), item.request
                continue
            provider, wanted = resolve(self.call, item.request)
            if job is None and not can_batch(provider):
                if self._native is True:
                    fix = 'leave native out, or set it to "prefer"'
                    said = f"{provider.name} has no batches of its own: {fix}"
                    raise UnsupportedOperationError(said, provider=provider.name)
                yield (item,), item.request
                continue
            group = (provider.name, wanted.model, type(wanted), job and job.id)
            members = groups.setdefault(group, [provider, job])
            members.append((item, wanted))
            if len(members) - 2 >= (waiting[job.id] if job else self._size):
                yield self._job(*groups.pop(group))
        for members in groups.values():
            yield self._job(*members)

    def _kept(self, item: _Item) -> BatchItemResult | None:
        """The result that the checkpoint has of *item*, unless it is to be asked again."""
        kept = None
        if self.checkpoint is not None:
            wanted = not self._retry
            kept = self.checkpoint.find(item.index, item.key, item.digest, errors=wanted)
        if kept is None:
            return None
        return BatchItemResult(
            index=item.index, key=item.key, request=item.request,
            response=kept.response, error=kept.error, resumed=True,
        )  # fmt: skip

    def _job(
        self, provider: Any, job: KeptJob | None, *members: tuple[_Item, Request[Any]]
    ) -> tuple[tuple[_Item, ...], NativeJob]:
        if job is not None and job.provider != provider.name:
            fix = f"have {job.provider} answer, or start anew with another checkpoint"
            raise ConfigError(f"batch {job.id} was handed in to {job.provider}; {fix}")
        native = NativeJob(
            provider=provider,
            places=tuple(item.index for item, _ in members),
            requests=tuple(wanted for _, wanted in members),
            polling=self._polling,
            remember=self.checkpoint.write_job if self.checkpoint is not None else lambda _: None,
            kept=job,
        )
        return tuple(item for item, _ in members), native

    def results_of(self, place: int, outcome: Any) -> list[BatchItemResult]:
        """What *outcome*, of the argument at *place*, says about its requests.

        Raises:
            Exception: a batch that was handed in cannot be watched; it is when this one is resumed.
        """
        items, native = self._asked.pop(place)
        lasting = native is not None and native.kept is not None
        if isinstance(outcome, BaseException) and (lasting or not isinstance(outcome, Exception)):
            raise outcome
        found = outcome if isinstance(outcome, list) else [outcome] * len(items)
        return [self._result(*pair) for pair in zip(items, found, strict=True)]

    @staticmethod
    def _result(item: _Item, found: Any) -> BatchItemResult:
        error = as_error(found) if isinstance(found, Exception) else None
        response = found if error is None else None
        return BatchItemResult(
            index=item.index, key=item.key, request=item.request, response=response, error=error
        )

    def keep(self, results: Sequence[BatchItemResult]) -> None:
        """Put *results* on the disk, where there is a checkpoint; may block, in any thread."""
        if self.checkpoint is not None:
            for r in results:
                told = Kept(key=r.key, digest=digest(r.request), response=r.response, error=r.error)
                self.checkpoint.write(r.index, told)

    def finish(self, results: Sequence[BatchItemResult]) -> None:
        """Count *results*, and have them taken when it is their turn."""
        for result in results:
            self.progress = _counted(self.progress, result)
            if self._report is not None:
                self._report(self.progress)
            if self._ordered:
                self._held[result.index] = result
            else:
                self._ready.append(result)
        while self._next in self._held:
            self._ready.append(self._held.pop(self._next))
            self._next += 1

    def take(self) -> Iterator[BatchItemResult]:
        """The results whose turn it is.

        Raises:
            LLMError: one is an error, and is to end the batch.
        """
        while self._ready:
            result = self._ready.popleft()
            if self._raises and result.error is not None:
                raise result.error
            yield result


def _counted(progress: BatchProgress, result: BatchItemResult) -> BatchProgress:
    """*progress*, and *result* too."""
    usage, cost = (getattr(result.response, name, None) for name in ("usage", "cost"))
    amount = cost.amount if cost is not None and cost.currency == "USD" else None
    return evolve(
        progress,
        done=progress.done + 1,
        failed=progress.failed + (result.error is not None),
        resumed=progress.resumed + result.resumed,
        input_tokens=progress.input_tokens + (getattr(usage, "input_tokens", None) or 0),
        output_tokens=progress.output_tokens + (getattr(usage, "output_tokens", None) or 0),
        cost=progress.cost if amount is None else amount + (progress.cost or 0),
    )
