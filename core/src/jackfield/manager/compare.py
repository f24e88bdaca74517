"""One prompt to several models, side by side: how long, how much, for what, and the answers."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, cast

import anyio
from attrs import evolve, field, frozen

from ..errors import InvalidRequestError, LLMError
from ..flow import Flow
from ..middleware.timing import Stopwatch
from ..prompts import Prompt
from ..provider import LLMProvider, Params
from ..requests import ChatRequest
from ..types import ChatResponse
from . import report
from .executors import ThreadExecutor, aresolve, as_error, chat_request, resolve

Asked = tuple[int, ChatRequest]
"""In which round, and what."""
Seen = Callable[["Trial"], object]


@frozen(kw_only=True)
class Trial:
    """One call to *model*: its *response* or its *error*.

    *first* and *total* are seconds until the first piece of the answer and until
    its end, by the clock of the provider's driver. *verdict* is a judge's.
    """

    model: str
    round: int = 0
    response: ChatResponse | None = None
    error: LLMError | None = None
    first: float | None = None
    total: float | None = None
    verdict: float | None = None

    @property
    def output_tokens(self) -> int | None:
        """Tokens of the answer, if they were reported."""
        return self.response.usage.output_tokens if self.response else None

    @property
    def speed(self) -> float | None:
        """Output tokens a second from the first piece of the answer on, or of the call if all came at once."""
        if not self.output_tokens or not self.total:
            return None
        seconds = self.total - (self.first or 0.0)
        return self.output_tokens / (seconds if seconds > self.total / 20 else self.total)

    @property
    def cost(self) -> Decimal | None:
        """US dollars, where they are known."""
        known = self.response is not None and self.response.cost.currency == "USD"
        return self.response.cost.amount if self.response and known else None


@frozen
class Spread:
    """The middle of some numbers, the least and the greatest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float | Decimal | None]) -> Spread | None:
        """The spread of those of *values* that are known."""
        known = [float(v) for v in values if v is not None]
        return cls(statistics.median(known), min(known), max(known)) if known else None


@frozen(kw_only=True)
class ModelSummary:
    """What the trials of one model amount to; what nobody knows is None.

    *cost* is in US dollars a call, *total_cost* their sum where each is known.
    """

    model: str
    trials: tuple[Trial, ...] = field(repr=False)
    first: Spread | None
    total: Spread | None
    output_tokens: Spread | None
    speed: Spread | None
    cost: Spread | None
    total_cost: Decimal | None
    verdict: Spread | None
    finish_reasons: Mapping[str, int]

    @property
    def failures(self) -> list[Trial]:
        """The trials that have no answer."""
        return [t for t in self.trials if t.error is not None]


def summarize(model: str, trials: Sequence[Trial]) -> ModelSummary:
    """What *trials* of *model* amount to; times are those of answers."""
    good = [t for t in trials if t.response is not None]
    costs = [t.cost for t in good]
    whole = sum((c for c in costs if c is not None), Decimal(0))
    return ModelSummary(
        model=model,
        trials=tuple(trials),
        first=Spread.of(t.first for t in good),
        total=Spread.of(t.total for t in good),
        output_tokens=Spread.of(t.output_tokens for t in good),
        speed=Spread.of(t.speed for t in good),
        cost=Spread.of(costs),
        total_cost=whole if costs and None not in costs else None,
        verdict=Spread.of(t.verdict for t in good),
        finish_reasons=Counter(t.response.finish_reason.value for t in good if t.response),
    )


@frozen(kw_only=True)
class Comparison:
    """The trials of *models*, in rounds; what a model says is text in every form that it is told in."""

    prompt: str
    models: tuple[str, ...]
    trials: tuple[Trial, ...] = field(repr=lambda t: f"<{len(t)} trials>")

    @property
    def summaries(self) -> list[ModelSummary]:
        """A summary for each model, in their order."""
        return [summarize(m, [t for t in self.trials if t.model == m]) for m in self.models]

    @property
    def failures(self) -> list[Trial]:
        """The trials that have no answer."""
        return [t for t in self.trials if t.error is not None]

    def judged(self, judge: Callable[[ChatResponse], float]) -> Comparison:
        """The same with the verdict of *judge*, a number, on each answer."""
        judged = [evolve(t, verdict=judge(t.response)) if t.response else t for t in self.trials]
        return evolve(self, trials=tuple(judged))

    def to_dict(self) -> dict[str, Any]:
        """As plain data: what JSON can hold."""
        return report.to_dict(self)

    def to_markdown(self) -> str:
        """As a table, and the answers."""
        return report.to_markdown(self)

    def to_html(self) -> str:
        """As a page that needs no other file, and runs nothing."""
        return report.to_html(self)

    def to_csv(self) -> str:
        """As a table with a row for each trial."""
        return report.to_csv(self)


