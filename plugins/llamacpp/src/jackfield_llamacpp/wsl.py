"""Windows paths and the Windows Subsystem for Linux: detection and translation.

Everything but `here` is a pure function of its arguments, so that every platform can test it.
"""

from __future__ import annotations

import configparser
import os
import posixpath
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

_DRIVE = re.compile(r"^(?:[\\/]{2}\?[\\/])?([A-Za-z]):[\\/]+(.*)$", re.DOTALL)
_BARE_DRIVE = re.compile(r"^([A-Za-z]):$")
_SHARE = re.compile(
    r"^[\\/]{2}(?:\?[\\/]UNC[\\/])?wsl(?:\$|\.localhost)[\\/]+[^\\/]+(.*)$",
    re.IGNORECASE | re.DOTALL,
)
DEFAULT_ROOT = "/mnt/"


@frozen(kw_only=True)
class Platform:
    """Where this program runs: under WSL, on Windows itself, or (neither) anywhere else."""

    wsl: bool = False
    windows: bool = False
    mount_root: str = DEFAULT_ROOT


def is_wsl(kernel: str, environ: Mapping[str, str]) -> bool:
    """Whether *kernel* (the text of /proc/version) or *environ* is that of WSL 1 or WSL 2."""
    return "microsoft" in kernel.lower() or "WSL_DISTRO_NAME" in environ


def mount_root(wsl_conf: str) -> str:
    """The folder under which WSL shows Windows drives, from the text of /etc/wsl.conf; ends in a slash."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(wsl_conf)
    except configparser.Error:
        return DEFAULT_ROOT
    root = parser.get("automount", "root", fallback=DEFAULT_ROOT).strip().strip("\"'")
    return (root.rstrip("/") + "/") if root.startswith("/") else DEFAULT_ROOT


def to_wsl(path: str, root: str = DEFAULT_ROOT) -> str:
    r"""`C:\models\x.gguf` as WSL sees it, `/mnt/c/models/x.gguf`; other paths are returned as they are.

    Paths into a distribution (`\\wsl$\Debian\home\me`) become paths of that distribution (`/home/me`).
    """
    if drive := _DRIVE.match(path):
        return root + drive[1].lower() + "/" + re.sub(r"[\\/]+", "/", drive[2])
    if bare := _BARE_DRIVE.match(path):
        return root + bare[1].lower() + "/"
    if share := _SHARE.match(path):
        return re.sub(r"[\\/]+", "/", share[1]) or "/"
    return path


def to_windows(path: str, root: str = DEFAULT_ROOT) -> str:
    r"""`/mnt/c/models/x.gguf` as Windows sees it, `C:\models\x.gguf`; other paths are returned as they are."""
    straight = posixpath.normpath(path) if ".." in path.split("/") else path
    match = re.match(re.escape(root) + r"([A-Za-z])(?:/(.*))?$", straight, re.DOTALL)
    if match is None:
        return path
    # Not by joining paths: a part such as `d:` would start again from another drive.
    parts = [part for part in (match[2] or "").split("/") if part not in {"", "."}]
    return f"{match[1].upper()}:\\" + "\\".join(parts)


def translate(path: str, platform: Platform) -> str:
    """*path* as *platform* writes it, whichever side of WSL it was written for."""
    if platform.wsl:
        return to_wsl(path, platform.mount_root)
    if platform.windows:
        return to_windows(path, platform.mount_root)
    return path


def here() -> Platform:
    """The platform that this program runs on."""
    if sys.platform == "win32":
        return Platform(windows=True)
    wsl = is_wsl(_read("/proc/version"), os.environ)
    return Platform(wsl=wsl, mount_root=mount_root(_read("/etc/wsl.conf")) if wsl else DEFAULT_ROOT)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
