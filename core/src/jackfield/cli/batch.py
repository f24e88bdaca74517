"""``jackfield batch``: many requests from a file, their results into another, and on after a break."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from .base import State, app, common
from .call import complete
from .errors import FAILED, STOPPED
from .router import Router, make_router
from .terminal import is_terminal, note

BATCH_HELP = """Work off a file of requests, and go on after a break.

IN has a request on each line, in JSON; OUT will have what came of each, in the same order: its id, and its
response or its error. A line is {"id": …, "model": "PROVIDER/MODEL", "prompt": …}, with "messages" for "prompt", "parameters",
"system" and other options if you like; or {"custom_id": …, "url": …, "body": …}, as in OpenAI's batches.
Every line is checked before anything is sent.

Each result is also kept in OUT.checkpoint at once. After a crash or Ctrl-C, or to try again what failed,
run the same command: it goes on from there. The exit code is 1 if some requests failed.

An executor spreads the requests over other processes or machines. No key travels there: each reads the
configuration file itself, at the same place, and counts limits of its own.

\b
Examples:
  jackfield batch questions.jsonl answers.jsonl
  jackfield batch -m claude/claude-haiku-4-5 -p temp=0 --concurrency 20 in.jsonl out.jsonl
  jackfield batch --native prefer in.jsonl out.jsonl      half the price, within a day, where there is that
  jackfield batch --executor ray --concurrency 200 in.jsonl out.jsonl
  jq -r 'select(.error).id' out.jsonl                what failed
