"""A comparison told as data, Markdown, HTML and CSV; what models say is text in each."""

from __future__ import annotations

import csv
import html
import io
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from attrs import asdict

if TYPE_CHECKING:
    from .compare import Comparison, ModelSummary, Spread, Trial

HEADS = (
    "Model",
    "Answers",
    "First token",
    "Total",
    "Tokens",
    "Tokens/s",
    "Cost",
    "Ended",
    "Verdict",
)

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3em .6em;"
    "border-bottom:1px solid #8884}pre{white-space:pre-wrap;overflow-wrap:anywhere;"
    "border-left:3px solid #8884;padding-left:1em}.error{color:#b00}"
    ":root{color-scheme:light dark}div{overflow-x:auto}svg{width:100%;height:auto}"
)


def _number(value: float) -> str:
    """*value* with about three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _spread(found: Spread | None, unit: str = "", before: str = "") -> str:
    if found is None:
        return ""
    told = f"{before}{_number(found.median)}{unit}"
    if found.low == found.high:
        return told
    return f"{told} ({_number(found.low)}–{_number(found.high)})"


def cells(summary: ModelSummary) -> list[str]:
    """The row of `HEADS` for one model; medians, with the least and the greatest where they differ."""
    answers, asked = len(summary.trials) - len(summary.failures), len(summary.trials)
    several = len(summary.finish_reasons) > 1
    ended = [f"{word} {n}" if several else word for word, n in summary.finish_reasons.items()]
    return [
        summary.model,
        str(answers) if answers == asked else f"{answers} of {asked}",
        _spread(summary.first, " s"),
        _spread(summary.total, " s"),
        _spread(summary.output_tokens),
        _spread(summary.speed),
        _spread(summary.cost, before="$"),
        ", ".join(ended),
        _spread(summary.verdict),
    ]


def table(comparison: Comparison) -> list[list[str]]:
    """Heads and rows, without columns that say nothing."""
    rows = [list(HEADS), *(cells(s) for s in comparison.summaries)]
    kept = [at for at in range(len(HEADS)) if any(row[at] for row in rows[1:])]
    return [[row[at] for at in kept] for row in rows]


def said(trial: Trial) -> str:
    """The answer of *trial*, or what it asks for or failed with."""
    if trial.response is None:
        return f"{type(trial.error).__name__}: {trial.error}"
    calls = [f"{c.name}({c.arguments})" for c in trial.response.tool_calls]
    return "\n".join(t for t in (trial.response.text, trial.response.refusal, *calls) if t)


def title(comparison: Comparison, trial: Trial) -> str:
    """The heading of a trial; rounds are numbered where there are several."""
    rounds = max(t.round for t in comparison.trials)
    return f"{trial.model}, round {trial.round + 1}" if rounds else trial.model


def to_dict(comparison: Comparison) -> dict[str, Any]:
    """See `Comparison.to_dict`."""
    models = []
    for s in comparison.summaries:
        spreads = {
            n: getattr(s, n)
            for n in ("first", "total", "output_tokens", "speed", "cost", "verdict")
        }
        told = {name: spread and asdict(spread) for name, spread in spreads.items()}
        cost = None if s.total_cost is None else f"{s.total_cost:f}"
        counted = {"answers": len(s.trials) - len(s.failures), "failures": len(s.failures)}
        reasons = dict(s.finish_reasons)
        models.append(
            {"model": s.model, **counted, **told, "total_cost": cost, "finish_reasons": reasons}
        )
    return {
        "prompt": comparison.prompt,
        "models": models,
        "trials": [_trial(t) for t in comparison.trials],
    }


def _trial(t: Trial) -> dict[str, Any]:
    usage = t.response.usage if t.response else None
    reason = t.response.finish_reason.value if t.response else None
    error = t.error and {"class": type(t.error).__name__, "message": t.error.message,
                         "code": t.error.code, "status": t.error.status}  # fmt: skip
    return {
        "model": t.model,
        "round": t.round + 1,
        "first": t.first,
        "total": t.total,
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "tokens_per_second": t.speed,
        "cost": None if t.cost is None else f"{t.cost:f}",
        "finish_reason": reason,
        "verdict": t.verdict,
        "text": t.response.text if t.response else None,
        "error": error,
    }


def to_csv(comparison: Comparison) -> str:
    """See `Comparison.to_csv`."""
    rows = [_trial(t) for t in comparison.trials]
    for row in rows:
        row["error"] = row["error"] and f"{row['error']['class']}: {row['error']['message']}"
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows({k: _plain(v) for k, v in row.items()} for row in rows)
    return out.getvalue()


def _plain(value: Any) -> Any:
    """*value*, a text so that no spreadsheet takes it for a formula."""
    risky = isinstance(value, str) and re.match(r"[=+\-@\t\r\n]", value) is not None
    return f"'{value}" if risky else value


def to_markdown(comparison: Comparison) -> str:
    """See `Comparison.to_markdown`."""
    heads, *rows = [[_escaped(cell) for cell in row] for row in table(comparison)]
    lines = [heads, ["---"] * len(heads), *rows]
    parts = ["\n".join(f"| {' | '.join(line)} |" for line in lines), _fenced(comparison.prompt)]
    for trial in comparison.trials:
        parts += [f"## {_escaped(title(comparison, trial))}", _fenced(said(trial))]
    return "\n\n".join(parts) + "\n"


def _escaped(text: str) -> str:
    """*text* on one line, with nothing that Markdown would take for more."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&$:-])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    # A last carriage return would be one line's end with the newline after it.
    text = re.sub("\r\n?", "\n", text)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def to_html(comparison: Comparison) -> str:
    """See `Comparison.to_html`."""
    heads, *rows = table(comparison)
    body = [_pre(comparison.prompt), *grid(heads, rows)]
    for trial in comparison.trials:
        kind = "" if trial.error is None else ' class="error"'
        body += [f"<h2>{html.escape(title(comparison, trial))}</h2>", _pre(said(trial), kind)]
    return page("Comparison", body)


def page(heading: str, body: Iterable[str]) -> str:
    """A page of HTML that needs no other file, and runs nothing; *body* is HTML below its *heading*."""
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = (
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(heading)}</title>",
        f"<style>{_STYLE}</style>",
    )
    top = f"<h1>{html.escape(heading)}</h1>"
    return "\n".join(("<!doctype html>", '<html lang="en"><head>', *head, "</head><body>", top, *body, "</body></html>", ""))  # fmt: skip


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of HTML, its *rows* below its *heads*; cells are texts."""
    body = [_row("td", row) for row in rows]
    return ["<div><table><thead>", _row("th", heads), "</thead><tbody>", *body, "</tbody></table></div>"]  # fmt: skip


def _row(tag: str, row: Sequence[str]) -> str:
    return f"<tr>{_joined(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in row)}</tr>"


def _joined(parts: Iterable[str]) -> str:
    return "".join(parts)


def _pre(text: str, kind: str = "") -> str:
    # A line end at the very start would be dropped.
    return f"<pre{kind}>\n{html.escape(text)}</pre>"
