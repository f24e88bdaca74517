"""What is in the wheels and sdists: all that belongs there, nothing else, and the same bytes each time."""

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.dists import from_sdist, members
from support.source import PACKAGES, ROOT, Package, tracked

IN_SDIST = ("src", "tests", "model", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")


def stem(package: Package) -> str:
    return f"{package.module}-{package.pyproject['project']['version']}"


def wheel(package: Package, dist: Path) -> Path:
    return dist / f"{stem(package)}-py3-none-any.whl"


def sdist(package: Package, dist: Path) -> Path:
    return dist / f"{stem(package)}.tar.gz"


def below(folder: Path) -> set[str]:
    """The files below *folder* that belong to the repository."""
    return {p.relative_to(folder).as_posix() for p in tracked() if p.is_relative_to(folder)}


def test_every_package_has_a_wheel_and_an_sdist_and_nothing_else_is_built(dist: Path) -> None:
    expected = {path.name for p in PACKAGES for path in (wheel(p, dist), sdist(p, dist))}
    assert {path.name for path in dist.iterdir()} == expected


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_wheel_holds_the_source_its_licence_and_no_stray_file(
    package: Package, dist: Path
) -> None:
    info = f"{stem(package)}.dist-info"
    names = [name for name, _ in members(wheel(package, dist))]
    told = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE")}
    if package.pyproject["project"].keys() & {"entry-points", "scripts"}:
        told.add(f"{info}/entry_points.txt")
    assert len(names) == len(set(names))
    assert set(names) == below(package.folder / "src") | told
    assert f"{package.module}/py.typed" in names
    assert [name for name in names if Path(name).name.startswith(("test_", "conftest"))] == []


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_wheels_record_is_true(package: Package, dist: Path) -> None:
    files = dict(members(wheel(package, dist)))
    record = files.pop(f"{stem(package)}.dist-info/RECORD").decode().splitlines()
    told = {name: digest for name, digest, _ in csv.reader(record) if digest}
    assert told == {
        name: "sha256="
        + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        for name, data in files.items()
    }


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_an_sdist_holds_the_folder_with_its_tests_and_makes_the_same_wheel(
    package: Package, dist: Path, tmp_path: Path
) -> None:
    names = {name for name, _ in members(sdist(package, dist))}
    expected = {n for n in below(package.folder) if n.split("/")[0] in IN_SDIST}
    assert names - {"PKG-INFO", ".gitignore"} == expected
    from_sdist(sdist(package, dist), tmp_path)
    assert wheel(package, tmp_path).read_bytes() == wheel(package, dist).read_bytes()


def test_the_same_source_makes_the_same_bytes_in_another_place_at_another_time(
    dist: Path, tmp_path: Path
) -> None:
    """A copy without a repository around it, other times and rights of its files, another hash seed."""
    copy = tmp_path / "elsewhere" / "deep"
    for path in tracked():
        if path.parts[len(ROOT.parts)] in ("core", "plugins", ".gitignore", "LICENSE"):
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o600)
            os.utime(target, (1_000_000_000, 1_000_000_000))
    script = [sys.executable, str(ROOT / "tests/support/dists.py")]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    environment.pop("SOURCE_DATE_EPOCH", None)
    subprocess.run(
        [*script, str(tmp_path / "out"), str(copy)],
        env=environment,
        check=True,
        capture_output=True,
    )
    ours = {path.name: path.read_bytes() for path in dist.iterdir()}
    theirs = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
