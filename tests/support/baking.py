"""Packages baked from the template, and clean environments in which they stand beside wheels of the core."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from attrs import frozen

from support.dependencies import described, wanted
from support.dists import build
from support.source import ROOT

TEMPLATE = ROOT / "cookiecutter-provider"
UV = [sys.executable, "-m", "uv"]
NEEDED = ("core", "plugins/dialect-openai")
"""The packages of this repository that a baked one may depend on."""


def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """*command* in *folder*, with nothing of this process's Python and configuration; *more* is its environment."""
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "JACKFIELD_", "COOKIECUTTER", "PYTEST_"))
        and not name.endswith(("_API_KEY", "VIRTUAL_ENV"))
    }
    home = {"HOME": str(folder), "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        command,
        cwd=folder,
        env={**keep, **home, **more},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def succeeds(folder: Path, *command: str, **more: str) -> str:
    """What *command*, which succeeds, prints."""
    done = run(folder, *command, **more)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def cookiecutter(folder: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    """The template filled in below *folder* with *answers* and, for the rest, the usual ones."""
    settings = folder / "cookiecutter.yaml"
    places = [f"{name}_dir: {folder / 'state' / name}" for name in ("cookiecutters", "replay")]
    settings.write_text("\n".join(places) + "\n", "utf-8")
    given = [f"{name}={value}" for name, value in answers.items()]
    options = ["--no-input", "--config-file", str(settings), "--output-dir", str(folder)]
    return run(folder, sys.executable, "-m", "cookiecutter", *options, str(TEMPLATE), *given)


def bake(folder: Path, **answers: str) -> Path:
    """The folder of a package, baked below *folder*."""
    done = cookiecutter(folder, **answers)
    assert done.returncode == 0, done.stderr
    return folder / answers.get("distribution", f"jackfield-{answers['name']}")


def files(folder: Path) -> dict[str, str]:
    """The texts below *folder*, by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@frozen
class Environment:
    """A virtual environment in *folder*, which has the packages that wheels in *wheels* need."""

    folder: Path
    wheels: Path

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        places = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
        return str(self.folder / places[0] / f"{name}{places[1]}")

    def install(self, *arguments: str) -> None:
        """Install with uv, from the cache of whoever runs the tests."""
        cache = subprocess.run([*UV, "cache", "dir"], capture_output=True, text=True, check=True)
        python = ["--python", self.program("python"), "--cache-dir", cache.stdout.strip()]
        succeeds(self.wheels, *UV, "pip", "install", "--quiet", *python, *arguments)

    def add(self, package: Path) -> None:
        """Build the wheel of *package*, and install it and what it needs from wheels alone."""
        build(package, self.wheels, ("wheel",))
        (wheel,) = self.wheels.glob(f"{package.name.replace('-', '_')}-*.whl")
        self.install("--no-index", "--find-links", str(self.wheels), str(wheel))


def environment(folder: Path) -> Environment:
    """An environment below *folder* with the core's wheel and, beside it, what it needs in the versions of here."""
    made = Environment(folder / "environment", folder / "wheels")
    for package in NEEDED:
        build(ROOT / package, made.wheels, ("wheel",))
    succeeds(folder, *UV, "venv", "--quiet", "--python", sys.executable, str(made.folder))
    (core,) = made.wheels.glob("jackfield-*.whl")
    names = wanted(described(core).requires_dist or (), ("cli", "test"))
    made.install(*sorted(f"{name}=={version(name)}" for name in names))
    made.install("--no-index", "--no-deps", str(core))
    return made
