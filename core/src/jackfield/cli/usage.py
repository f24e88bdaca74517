"""``jackfield usage``: what the ledger adds up to, as tables, JSON or CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigError, InvalidRequestError
from ..middleware.folders import state_file
from .base import State, app, common
from .terminal import note, safe, table, write, write_json

if TYPE_CHECKING:
    from ..middleware.usage import UsageRow

    Read = Callable[[Sequence[str]], list[UsageRow]]

BY = ("provider", "model", "day", "tag", "month", "hour", "kind", "operation", "tenant", "status")
USUAL = ("provider", "model", "day", "tag")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}

COUNTS = ("attempts", "failed", "cancelled", "open", "estimated", "unknown")
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens")
MONEY = ("cost", "weighted_cost", "estimated_cost")

HOW = """Nothing is booked in {place}. A ledger is turned on by two lines in jackfield.toml:
  [ledger]
  path = "usage.sqlite"     # without it, {place}"""

NONE_YET = "Nothing was booked yet: the ledger is on, and its file is {place}."
ELSE = """Nothing is booked of what you ask for in {place}; `jackfield usage --since 3650d` shows all there is."""


USAGE_HELP = """Show what was used and what it cost, from the ledger.

A row of the ledger is one attempt at a backend: a call that was tried again has several. Sums
are exact; what is estimated has a ~, and what is unknown is told apart and not counted as 0.
WHEN is 7d, 24h or 2w ago, or a time such as 2026-11-01, in UTC. In JSON and CSV money is exact
text; there, the usual grouping is by provider and model.

\b
Examples:
  jackfield usage
  jackfield usage --by model --since 7d
  jackfield usage --by day --by provider --tag research --csv usage.csv
  jackfield usage --json | jq -r '.totals[].cost'
"""


def parse_time(text: str) -> datetime:
    """The moment that *text* means: ``7d`` (ago), ``2026-11-01``, ``2026-11-01T12:00``; UTC unless it says.

    Raises:
        InvalidRequestError: it means none.
    """
    ago = re.fullmatch(r"(\d{1,6})([hdw])", text)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = f"{text!r} is no time: write 7d, 24h, 2w, 2026-11-01 or 2026-11-01T12:00"
        raise InvalidRequestError(message, param="time", phase="build") from None


def _reader(
    place: Path, since: datetime | None = None, until: datetime | None = None, **only: str | None
) -> Read:
    """What reads the ledger at *place* in groups; nothing where there is none."""
    from ..middleware import usage as ledger
    from ..middleware.ledger_store import Store

    if not place.is_file():
        return lambda _: []
    return lambda group: ledger.usage(Store(place), since, until, group, **only)


def _place(state: State, explicit: Path | None) -> Path:
    """Where the ledger is: as told, as configured, or in the state folder."""
    if explicit is not None and not explicit.is_file():
        raise ConfigError(f"{explicit} is no ledger: name its file, or leave --file out")
    told = state.found.document.tables.get("ledger")
    if explicit is None and isinstance(told, Mapping) and isinstance(told.get("path"), str):
        explicit = Path(told["path"])
    return state_file("ledger.sqlite", explicit)


def _cost(row: UsageRow) -> str:
    """The money of *row*: what is known, ``~`` where some of it is guessed, what is unknown beside it."""
    from ..middleware.costs import dollars

    known = row.attempts - row.unknown
    amount = dollars(row.cost) if row.currency == "USD" else f"{row.cost:f} {row.currency}"
    about = "~" if row.estimated_cost else ""
    more = f" + {row.unknown:,} unknown" if known else "unknown"
    return (f"{about}{amount}" if known else "") + (more if row.unknown else "")


def _lines(title: str, rows: Sequence[UsageRow], totals: Sequence[UsageRow]) -> list[list[str]]:
    """The table of *rows* under *title*, numbers to the right, *totals* last."""
    cells = [[title, "attempts", "failed", "tokens in", "out", "cost"]]
    for row in (*rows, *totals):
        name = " ".join(safe(value or "(none)") for value in row.group) or "in all"
        about = "~" if row.estimated else ""
        tokens = (f"{about}{row.input_tokens:,}", f"{about}{row.output_tokens:,}")
        cells.append([name, f"{row.attempts:,}", f"{row.failed:,}", *tokens, _cost(row)])
    widths = [max(len(line[at]) for line in cells) for at in range(1, 5)]
    for line in cells:
        line[1:5] = [text.rjust(size) for text, size in zip(line[1:5], widths, strict=True)]
    return cells


