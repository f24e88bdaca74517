#!/usr/bin/env python3
"""Set up this repository and run it, with nothing but Python and git on the machine.

    python3 dev.py chat "Tell me a story"    a real model answers: no key, no account
    python3 dev.py test [pytest options]     the whole test suite
    python3 dev.py check                     lint, format and types
    python3 dev.py run doctor                any other `jackfield` command
    python3 dev.py setup [test] [lint]       install only

The first call makes `.venv` and installs the core and every package under `plugins/`; later calls start at once.
Only the standard library is used, and the file parses under Python 3.6, to say that it is too old.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN, SUFFIX = (VENV / "Scripts", ".exe") if os.name == "nt" else (VENV / "bin", "")
PYTHON, UV, JACKFIELD = (str(BIN / (name + SUFFIX)) for name in ("python", "uv", "jackfield"))
OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
# The extras that a development install takes from a package that offers them.
EXTRAS = ("cli", "fast")
GROUPS = {"chat": (), "run": (), "setup": (), "test": ("test",), "check": ("lint",)}
# How the installers say that they reached nobody.
OFFLINE = (
    "connection refused", "dns error", "error sending request", "failed to establish", "max retries",
    "name resolution", "network is unreachable", "timed out",
)  # fmt: skip


class SetupError(Exception):
    """What went wrong and what to do next, for a person to read."""


def say(text: str) -> None:
    """Tell the person what happens; standard output belongs to the command that runs in the end."""
    print(text, file=sys.stderr, flush=True)


def run(*command: str) -> "tuple[int, str]":
    """Run *command* without a terminal; return its exit code and all that it printed."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except OSError as error:
        return 127, str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace").strip()


def interpreter() -> str:
    """Return a Python that is new enough.

    Raises:
        SetupError: this machine has none.

    """
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in NEWER:
        # A version manager's shim exists for versions that are switched off as well: try it.
        if shutil.which(name) and run(name, "-c", "")[0] == 0:
            return name
    raise SetupError(
        f"Jackfield needs Python 3.11 or newer; this is Python {sys.version.split()[0]}, and no newer one is on PATH.\n"
        "Debian, Ubuntu:  sudo apt install python3.11 python3.11-venv\n"
        "macOS:           brew install python\n"
        "Then run:        python3.11 dev.py ..."
    )


def make_venv() -> None:
    """Make `.venv`, with the standard library or, where that cannot, with uv or virtualenv.

    Raises:
        SetupError: nothing on this machine makes a virtual environment.

    """
    if run(PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))")[0] == 0:
        return
    python = interpreter()
    say("Making a virtual environment in .venv ...")
    code, reason = run(python, "-m", "venv", "--clear", str(VENV))
    if code:
        code, _ = run("uv", "venv", "--clear", "--seed", "--python", python, str(VENV))
    if code:
        code, _ = run(python, "-m", "virtualenv", "--clear", str(VENV))
    if code:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(
            f"{python} cannot make a virtual environment:\n\n{reason}\n\n"
            "On Debian and Ubuntu the venv module is a package of its own:\n"
            "    sudo apt install python3-venv\n"
            "Elsewhere `pip install --user virtualenv` does as well. Then run this command again."
        )


def packages() -> "list[Path]":
    """Return the pyproject.toml of every package, the core's first."""
    return [ROOT / "core" / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def expand(name: str, groups: "dict[str, list[object]]") -> "list[str]":
    """Return the requirements of one dependency group, with those of the groups that it includes."""
    found = []
    for item in groups[name]:
        found += expand(item["include-group"], groups) if isinstance(item, dict) else [str(item)]
    return found


def requirements(groups: "tuple[str, ...]") -> "list[str]":
    """Return what to install: every package, editable, with the extras it offers; then *groups*."""
    import tomllib  # new in Python 3.11, which runs this part

    arguments = []
    for path in packages():
        offered = tomllib.loads(path.read_text("utf-8"))["project"].get("optional-dependencies", {})
        extras = ",".join(extra for extra in EXTRAS if extra in offered)
        arguments += ["--editable", f"{path.parent}[{extras}]" if extras else str(path.parent)]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    return arguments + [requirement for name in groups for requirement in expand(name, declared)]


def install(groups: "tuple[str, ...]") -> None:
    """Install what `.venv` lacks; nothing is done while no pyproject.toml changes.

    Raises:
        SetupError: the installer failed.

    """
    wanted = requirements(groups)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in packages())).hexdigest()
    stamp = VENV / ".installed"
    noted = stamp.read_text("utf-8").splitlines() if stamp.exists() else []
    known = set(noted) if digest in noted else {digest}
    if known.issuperset(wanted):
        return
    say("Installing the packages and what they need (once; about a minute) ...")
    if not Path(UV).exists():
        # uv takes seconds where pip takes a minute; where there is no uv, pip does it.
        run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    pip = [PYTHON, "-m", "pip", "install"]
    # A new folder under plugins/ is installed before the workspace of uv knows it.
    uv = [UV, "pip", "install", "--no-sources", "--python", PYTHON]
    tool = uv if Path(UV).exists() else pip
    code, text = run(*tool, "--quiet", *wanted)
    if code:
        raise SetupError(f"The installation failed:\n\n{text}\n\n{advice(text)}")
    stamp.write_text("\n".join(sorted(known.union(wanted))), "utf-8")


def advice(text: str) -> str:
    """Return what to do about an installer's failure, judged by what it printed."""
    if any(sign in text.lower() for sign in OFFLINE):
        return (
            "The Python package index cannot be reached. Check the network; behind a proxy set HTTPS_PROXY, for an\n"
            "index of your own set UV_DEFAULT_INDEX and PIP_INDEX_URL. Then run this command again."
        )
    if "no space left" in text.lower():
        return "The disk is full: the environment takes about 400 MB. Make room and run this command again."
    return "Remove .venv and run this command again. If it fails once more, please report what stands above."


def become(*command: str) -> int:
    """Hand this terminal over to *command*, Ctrl-C included; return its exit code where the system returns at all."""
    if os.name != "nt":
        # Where a script or a service started us, Ctrl-C may be switched off for all that follows.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(command[0], command)  # noqa: S606 -- a shell would only come between
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.call(command)


def check(paths: "list[str]") -> int:
    """Run the linter, the formatter's check and the type checker; return the first exit code that is not 0."""
    sources = [str(path.parent / "src") for path in packages()]
    os.environ["MYPYPATH"] = os.pathsep.join([*sources, str(ROOT / "tests")])
    tools = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])
    codes = [subprocess.call([PYTHON, "-m", *tool, *paths]) for tool in tools]
    return next((code for code in codes if code), 0)


def main(arguments: "list[str]") -> int:
    """Do what *arguments* ask for; return the exit code."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if name not in GROUPS:
        print((__doc__ or "").strip())
        return 0 if name in {"help", "-h", "--help"} else 2
    try:
        if Path(sys.prefix).resolve() != VENV:
            make_venv()
            return become(PYTHON, str(ROOT / "dev.py"), *arguments)
        install(tuple(rest) if name == "setup" else GROUPS[name])
    except SetupError as error:
        say(f"\n{error}")
        return 1
    if name == "setup":
        return 0
    if name in {"chat", "run"}:
        return become(JACKFIELD, *(["chat"] if name == "chat" else []), *rest)
    os.chdir(ROOT)
    return check(rest) if name == "check" else become(PYTHON, "-m", "pytest", *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
