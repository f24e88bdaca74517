"""``jackfield simulate``: routes tried out on made-up or recorded traffic, one policy or two side by side."""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import app, common, in_a_folder
from .terminal import hide, is_terminal, note, safe, styled, width, write, write_json

if TYPE_CHECKING:
    from ..manager.settings import ManagerSettings
    from ..simulate import Report, Scenario, Trace

SIMULATE_HELP = """Try out the routes, limits, cache and budgets of ROUTES before they are rolled out.

Nothing is sent, and no key or plugin is needed: the real routes, breakers, retries, limits, cache
and budgets run on a clock that waits for nobody, over backends that behave as the scenario says. With OTHER, or
with --route twice, two policies meet the same traffic and the same luck. The same seed gives the same report.

\b
TRACE is a file with a call on each line, or made-up traffic:
  {"at": 0.5, "input_tokens": 800, "output_tokens": 200, "stream": true}
  poisson:rate=5,duration=1h,input=800,output=200
  week:peak=20/minute

\b
Examples:
  jackfield simulate jackfield.toml --route main --trace poisson:rate=2 --scenario bad-day.toml
  jackfield simulate now.toml next.toml --route main --trace calls.jsonl --scenario bad-day.toml
  jackfield simulate jackfield.toml --route cheap --route quick --trace week:peak=20/minute --html report.html
"""


def _policies(files: Sequence[Path], routes: Sequence[str]) -> list[tuple[Path, str]]:
    """File and route of each policy: one or two."""
    if len(files) > 2 or len(routes) > 2:
        raise click.UsageError("two policies can be compared: name two files, or two routes")
    count = max(len(files), len(routes), 1)
    named = [[*given, *given][:count] for given in (files, routes or [""])]
    return list(zip(*named, strict=True))


def _titles(policies: Sequence[tuple[Path, str]]) -> list[str]:
    """What tells the policies apart."""
    several = len({path for path, _ in policies}) > 1
    return [
        " ".join(filter(None, (path.name if several else "", route))) or path.name
        for path, route in policies
    ]


def _progress(title: str, trace: Trace) -> Callable[[float], None]:
    """Tells how far the simulation is, where somebody waits."""
    shown = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"

    def tell(at: float) -> None:
        if shown:
            part = min(at / trace.span, 1.0) if trace.span else 1.0
            print(f"\r{safe(title)}: {part:.0%} ", end="", file=sys.stderr, flush=True)
            if part == 1.0:
                print(file=sys.stderr)

    return tell


def _show(reports: Sequence[Report]) -> None:
    """The table: a row for each measure, numbers to the right."""
    from ..simulate.reports import compare_reports, told_change, told_number

    rows = [["", *(report.name for report in reports), "change"]]
    for found in compare_reports(reports[0], reports[-1]).differences:
        values = [found.before, found.after][: len(reports)]
        rows.append([found.name, *(told_number(v, found.unit) for v in values), told_change(found)])
    rows = [
        [hide(safe(cell)) for cell in row[: 1 + len(reports) + (len(reports) > 1)]] for row in rows
    ]
    name, *sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    narrow = is_terminal(sys.stdout) and name + sum(sizes) + 2 * len(sizes) > width()
    for at, (head, *cells) in enumerate(rows):
        right = "  ".join(cell.rjust(size) for cell, size in zip(cells, sizes, strict=True))
        line = f"{head}\n  {right}".strip("\n") if narrow else f"{head.ljust(name)}  {right}"
        write((line if at else styled(line, sys.stdout, 1)).rstrip() + "\n")


def _known(path: Path, route: str, own: ManagerSettings) -> None:
    """Refuse a *route* that the file has not: a provider that lists no models is not taken to serve it."""
    from ..manager.names import matches

    names = [*own.routes, *own.aliases, *own.providers]
    listed = [model for provider in own.providers.values() for model in provider.models]
    if route and route.partition("/")[0] not in names and not matches(route, listed):
        near = difflib.get_close_matches(route, names, 1)
        hint = f" (did you mean {near[0]}?)" if near else f": there are {', '.join(names)}"
        raise click.UsageError(f"{path.name} has no route {route!r}{hint}")


def _simulated(
    policies: Sequence[tuple[Path, str]],
    settings: Sequence[ManagerSettings],
    backends: Scenario,
    trace: Trace,
    seed: int,
) -> list[Report]:
    """The report of each policy; what is wrong with one is raised before any runs."""
    from ..simulate import Trace, run_simulation

    reports, nothing = [], Trace("", 0.0, lambda: iter(()))
    for (path, route), own in zip(policies, settings, strict=True):
        _known(path, route, own)
        run_simulation(own, backends, nothing, route=route)
    for (_, route), own, title in zip(policies, settings, _titles(policies), strict=True):
        tell = _progress(title, trace)
        found = run_simulation(own, backends, trace, seed, route=route, name=title, progress=tell)
        tell(trace.span)
        reports.append(found)
    return reports


@app.command(help=SIMULATE_HELP)
@click.argument(
    "files", nargs=-1, required=True, metavar="ROUTES [OTHER]", type=click.Path(path_type=Path)
)
@click.option("--route", "routes", multiple=True, metavar="NAME",
              help="Whom all calls go to: a route, or PROVIDER/MODEL. Give two to compare them.")  # fmt: skip
@click.option("--trace", "source", required=True, metavar="TRACE", help="The traffic.")
@click.option("--scenario", metavar="FILE", help="How backends behave. Default: all is well.")
@click.option("--seed", type=int, default=0, show_default=True, help="What all chance comes from.")
@click.option("--html", "page", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
              callback=in_a_folder, help="Write it as a page, too, with the course of it hour by hour.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with each hour.")
@common
def simulate(
    *, files: tuple[Path, ...], routes: tuple[str, ...], source: str, scenario: str | None,
    seed: int, page: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Try out routes."""
    from .. import simulate as kit

    policies = _policies(files, routes)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        settings = [kit.read_policy(path) for path, _ in policies]
    backends = kit.read_scenario(scenario) if scenario else kit.Scenario()
    reports = _simulated(policies, settings, backends, kit.read_trace(source, seed), seed)
    if as_json and len(reports) > 1:
        write_json(kit.compare_reports(*reports).to_dict())
    elif as_json:
        write_json(reports[0].to_dict())
    else:
        _show(reports)
    if page is not None:
        page.write_text(kit.to_html(reports), "utf-8", errors="replace", newline="")
        note(f"The report is in {page}")
    doubts = [str(w.message) for w in told]
    for warning in dict.fromkeys([*doubts, *(w for report in reports for w in report.warnings)]):
        note(f"Warning: {warning}", 33)
