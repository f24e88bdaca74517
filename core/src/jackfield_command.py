"""Where the command ``jackfield`` starts: outside the package, so that Ctrl-C while that is imported ends it well."""

import os
import sys

__all__ = ["main"]

STOPPED = 130


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    """Stop where Ctrl-C fell into a callback, as imports have many, and would be lost with a traceback."""
    if found.exc_type is KeyboardInterrupt:
        os._exit(STOPPED)
    sys.__unraisablehook__(found)


def main() -> None:
    """Run the command line; stopped before it is there, exit with the code that it would."""
    try:
        sys.unraisablehook = _unraisable
        from jackfield.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(STOPPED)
