"""The whole program: all commands, and how a run of one ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from click.shell_completion import shell_complete

from . import (
    batch,
    chat,
    compare,
    config,
    doctor,
    errors,
    health,
    plugins,
    pull,
    repro,
    simulate,
    survey,
    usage,
)
from .base import app
from .terminal import note, remember_secrets

__all__ = [
    "app",
    "batch",
    "chat",
    "compare",
    "config",
    "doctor",
    "health",
    "plugins",
    "pull",
    "repro",
    "run",
    "simulate",
    "survey",
    "usage",
]

COMPLETE = "_JACKFIELD_COMPLETE"


def prepare_streams() -> None:
    """No character is a reason to crash, and no missing stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # for good
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def run(arguments: Sequence[str]) -> int:
    """Run the command in *arguments*; return its exit code. Nothing but the message gets out."""
    prepare_streams()
    remember_secrets(os.environ)
    try:
        if COMPLETE in os.environ:
            return shell_complete(app, {}, "jackfield", COMPLETE, os.environ[COMPLETE])
        with app.make_context("jackfield", list(arguments)) as context:
            app.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except BrokenPipeError:
        errors.drop_output()
        return errors.NO_READER
    except (KeyboardInterrupt, click.Abort):
        note("\nStopped.")
        return errors.STOPPED
    except Exception as error:  # noqa: BLE001  # the last stop: a message, never a traceback
        if "--debug" in arguments:
            errors.show_traceback(error)
        return errors.report(error)
    return 0
