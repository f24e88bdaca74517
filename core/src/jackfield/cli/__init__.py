"""The command line, ``jackfield``; nothing of it is imported before it runs."""

from __future__ import annotations

import sys
from typing import Any

_MISSING = 'The command line needs click and rich: pip install "jackfield[cli]"'


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    try:
        from .app import run
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit(_MISSING)
    sys.exit(run(sys.argv[1:]))


def __getattr__(name: str) -> Any:
    if name == "app":
        from .app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
