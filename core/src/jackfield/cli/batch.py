"""``jackfield batch``: many requests from a file, their results into another, and on after a break."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from .base import State, app, common
from .call import complete
from .errors import FAILED, STOPPED
from .router import Router
from .terminal import is_terminal, note

BATCH_HELP = """Work off a file of requests, and go on after a break.

IN has a request on each line, in JSON; OUT will have what came of each, in the same order: its id, and its
response or its error. A line is {"id": …, "model": "PROVIDER/MODEL", "prompt": …}, with "messages" for "prompt", "parameters",
"system" and other options if you like; or {"custom_id": …, "url": …, "body": …}, as in OpenAI's batches.
Every line is checked before anything is sent.

Each result is also kept in OUT.checkpoint at once. After a crash or Ctrl-C, or to try again what failed,
run the same command: it goes on from there. The exit code is 1 if some requests failed.

\b
Examples:
  jackfield batch questions.jsonl answers.jsonl
  jackfield batch -m claude/claude-haiku-4-5 -p temp=0 --concurrency 20 in.jsonl out.jsonl
  jackfield batch --native in.jsonl out.jsonl        half the price, within a day
  jq -r 'select(.error).id' out.jsonl                what failed
"""


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


async def _work_off(call: Router, lines: Any, out: Path, options: dict[str, Any]) -> Any:
    """Write a line for each result, in their order; return how far it went."""
    from ..manager.batch import aiter_batch
    from ..manager.batch_lines import render

    with out.open("w", encoding="utf-8", errors="backslashreplace") as file:  # as JSON escapes
        async with aiter_batch(call, lines, ordered=True, **options) as results:
            async for result in results:
                line = json.dumps(render(result), ensure_ascii=False).translate(_LINE_ENDS)
                file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
    return results.progress


def _conclude(progress: Any, out: Path, kept: Path) -> None:
    """Say how it ended; without failures the checkpoint has done its work."""
    tokens = f"{progress.input_tokens} input tokens, {progress.output_tokens} output tokens"
    cost = f", cost {progress.cost:f} USD" if progress.cost else ""
    if not progress.failed:
        kept.unlink()
        note(f"{progress.done} answers are in {out}: {tokens}{cost}")
        return
    note(
        f'{progress.failed} of {progress.done} requests failed, see "error" in {out}; the same'
        f" command tries them again, from {kept}\n{tokens}{cost}", 33,
    )  # fmt: skip
    raise click.exceptions.Exit(FAILED)


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
@click.option("--native", is_flag=True,
              help="Hand them in as batches of their providers: half the price, within a day.")  # fmt: skip
@common
@click.pass_obj
def batch(state: State, /, source: Path, out: Path, **given: Any) -> None:
    """Work off a file of requests."""
    import anyio

    from ..manager.batch_lines import BatchLines

    kept = _suffixed(out)
    if out.exists() and not kept.exists():
        raise click.UsageError(f"{out} is there already: name another file, or remove it")
    router = Router(state.house, given["model"], given["param"])
    lines = BatchLines(source, model=router.default, prepare=router.prepare)
    for warning, times in lines.warnings.items():
        note(f"Warning: {warning} ({times} lines)", 33)
    if kept.exists():
        note(f"Going on from {kept}")
    options = {"checkpoint": kept, **{name: given[name] for name in ("concurrency", "native")}}
    try:
        with _shown() as show:
            options["progress"] = show
            progress = anyio.run(_work_off, router, lines, out, options)
    except KeyboardInterrupt:
        note(f"\nStopped. The same command goes on from {kept}")
        raise click.exceptions.Exit(STOPPED) from None
    _conclude(progress, out, kept)
