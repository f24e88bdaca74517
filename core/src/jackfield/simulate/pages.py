"""A simulation as a page of HTML: the measures of one policy or two, and the course of them hour by hour."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from ..manager.report import grid, page
from .reports import HourReport, Report, compare_reports, told_change, told_number

_COLOURS = ("#2a6fbb", "#d9822b")
_WIDE, _HIGH = 960, 160
_COURSES: Sequence[tuple[str, str, Callable[[HourReport], float | None]]] = (
    ("Calls", "", lambda h: h.calls),
    ("Answered", "%", lambda h: 100 * h.successes / h.calls if h.calls else None),
    ("Nine in ten answers took at most", "s", lambda h: h.total.p90 if h.total else None),
    ("Cost", "$", lambda h: float(h.cost)),
)


def to_html(reports: Sequence[Report]) -> str:
    """*reports*, one or two of the same traffic, as a page that needs no other file, and runs nothing.

    Raises:
        ValueError: two are of different traffic or luck.
    """
    first, last = reports[0], reports[-1]
    several = len(reports) > 1
    heads = ["", *(r.name for r in reports), *(["change"] if several else [])]
    rows = []
    for found in compare_reports(first, last).differences:
        values = [found.before, found.after][: len(reports)]
        numbers = [told_number(value, found.unit) for value in values]
        rows.append([found.name, *numbers, *([told_change(found)] if several else [])])
    about = f"{first.trace}, seed {first.seed}: {first.calls:,} calls"
    body = [f"<p>{html.escape(about)}</p>", *grid(heads, rows)]
    if max(len(r.hours) for r in reports) > 1:
        body += [line for course in _COURSES for line in _chart(*course, reports)]
    warnings = dict.fromkeys(w for r in reports for w in r.warnings)
    return page(
        "Simulation", [*body, *(f"<p>{html.escape(f'Warning: {w}')}</p>" for w in warnings)]
    )


def _chart(
    title: str, unit: str, measure: Callable[[HourReport], float | None], reports: Sequence[Report]
) -> list[str]:
    """A line for each report, hour by hour."""
    courses = [[(h.hour, v) for h in r.hours if (v := measure(h)) is not None] for r in reports]
    most = max((v for course in courses for _, v in course), default=0) or 1
    end = max(h.hour for r in reports for h in r.hours) or 1
    lines = []
    for course, colour, report in zip(courses, _COLOURS, reports, strict=False):
        points = " ".join(
            f"{_WIDE * h / end:.1f},{_HIGH - _HIGH * v / most:.1f}" for h, v in course
        )
        name = html.escape(report.name)
        lines.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}">'
            f"<title>{name}</title></polyline>"
        )
    names = ", ".join(f"{r.name} {w}" for r, w in zip(reports, ("blue", "orange"), strict=False))
    top = f"{title}, hour by hour; at most {told_number(most, unit)} ({names})"
    return [
        f"<h2>{html.escape(top)}</h2>",
        f'<svg viewBox="-2 -2 {_WIDE + 4} {_HIGH + 4}" role="img" aria-label="{html.escape(title)}">',
        *lines,
        "</svg>",
    ]
