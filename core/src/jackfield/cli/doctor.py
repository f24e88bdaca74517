"""``jackfield doctor``: what is wrong, what to do about it, and what is well."""

from __future__ import annotations

import os
import platform
import sys
from functools import partial

import click

from .. import __version__
from ..errors import LLMError
from .base import State, app, common
from .call import DEMO, split_model
from .errors import FAILED
from .settings import Settings
from .survey import Found, ask, everything, examine
from .terminal import table, write

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


def _model(settings: Settings, environment: str | None) -> tuple[Row, str]:
    """The model that `chat` takes by default, and its provider."""
    wanted = environment or settings.default_model
    if not wanted:
        return ("--", "default model", f"none, so {DEMO} answers: set default_model"), ""
    try:
        name = settings.name_of(split_model(settings, wanted)[0])
    except click.UsageError as error:
        return ("FAIL", "default model", error.message), ""
    return ("ok", "default model", wanted), name


def _verdict(found: Found, problems: object, matters: bool) -> Row:
    """One provider's row; *problems* is what asking its backend said."""
    bad = "FAIL" if matters or found.status == "broken" else "--"
    if found.provider is None:
        return bad, found.name, f"{found.status}: {found.detail}"
    said = [str(problems)] if isinstance(problems, LLMError) else [str(p) for p in problems]  # type: ignore[attr-defined]  # else a sequence of issues
    facts = "; ".join([*(said or ["answers"]), *filter(None, (found.source, found.detail))])
    return bad if said else "ok", found.name, facts


@app.command()
@click.argument("provider", nargs=-1)
@common
@click.pass_obj
def doctor(state: State, /, provider: tuple[str, ...]) -> None:
    r"""Find out what is wrong, and what to do.

    Checks the configuration file, the plugins, the keys and the backends: of PROVIDERs, or of all
    that there are. Keys are never shown, only where they come from. Rows that say FAIL matter: something that
    you configured, named, or hold a key for does not work; then the exit code is 1.

    \b
    Examples:
      jackfield doctor
      jackfield doctor claude work-ollama
    """
    settings = state.found
    model, chosen = _model(settings, os.environ.get("JACKFIELD_MODEL"))
    rows = [*_file(settings), model]
    rows += [("FAIL", "plugins", said) for said in app.broken or ()]
    found = [examine(settings, name) for name in provider] if provider else everything(settings)
    if chosen and chosen not in {f.name for f in found} and not provider:
        found.append(examine(settings, chosen))
    jobs = {f.name: partial(f.provider.avalidate_config, probe=True) for f in found if f.provider}
    asked = ask(jobs)
    for one in found:
        meant = one.matters or provider or one.name == chosen or one.detail.startswith("key")
        rows.append(_verdict(one, asked.get(one.name, ()), bool(meant)))
    write(_versions() + "\n")
    table(rows, COLOURS)
    if any(mark == "FAIL" for mark, *_ in rows):
        raise click.exceptions.Exit(FAILED)
