"""``jackfield compare``: one prompt to several models, side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..types import TextPart
from .base import State, app, common, in_a_folder
from .call import attach, complete, parse_schema, read_prompt
from .errors import FAILED
from .router import Router
from .terminal import hide, is_terminal, note, safe, styled, width, write, write_json

if TYPE_CHECKING:
    from ..manager.compare import Comparison, Trial

F = TypeVar("F", bound=Callable[..., Any])

COMPARE_HELP = """Ask several models the same, and compare times, costs and answers.

Times are medians of the answers, with the least and the greatest where --repeat asks more than once. Models
are asked one at a time, so that none slows another. The exit code is 1 if a call failed.

\b
Examples:
  jackfield compare -m openai/gpt-5-mini -m claude/claude-haiku-4-5 "Name a pelican"
  jackfield compare -m box/qwen3:4b -m box/llama3.2 --repeat 5 --html report.html "Why is the sky blue?"
  jackfield compare --json -m a/x -m b/y "Hello" | jq '.models[] | {model, first, cost}'
"""


def _tell(trial: Trial) -> None:
    """A line on standard error for each call, where somebody waits."""
    if is_terminal(sys.stderr):
        took = "" if trial.total is None else f" {trial.total:.1f} s"
        note(f"{trial.model}:{took}{' failed' if trial.error else ''}")


def _head(text: str) -> None:
    sys.stdout.write(styled(safe(text), sys.stdout, 1) + "\n")


def _show(comparison: Comparison) -> None:
    """The table, or a list where it is too wide for the terminal; then the answers."""
    from ..manager.report import said, table, title

    rows = [[hide(safe(cell)) for cell in row] for row in table(comparison)]
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if is_terminal(sys.stdout) and sum(sizes) + 2 * len(sizes) - 2 > width():
        heads, *models = rows
        pad = max(map(len, heads))
        for name, *row in models:
            _head(name)
            pairs = zip(heads[1:], row, strict=True)
            write("".join(f"  {head.ljust(pad)}  {cell}\n" for head, cell in pairs if cell))
    else:
        lines = ("  ".join(c.ljust(n) for c, n in zip(row, sizes, strict=True)) for row in rows)
        write("".join(f"{line.rstrip()}\n" for line in lines))
    for trial in comparison.trials:
        write("\n")
        _head(title(comparison, trial))
        write(f"{hide(said(trial))}\n")


def _save(comparison: Comparison, given: dict[str, Any]) -> None:
    for form in ("html", "markdown", "csv"):
        if path := given[form]:
            text = getattr(comparison, f"to_{form}")()
            path.write_text(text, "utf-8", errors="replace", newline="")
            note(f"The comparison is in {path}")


def _file(form: str) -> Callable[[F], F]:
    kind = click.Path(dir_okay=False, writable=True, path_type=Path)
    said = f"Write it as {form}, too."
    return click.option(f"--{form}", type=kind, metavar="FILE", callback=in_a_folder, help=said)


def _asked(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The prompt that the options *given* make, and the options of `execute`."""
    attached = [attach(path) for path in given["attach"]]
    texts = [part.text for part in attached if isinstance(part, TextPart)]
    options = {
        "system": given["system"],
        "attachments": [part for part in attached if not isinstance(part, TextPart)],
        "timeout": given["timeout"],
        "strict": given["strict"] or None,
        "response_format": parse_schema(given["schema"]) if given["schema"] else None,
    }
    return "\n".join([*texts, read_prompt(given["prompt"])]), options


def _request_options(command: F) -> F:
    """Those options of ``chat`` that say what all models are sent."""
    for decorate in (
        click.option("--strict", is_flag=True, help="Send nothing to who cannot do it as asked."),
        click.option("--timeout", type=float, metavar="SECONDS", help="Wait for no answer longer."),
        click.option("--schema", metavar="FILE|JSON", help="Answer in JSON that fits this JSON Schema."),
        click.option("--attach", multiple=True, metavar="FILE",
                     help="A picture, document, recording or text file, or a URL, for all. Repeatable."),
    ):  # fmt: skip
        command = decorate(command)
    return command


@app.command(help=COMPARE_HELP)
@click.argument("prompt", nargs=-1)
@click.option("-m", "--model", "models", multiple=True, required=True, metavar="MODEL",
              shell_complete=complete, help="A model or route to ask; give two or more.")  # fmt: skip
@click.option("-s", "--system", metavar="TEXT", help="Instructions for the models.")
@click.option("-p", "--param", multiple=True, metavar="NAME=VALUE",
              help="A parameter, as for chat. Repeatable.")  # fmt: skip
@_request_options
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True,
              help="How often each is asked.")  # fmt: skip
@click.option("--concurrency", type=click.IntRange(1), default=1, show_default=True,
              help="How many calls are on their way at once.")  # fmt: skip
@_file("html")
@_file("markdown")
@_file("csv")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@common
@click.pass_obj
def compare(state: State, /, models: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Compare models."""
    import anyio

    from ..manager.compare import acompare
    from ..manager.executors import chat_request

    prompt, options = _asked(given)
    router = Router(state.house, None, given["param"])
    for model in models:  # raises what is wrong before anybody is asked
        router.prepare(chat_request(model, prompt, **options))
    options |= {name: given[name] for name in ("repeat", "concurrency")}

    async def main() -> Comparison:
        return await acompare(router, prompt, models, progress=_tell, **options)

    found = anyio.run(main)
    _save(found, given)
    write_json(found.to_dict()) if as_json else _show(found)
    if found.failures:
        raise click.exceptions.Exit(FAILED)
