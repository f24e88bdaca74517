"""Where files live that the user gave no place, by the system's convention, and how they are made."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..errors import ConfigError


def user_folder(kind: str) -> Path | None:
    """The user's folder for *kind* (``config`` or ``state``), by the system's convention."""
    if os.name == "nt":
        base = os.environ.get("APPDATA" if kind == "config" else "LOCALAPPDATA", "")
    else:
        base = os.environ.get(f"XDG_{kind.upper()}_HOME", "")
    if base and Path(base).is_absolute():
        return Path(base, "jackfield")
    try:
        home = Path.home()
    except RuntimeError:  # no home directory at all
        return None
    return home.joinpath({"config": ".config", "state": ".local/state"}[kind], "jackfield")


def state_file(name: str, path: Path | None = None) -> Path:
    """*path*, or the file *name* in the user's state folder.

    Raises:
        ConfigError: there is neither.
    """
    if path is not None:
        return path.expanduser()
    folder = user_folder("state")
    if folder is None:
        message = f"there is no home folder for {name}: set a path for it"
        raise ConfigError(message)
    return folder / name


def make_private(path: Path) -> None:
    """Make the file at *path*, which its owner alone may read, where there is none.

    One that is there is not opened: closing it again would drop the locks that a database in
    this process has on it.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