def trial(provider: LLMProvider, request: ChatRequest, made: Trial) -> Flow[Trial]:
    """The flow of one trial: *made*, with what came of *request*, be it an error."""
    watch = Stopwatch()
    try:
        response = yield from watch.around(provider.call(request, stream=True))
    except Exception as error:  # noqa: BLE001  # failures stand beside answers
        return evolve(made, error=as_error(error), first=watch.first, total=watch.total)
    return evolve(made, response=response, first=watch.first, total=watch.total)


def _begun(asked: Asked) -> Trial:
    return Trial(model=asked[1].model, round=asked[0])


def compare(
    call: Any,
    prompt: Prompt,
    models: Sequence[str],
    *,
    repeat: int = 1,
    parameters: Params = None,
    concurrency: int = 1,
    progress: Seen | None = None,
    **options: Any,
) -> Comparison:
    """Have each of *models* answer *prompt*, *repeat* times, and measure it.

    *call* is a provider, or a manager. *parameters* and *options* are those of
    `execute`. Calls are streamed, one at a time, so that none slows another, unless
    *concurrency* says otherwise; every model is asked once before any is asked again.
    *progress* is called after each.

    Raises:
        InvalidRequestError: the prompt, the models or the numbers are misshapen.
    """
    numbers = {"repeat": repeat, "concurrency": concurrency}
    asked = _asked(prompt, models, parameters=parameters, **numbers, **options)
    perform = partial(_perform, call)
    outcomes = ThreadExecutor().map(perform, asked, concurrency)
    return _compared(asked, _told((outcome for _, outcome in outcomes), progress))


async def acompare(
    call: Any,
    prompt: Prompt,
    models: Sequence[str],
    *,
    repeat: int = 1,
    parameters: Params = None,
    concurrency: int = 1,
    progress: Seen | None = None,
    **options: Any,
) -> Comparison:
    """`compare`, on the event loop."""
    numbers = {"repeat": repeat, "concurrency": concurrency}
    asked = _asked(prompt, models, parameters=parameters, **numbers, **options)
    waiting, trials, failed = iter(asked), list[Trial](), list[Exception]()

    async def serve() -> None:
        try:
            for one in waiting:
                trials.extend(_told([await _aperform(call, one)], progress))
        except Exception as error:  # noqa: BLE001  # raised below, outside the group, as it is
            failed.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(concurrency):
            group.start_soon(serve)
    if failed:
        raise failed[0]
    return _compared(asked, trials)


def _perform(call: Any, asked: Asked) -> Trial:
    made = _begun(asked)
    try:
        provider, request = cast("tuple[LLMProvider, Any]", resolve(call, asked[1]))
    except Exception as error:  # noqa: BLE001  # failures stand beside answers
        return evolve(made, error=as_error(error))
    return provider._driver.run(trial(provider, request, made))  # noqa: SLF001  # its clock measures


async def _aperform(call: Any, asked: Asked) -> Trial:
    made = _begun(asked)
    try:
        provider, request = cast("tuple[LLMProvider, Any]", await aresolve(call, asked[1]))
    except Exception as error:  # noqa: BLE001  # failures stand beside answers
        return evolve(made, error=as_error(error))
    return await provider._async_driver.run(trial(provider, request, made))  # noqa: SLF001  # as above


def _asked(
    prompt: Prompt, models: Sequence[str], *, repeat: int, concurrency: int, parameters: Params,
    **options: Any,
) -> list[Asked]:  # fmt: skip
    from .. import transport  # noqa: F401  # the first one's time is not that of loading it

    listed = () if isinstance(models, str) else tuple(models)
    if not listed or len(set(listed)) < len(listed):
        fix = "pass a list of different names; repeat asks each more often"
        raise InvalidRequestError(f"models: {models!r}; {fix}", param="models", phase="build")
    if repeat < 1 or concurrency < 1:
        name = "repeat" if repeat < 1 else "concurrency"
        raise InvalidRequestError(f"{name} must be 1 or more", param=name, phase="build")
    requests = [chat_request(model, prompt, parameters, **options) for model in listed]
    return [(round_, request) for round_ in range(repeat) for request in requests]


def _told(trials: Iterable[Any], progress: Seen | None) -> Iterator[Trial]:
    for made in trials:
        if isinstance(made, BaseException):
            raise made
        if progress is not None:
            progress(made)
        yield made


def _compared(asked: Sequence[Asked], trials: Iterable[Trial]) -> Comparison:
    models = dict.fromkeys(request.model for _, request in asked)
    order = {model: at for at, model in enumerate(models)}
    said = "\n\n".join(m.text for m in asked[0][1].messages)
    made = sorted(trials, key=lambda t: (t.round, order[t.model]))
    return Comparison(prompt=said, models=tuple(models), trials=tuple(made))
