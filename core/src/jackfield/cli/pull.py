"""``jackfield pull``: fetch a model to where its backend keeps models, and show how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from ..errors import UnsupportedOperationError
from ..requests import Progress, PullRequest, Timeout
from .base import State, app, common
from .terminal import is_terminal, note, safe, write

PATIENCE = Timeout(first_chunk=600, idle=600, total=7 * 86400)
"""Large models take hours, and checking them takes minutes without a sign of life."""


def _plainly(steps: Iterable[Progress]) -> None:
    """A line for each step, and for each tenth of one that counts; steps may take turns."""
    told: dict[str, int] = {}
    for step in steps:
        tenths = step.completed * 10 // step.total if step.completed and step.total else 0
        if told.get(step.status) != tenths:
            told[step.status] = tenths
            write(f"{safe(step.status)}{f' {tenths * 10}%' if step.total else ''}\n")


def _as_bars(steps: Iterable[Progress]) -> None:
    """A bar for each step, with bytes, speed and the time left; steps without bytes go when over."""
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description}", markup=False), rich.BarColumn(None),
        rich.DownloadColumn(), rich.TransferSpeedColumn(), rich.TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with rich.Progress(*columns) as shown:
        tasks: dict[str, rich.TaskID] = {}
        for step in steps:
            if step.status not in tasks:
                for task in shown.tasks:
                    shown.update(task.id, visible=task.total is not None)
                tasks[step.status] = shown.add_task(safe(step.status), total=step.total)
            shown.update(tasks[step.status], completed=step.completed, total=step.total)
        for task in shown.tasks:
            shown.update(task.id, visible=task.total is not None)


@app.command()
@click.argument("model", metavar="PROVIDER/MODEL")
@common
@click.pass_obj
def pull(state: State, /, model: str) -> None:
    r"""Fetch a model to where its backend keeps models.

    At a terminal a bar shows bytes and speed, elsewhere a line for each step. What had arrived
    before a break is kept by backends that can: run the command again.

    \b
    Examples:
      jackfield pull ollama/qwen3:4b
      jackfield pull my-gpu-box/llama3.3
    """
    meant = state.house.find(model)
    provider, wanted = state.settings.create(meant.name), meant.model
    if PullRequest not in provider.operations:
        raise UnsupportedOperationError(
            f"{provider.name} does not fetch models: its models are where it runs, see"
            f" `jackfield models {provider.name}`"
        )
    where = f"{provider.name}/{wanted}"
    with provider.stream(PullRequest(model=wanted, timeout=PATIENCE)) as steps:
        (_as_bars if is_terminal(sys.stdout) else _plainly)(steps)
    note(f"{where} is there. Try: jackfield chat -m {where}")
