"""``jackfield plugins``: what is installed and what it may do, checked, and locked as it is."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from attrs import asdict

from ..manifests.entries import LOCK
from ..manifests.lock import NAME, write_lock
from .base import app, common
from .errors import FAILED
from .standing import Standing, check, standings
from .terminal import note, table, write, write_json

COLOURS = {"ok": 32, "quarantined": 31, "blocked": 2}


def _file(given: str | None) -> Path:
    """The lock file: *given*, the environment's, or this folder's."""
    return Path(given or os.environ.get(LOCK) or NAME).expanduser()


def _show(found: Sequence[Standing], as_json: bool) -> None:
    if as_json:
        write_json([asdict(one) for one in found])
    elif found:
        table([_cells(one) for one in found], COLOURS)


def _cells(one: Standing) -> tuple[str, ...]:
    contract = f"contract {one.contract}" if one.contract else ""
    if not contract and one.state != "quarantined":  # else it may be the manifest that is broken
        contract = "no manifest"
    reaches = f"reaches {', '.join(one.hosts)}" if one.hosts else ""
    reads = f"reads {', '.join(one.secrets)}" if one.secrets else ""
    said = "; ".join(filter(None, (one.reason, reaches, reads)))
    who = f"{one.distribution} {one.version}".strip()
    return one.state, f"{one.kind}/{one.name}", who, contract, said


@app.group("plugins", invoke_without_command=True)
@common
@click.pass_context
def plugins(context: click.Context, /) -> None:
    r"""Show what plugins are installed and may do; check them; lock them.

    What a plugin may do stands in its manifest, jackfield.toml: the hosts that it reaches beside
    its base URL, the environment's secrets that it reads, its contract.

    \b
    Examples:
      jackfield plugins list
      jackfield plugins lock
      jackfield plugins check
      JACKFIELD_PLUGINS_LOCK=jackfield-plugins.lock jackfield chat "Hello"
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
@common
def listed(as_json: bool) -> None:
    r"""List the installed plugins, their hosts and secrets, without importing any.

    Blocked: JACKFIELD_BLOCK leaves it out. Quarantined: its manifest is misshapen or of a newer
    contract, or it differs from the lock that JACKFIELD_PLUGINS_LOCK names; all else works.

    \b
    Examples:
      jackfield plugins list
      jackfield plugins list --json | jq -r '.[] | select(.hosts != []).name'
    """
    _show(standings(), as_json)


@plugins.command("check")
@click.option("--json", "as_json", is_flag=True, help="A JSON list.")
@click.option("--file", metavar="FILE", help=f"The lock. Default: {LOCK}, or {NAME} here.")
@common
def checked(as_json: bool, file: str | None) -> None:
    r"""Import every plugin and hold it to the contract, its manifest and the lock.

    What differs from the lock is told and not imported. The exit code is 1 if anything is wrong.

    \b
    Examples:
      jackfield plugins check
      jackfield plugins check --file plugins.lock --json
    """
    place = _file(file)
    wanted = file or os.environ.get(LOCK) or place.exists()
    with contextlib.redirect_stdout(sys.stderr):  # what plugins print while they load
        found = check(place if wanted else None)
    if not wanted:
        note("There is no lock: `jackfield plugins lock` writes one.")
    _show(found, as_json)
    if any(one.state == "quarantined" for one in found):
        raise click.exceptions.Exit(FAILED)


@plugins.command("lock")
@click.option("--file", metavar="FILE", help=f"Default: {LOCK}, or {NAME} here.")
@common
def locked(file: str | None) -> None:
    r"""Write down the installed plugins: version, a digest of all their files, hosts and secrets.

    None of them is imported, and a lock that is there is replaced. Run it when you have looked at
    what is installed; with JACKFIELD_PLUGINS_LOCK set, what differs from then on is set aside.

    \b
    Examples:
      jackfield plugins lock
      jackfield plugins lock --file plugins.lock
    """
    place = _file(file)
    names = write_lock(place)
    write(f"{place}: {len(names)} plugins\n")