"""


_NATIVE: Mapping[str, Any] = {"never": False, "prefer": "prefer", "require": True}
_LINE_ENDS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
"""What JSON allows in a text, and some programs take for the end of a line."""


def _suffixed(path: Path) -> Path:
    return path.with_name(f"{path.name}.checkpoint")


@contextmanager
def _shown() -> Iterator[Callable[[Any], None]]:
    """Shows progress on standard error: a bar at a terminal, elsewhere a line for each tenth."""
    if not is_terminal(sys.stderr):
        told = 0

        def tell(progress: Any) -> None:
            nonlocal told
            tenths = progress.done * 10 // progress.total
            if tenths > told:
                told = tenths
                note(f"{progress.done} of {progress.total}, {progress.failed} failed")

        yield tell
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}", markup=False), rich.BarColumn(None),
        rich.MofNCompleteColumn(), rich.TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("0 failed", total=None)

        def move(progress: Any) -> None:
            said = f"{progress.failed} failed"
            shown.update(task, description=said, completed=progress.done, total=progress.total)

        yield move


def _open(out: Path) -> Any:
    return out.open("w", encoding="utf-8", errors="backslashreplace")  # as JSON escapes


def _written(results: Iterable[Any], file: Any) -> None:
    """Write a line for each of *results*."""
    from ..manager.batch_lines import render

    for result in results:
        line = json.dumps(render(result), ensure_ascii=False).translate(_LINE_ENDS)
        file.write(f"{line}\n")


def _kept(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


async def _work_off(call: Router, lines: Any, out: Path, options: dict[str, Any]) -> Any:
    """Write a line for each result, in their order; return how far it went."""
    from ..manager.batch import aiter_batch

    with ExitStack() as stack:
        file = None  # until there is something to write: what stands there may be all that there is
        async with aiter_batch(call, lines, ordered=True, **options) as results:
            async for result in results:
                file = file or stack.enter_context(_open(out))
                _written([result], file)
        _kept(file or stack.enter_context(_open(out)))
    return results.progress


def _spread(call: Any, lines: Any, out: Path, options: dict[str, Any]) -> Any:
    """`_work_off`, by an executor."""
    from ..manager.batch import iter_batch

    show, last = options["progress"], None

    def tell(progress: Any) -> None:
        nonlocal last
        last = progress
        show(progress)

    results = iter_batch(call, lines, ordered=True, **{**options, "progress": tell})
    first = list(islice(results, 1))  # nothing is written over what is not even begun
    with _open(out) as file:
        _written(chain(first, results), file)
        _kept(file)
    return last


def _conclude(progress: Any, out: Path, kept: Path) -> None:
    """Say how it ended; without failures the checkpoint has done its work."""
    tokens = f"{progress.input_tokens} input tokens, {progress.output_tokens} output tokens"
    cost = f", cost {progress.cost:f} USD" if progress.cost is not None else ""
    if not progress.failed:
        kept.unlink()
        note(f"{progress.done} answers are in {out}: {tokens}{cost}")
        return
    note(
        f'{progress.failed} of {progress.done} requests failed, see "error" in {out}; the same'
        f" command tries them again, from {kept}\n{tokens}{cost}", 33,
    )  # fmt: skip
    raise click.exceptions.Exit(FAILED)


def _executors(_context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    """The executors that begin as *typed*."""
    from ..manager.executors import executor_names

    return [name for name in executor_names() if name.startswith(typed)]


def _worker(state: State, given: Mapping[str, Any]) -> Callable[..., Any]:
    """Who works the batch off, as the options *given* say; it takes what `_work_off` does.

    Raises:
        ConfigError: there is no such executor, or it cannot be used.
    """
    if given["executor"] is None:
        import anyio

        return lambda *given: anyio.run(_work_off, *given)
    from ..manager.executors import Recipe, find_executor

    executor = find_executor(given["executor"])
    if executor.remote and given["native"] != "never":
        fix = "leave one of the two out"
        raise click.UsageError(
            f"--executor {given['executor']} and --native: providers' own batches are watched from here; {fix}"
        )

    def work(router: Router, lines: Any, out: Path, options: dict[str, Any]) -> Any:
        path = state.found.path
        file = None if path is None else str(path.absolute())
        recipe = Recipe(make_router, file, given["model"], given["param"])
        call = recipe if executor.remote else router
        return _spread(call, lines, out, {**options, "executor": executor})

    return work


def _read(state: State, source: Path, given: Mapping[str, Any]) -> tuple[Router, Any]:
    """Who answers, and the requests in *source*, all checked."""
    from ..manager.batch_lines import BatchLines

    router = Router(state.house, given["model"], given["param"])
    lines = BatchLines(source, model=router.default, prepare=router.prepare)
    for warning, times in lines.warnings.items():
        note(f"Warning: {warning} ({times} lines)", 33)
    return router, lines


@app.command(help=BATCH_HELP)
@click.argument(
    "source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("-m", "--model", metavar="MODEL", shell_complete=complete,
              help="Ask this one, whatever the lines say; or a provider: that of lines that name a bare model.")  # fmt: skip
@click.option("-p", "--param", multiple=True, metavar="NAME=VALUE",
              help="A parameter of every request, as for chat; it beats the lines' own. Repeatable.")  # fmt: skip
@click.option("--concurrency", type=click.IntRange(1), default=8, show_default=True,
              help="How many requests are on their way at once.")  # fmt: skip
@click.option("--native", type=click.Choice([*_NATIVE]), default="never", show_default=True,
              help="Hand them in as batches of their providers, for half the price within a day: where"
              " those have such, or fail where one has none.")  # fmt: skip
@click.option("--executor", metavar="NAME", shell_complete=_executors,
              help="Who does the work: threads, or an installed executor, such as ray. Default: this process's event loop.")  # fmt: skip
@common
@click.pass_obj
def batch(state: State, /, source: Path, out: Path, **given: Any) -> None:
    """Work off a file of requests."""
    kept = _suffixed(out)
    if out.exists() and not kept.exists():
        raise click.UsageError(f"{out} is there already: name another file, or remove it")
    work = _worker(state, given)
    router, lines = _read(state, source, given)
    if kept.exists():
        note(f"Going on from {kept}")
    options = {
        "checkpoint": kept,
        "concurrency": given["concurrency"],
        "native": _NATIVE[given["native"]],
    }
    try:
        with _shown() as show:
            options["progress"] = show
            progress = work(router, lines, out, options)
    except KeyboardInterrupt:
        note(f"\nStopped. The same command goes on from {kept}")
        raise click.exceptions.Exit(STOPPED) from None
    _conclude(progress, out, kept)