def _facts(row: UsageRow, by: Sequence[str] = ()) -> dict[str, Any]:
    """*row* for programs: money as exact text."""
    facts: dict[str, Any] = dict(zip(by, row.group, strict=True))
    facts |= {name: getattr(row, name) for name in (*COUNTS, *TOKENS)}
    return {
        **facts,
        **{name: f"{getattr(row, name):f}" for name in MONEY},
        "currency": row.currency,
    }


def _cell(value: Any) -> Any:
    """*value* as a spreadsheet may have it: no name becomes a formula there."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _write_csv(place: str, rows: Sequence[UsageRow], by: Sequence[str]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*by, *COUNTS, *TOKENS, *MONEY, "currency"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: _cell(v) for k, v in _facts(row, by).items()} for row in rows)
    if place == "-":
        write(text.getvalue())
        return
    try:
        Path(place).write_text(text.getvalue(), "utf-8")
    except OSError as error:
        raise ConfigError(f"{place} cannot be written: {error.strerror}") from None


def _explain(rows: Sequence[UsageRow]) -> None:
    """Say what the marks mean that stand in the table."""
    from ..middleware.costs import dollars
    from ..middleware.usage import summed

    whole = summed([row for row in rows if row.currency == "USD"])
    if whole.estimated or whole.estimated_cost:
        note(
            f"~ is estimated: {dollars(whole.estimated_cost)} of the cost, for attempts that broke "
            "off or are under way, and for what nobody counted."
        )
    if whole.unknown:
        note(
            f"unknown: nobody said what these {whole.unknown:,} attempts cost, and it is not "
            "counted; jackfield-prices knows the prices of many models."
        )
    if whole.weighted_cost != whole.cost:
        note(f"With the providers' cost multipliers: {dollars(whole.weighted_cost)}.")


def _show(read: Read, by: Sequence[str]) -> None:
    """The tables: one by all of *by* together, or the usual ones."""
    totals = read(())
    for group in [by] if by else [(name,) for name in USUAL]:
        rows = read(group)
        if by or {row.group for row in rows} != {(None,)}:  # nobody uses tags
            table(_lines(" ".join(group), rows, totals))
            write("\n")
    _explain(totals)


@app.command(help=USAGE_HELP)
@click.option("--by", multiple=True, type=click.Choice(BY), help="Group so; by several together.")
@click.option("--since", metavar="WHEN", default="30d", show_default=True, help="From then on.")
@click.option("--until", metavar="WHEN", help="Up to then.")
@click.option("--provider", metavar="NAME", help="Only this provider's.")
@click.option("--model", metavar="NAME", help="Only this model's.")
@click.option("--tag", metavar="TAG", help="Only what has this tag.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--csv", "as_csv", metavar="FILE", help="Write a table as CSV; - is standard output.")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The ledger. Default: as configured, else ledger.sqlite in your state folder.",
)
@common
@click.pass_obj
def usage(
    state: State, /, *, by: tuple[str, ...], since: str, until: str | None, as_json: bool,
    as_csv: str | None, path: Path | None, **only: str | None,
) -> None:  # fmt: skip
    """Show what was used, and what it cost."""
    start, end = (parse_time(when) if when else None for when in (since, until))
    place = _place(state, path)
    read = _reader(place, start, end, **only)
    usual, totals = by or ("provider", "model"), read(())
    if as_csv and as_json:
        raise click.UsageError("--csv and --json: ask for one of the two")
    if as_json:
        told = {"groups": [_facts(r, usual) for r in read(usual)], "totals": [*map(_facts, totals)]}
        write_json({"since": start, "until": end, **told})
    elif as_csv:
        _write_csv(as_csv, read(usual), usual)
    elif totals:
        _show(read, by)
    else:
        on = path is None and state.found.document.tables.keys() & {"ledger", "budgets"}
        said = ELSE if _reader(place)(()) else NONE_YET if on else HOW
        note(said.format(place=place.absolute()))
