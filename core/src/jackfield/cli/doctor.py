"""``jackfield doctor``: what is wrong, what to do about it, and what is well."""

from __future__ import annotations

import os
import platform
import sys
from functools import partial

import click

from .. import __version__
from ..errors import LLMError
from ..manager.reach import reach, targets
from ..plugins import available_providers
from .base import State, app, common
from .call import DEMO
from .errors import FAILED
from .settings import Settings
from .survey import Found, ask, everything, examine, routes
from .terminal import table, write
from .whom import House

COLOURS = {"ok": 32, "FAIL": 31, "warn": 33, "--": 2}
Row = tuple[str, str, str]


def _versions() -> str:
    from importlib_metadata import version

    libraries = ", ".join(f"{name} {version(name)}" for name in ("httpx2", "click", "anyio"))
    return f"jackfield {__version__}, Python {platform.python_version()} on {sys.platform}, {libraries}"


def _file(settings: Settings) -> list[Row]:
    """What there is to say about the configuration file."""
    if settings.path is None:
        return [("--", "configuration", "no file; environment variables alone count")]
    rows = [("FAIL", "configuration", str(issue)) for issue in settings.issues]
    literal = any("${" not in str(t.get("api_key", "${")) for t in settings.providers.values())
    if literal and os.name != "nt" and settings.path.stat().st_mode & 0o077:
        fix = f"holds a key and can be read by others: chmod 600 {settings.path}"
        rows.append(("warn", "configuration", fix))
    return rows or [("ok", "configuration", str(settings.path))]


def _model(house: House, environment: str | None) -> tuple[Row, str]:
    """The model that `chat` takes by default, and who answers."""
    wanted = environment or house.settings.default_model
    if not wanted:
        there = DEMO.partition("/")[0] in available_providers()
        answers = f"none, so {DEMO} answers" if there else "none, and no demo is installed"
        return ("--", "default model", f"{answers}: set default_model"), ""
    try:
        meant = house.find(wanted)
    except (click.UsageError, LLMError) as error:
        return ("FAIL", "default model", error.message), ""
    how = f" ({meant.how}: {meant})" if meant.how != "exact" else ""
    return ("ok", "default model", wanted + how), meant.name


def _verdict(found: Found, problems: object, matters: bool) -> Row:
    """One provider's row; *problems* is what asking its backend said."""
    bad = "FAIL" if matters or found.status == "broken" else "--"
    if found.provider is None:
        return bad, found.name, f"{found.status}: {found.detail}"
    said = [str(problems)] if isinstance(problems, LLMError) else [str(p) for p in problems]  # type: ignore[attr-defined]  # else a sequence of issues
    facts = "; ".join([*(said or ["answers"]), *filter(None, (found.source, found.detail))])
    return bad if said else "ok", found.name, facts


def _tell(settings: Settings, name: str, told: dict[str, Row]) -> None:
    """Add the row of the route *name* to those *told*, unless it is there, and first of whom it leads to."""
    if name in told:
        return
    found = next(f for f in routes(settings) if f.name == name)
    told[name] = "FAIL", name, f"{found.status}: {found.detail}"
    if found.status != "ready":
        return
    aims = targets(settings.document.tables, name)
    heads = [aim.partition("/")[0] for aim in aims]
    for head in heads:
        if head in settings.routes:
            _tell(settings, head, told)
    well = [head in told and told[head][0] in ("ok", "warn") for head in heads]
    said = (f"{aim} is {'' if fine else 'not '}ready" for aim, fine in zip(aims, well, strict=True))
    told[name] = "ok" if all(well) else "warn" if any(well) else "FAIL", name, "; ".join(said)


@app.command()
@click.argument("provider", nargs=-1)
@common
@click.pass_obj
def doctor(state: State, /, provider: tuple[str, ...]) -> None:
    r"""Find out what is wrong, and what to do.

    Checks the configuration file, the plugins, the keys and the backends: of PROVIDERs (or routes: of
    their targets), or of all that there are. Keys are never shown, only where they come from. Rows that say FAIL matter: something that
    you configured, named, or hold a key for does not work; then the exit code is 1.

    \b
    Examples:
      jackfield doctor
      jackfield doctor claude work-ollama
    """
    settings = state.found
    model, chosen = _model(House(settings), os.environ.get("JACKFIELD_MODEL"))
    rows = [*_file(settings), model]
    rows += [("FAIL", "plugins", said) for said in app.broken or ()]
    used = reach(settings.document.tables, provider or settings.routes)
    named = [name for name in used if name not in settings.routes]
    found = [examine(settings, name) for name in named] if provider else everything(settings)
    if chosen and chosen not in {*used, *(f.name for f in found)} and not provider:
        found.append(examine(settings, chosen))
    asked = ask(
        {f.name: partial(f.provider.avalidate_config, probe=True) for f in found if f.provider}
    )
    verdicts = []
    for one in found:
        meant = one.matters or provider or one.name == chosen or one.detail.startswith("key")
        verdicts.append(_verdict(one, asked.get(one.name, ()), bool(meant)))
    told = {row[1]: row for row in verdicts}
    for name in [n for n in used if n in settings.routes]:
        _tell(settings, name, told)
    rows += told.values()
    write(_versions() + "\n")
    table(rows, COLOURS)
    if any(mark == "FAIL" for mark, *_ in rows):
        raise click.exceptions.Exit(FAILED)
