"""The wheels and sdists of every package, built here: `python tests/support/dists.py FOLDER [ROOT]`.

Builds are reproducible: hatchling writes its own fixed time into archives, or that of SOURCE_DATE_EPOCH.
"""

import contextlib
import io
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import hatchling.build

ROOT = Path(__file__).resolve().parents[2]


def packages(root: Path) -> list[Path]:
    """The folders of the packages below *root*, the core's first."""
    return [root / "core", *sorted(p.parent for p in root.glob("plugins/*/pyproject.toml"))]


def build(folder: Path, target: Path, kinds: tuple[str, ...] = ("sdist", "wheel")) -> None:
    """Build the package in *folder* into *target*."""
    target.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for kind in kinds:
            getattr(hatchling.build, f"build_{kind}")(str(target))


def from_sdist(sdist: Path, target: Path) -> None:
    """Build the wheel of *sdist* into *target*."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (unpacked,) = Path(folder).iterdir()
        build(unpacked, target, ("wheel",))


def members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a wheel or an sdist, an sdist's without the folder that they are in."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            yield from ((name, wheel.read(name)) for name in wheel.namelist())
        return
    with tarfile.open(archive) as sdist:
        for member in sdist.getmembers():
            if (file := sdist.extractfile(member)) is not None:
                yield member.name.partition("/")[2], file.read()


def main(arguments: list[str]) -> int:
    """Build everything into the folder that *arguments* name; return the exit code."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write(__doc__ or "")
        return 2
    target = Path(arguments[0]).resolve()
    root = Path(arguments[1]).resolve() if arguments[1:] else ROOT
    for folder in packages(root):
        build(folder, target)
    built = sorted(path.name for path in target.iterdir())
    sys.stdout.write("\n".join(built) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
