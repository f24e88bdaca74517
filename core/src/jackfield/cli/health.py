"""``jackfield health``: how all providers stand, asked side by side, and what their history was."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict, evolve, frozen

from ..manager.reach import part
from ..manager.settings import HealthSettings
from ..provider import LLMProvider
from .base import State, app, common
from .errors import FAILED
from .settings import Settings
from .survey import NOBODY, Found, ask, everything, named
from .terminal import is_terminal, note, table, write, write_json

if TYPE_CHECKING:  # imported when the command runs
    from ..manager.health import Health
    from ..manager.observations import HealthStatus

COLOURS: Mapping[str, int] = {
    "healthy": 32,
    "degraded": 33,
    "limited": 33,
    "down": 31,
    "unauthorized": 31,
    "unusable": 31,
    "unknown": 2,
}


@frozen
class Row:
    """One provider's line: its status, or what keeps it from having one."""

    name: str
    status: HealthStatus | None = None
    problem: str = ""

    @property
    def well(self) -> bool:
        """Whether there is nothing to complain of."""
        return self.status is not None and bool(self.status)


class _Notes(logging.Handler):
    """Tells the person what health logs: incidents, and a file that cannot be used."""

    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage(), 33 if record.levelno >= logging.WARNING else 2)


@contextlib.contextmanager
def _spinner(total: int) -> Iterator[Callable[[], None]]:
    """A spinner on standard error, at a terminal; the function counts one that has answered."""
    if not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = SpinnerColumn(), TextColumn("asking"), BarColumn(20), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=total)
        yield lambda: shown.advance(task)


def _meant(found: Found) -> bool:
    """Whether a provider that nobody named is the user's: in the file, broken, or one with a key."""
    return found.matters or (found.provider is not None and found.detail.startswith("key"))


def _ask(health: Health, found: Sequence[Found]) -> list[Row]:
    """Probe all *found* side by side."""
    able = {f.name: f.provider for f in found if f.provider}
    with _spinner(len(able)) as advance:

        async def one(provider: LLMProvider) -> HealthStatus:
            status = await health.aprobe(provider)
            advance()
            return status

        statuses: dict[str, Any] = ask({name: partial(one, p) for name, p in able.items()})
    return [
        Row(f.name, statuses.get(f.name), "" if f.provider else f"{f.status}: {f.detail}")
        for f in found
    ]


def _cells(row: Row) -> tuple[str, ...]:
    status = row.status
    if status is None:
        return "unusable", row.name, "", "", row.problem
    took = f"{status.latency.p50 * 1000:.0f} ms" if status.latency.p50 is not None else ""
    count = "" if status.model_count is None else _models(status.model_count)
    said = [
        f"{i.cause} since {_local(i.opened)}, {i.observations} failures" for i in status.incidents
    ]
    said += [status.last_error] if status.last_error and not status else []
    return status.state.value, row.name, took, count, "; ".join(said)


def _models(count: int) -> str:
    return f"{count:,} model" + ("" if count == 1 else "s")


def _local(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at else "open"


def _facts(row: Row) -> dict[str, Any]:
    unusable = {"state": "unusable", "last_error": row.problem}
    status = unusable if row.status is None else asdict(row.status)
    return {**status, "provider": row.name, "healthy": row.well}


def _show(rows: Sequence[Row], as_json: bool, repeated: bool) -> None:
    if as_json:
        write_json({"providers": [_facts(row) for row in rows]}, lines=repeated)
        return
    if repeated:
        write(f"{_local(datetime.now().astimezone())}\n")
    if not rows:
        note(NOBODY)
        return
    table([_cells(row) for row in rows], COLOURS)


def _tell(state: State, place: Path, wanted: Sequence[str], as_json: bool) -> None:
    """Write what the history at *place* holds, of all providers or of those *wanted*."""
    from ..manager.history import History

    names = {state.found.name_of(name) for name in wanted}
    incidents = [i for i in History(place).incidents() if not names or i.provider in names]
    if as_json:
        write_json({"incidents": [asdict(incident) for incident in incidents]})
    elif incidents:
        table([
            (_local(i.opened), _local(i.closed), i.provider, i.cause, f"{i.observations} failures", i.last_error)
            for i in incidents
        ])  # fmt: skip
    else:
        note("No incident is known.")


def _told(settings: Settings) -> HealthSettings:
    """What the file says of health."""
    told = part(settings.document, settings.found, {}, (), ("health",)).health
    return told or HealthSettings()


def _monitor(place: Path, settings: HealthSettings) -> Health:
    """Health by *settings*, its file at *place*; what it logs is told to the person."""
    from ..manager.health import Health

    log = logging.getLogger("jackfield.health")
    log.propagate, log.handlers = False, [_Notes()]
    log.setLevel(logging.INFO)
    return Health(evolve(settings, path=place, interval=None))


class _Pace(click.FloatRange):
    """Seconds, or what stands for the file's own."""

    own, usual = "[health] interval", 60.0

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == self.own:
            return value
        try:
            seconds = float(value)
        except ValueError:
            fix = "write --watch SECONDS, or the providers before --watch"
            self.fail(f"{value!r} is no number of seconds: {fix}", param, ctx)
        return super().convert(seconds, param, ctx)


@app.command()
@click.argument("provider", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; with --watch one a line.")
@click.option("--watch", type=_Pace(1, 86400), is_flag=False, flag_value=_Pace.own, metavar="[SECONDS]",
              help="Ask each so often; without a number as [health] interval says, or each minute.")  # fmt: skip
@click.option("--history", is_flag=True, help="List the incidents that are known; ask nobody.")
@click.option("--file", metavar="FILE", help="Default: as configured, or in your state folder.")
@common
@click.pass_obj
def health(state: State, /, *, provider: Sequence[str], as_json: bool, **given: Any) -> None:
    r"""Show how PROVIDERs stand, or all that are configured.

    Each is asked for its models, all at the same time. Three failures in a row, in one run or in
    several, are an incident, and two successes in a row end it. The exit code is 1 if a provider
    that you named, configured or hold a key for is not well.

    \b
    Examples:
      jackfield health
      jackfield health --watch
      jackfield health claude work-ollama --watch 30
      jackfield health --history
      jackfield health --json | jq -r '.providers[] | select(.healthy | not).provider'
    """
    from ..middleware.folders import state_file

    told = _told(state.found)
    place = state_file("health.sqlite", Path(given["file"]) if given["file"] else told.path)
    if given["history"]:
        return _tell(state, place, provider, as_json)
    found = named(state, provider) or [f for f in everything(state.settings) if _meant(f)]
    monitor, watch = _monitor(place, told), given["watch"]
    watch = told.interval or _Pace.usual if watch == _Pace.own else watch
    _show(rows := _ask(monitor, found), as_json, watch is not None)
    while watch is not None:
        time.sleep(watch)
        _show(_ask(monitor, found), as_json, True)
    if any(not row.well for row in rows):
        raise click.exceptions.Exit(FAILED)
    return None
