"""The wheels alone, in environments of their own: installed in any order, imported, used."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from support.dependencies import described, wanted

UV = [sys.executable, "-m", "uv"]
USE = """
import importlib, json, sys
import jackfield, jackfield.testing
from jackfield import available_providers, create_provider, plugin_manager
names = available_providers()
kinds = {name: plugin_manager().provider_class(name).__module__ for name in names}
answer = create_provider("scripted", {"answers": ["Hello."]}).execute("any", "Hi").text
asked = create_provider("claude", {"api_key": "made-up"}).explain("some-model", "Hi")
for module in sys.argv[1:]:
    importlib.import_module(module)
print(json.dumps({"kinds": kinds, "answer": answer, "url": asked.url, "home": jackfield.__file__}))
"""
ORDERS = ["the core first", "the core last", "shuffled"]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "JACKFIELD_"))
    }
    environment.pop("VIRTUAL_ENV", None)
    environment["HOME"] = str(folder)  # no configuration of whoever runs this
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def requirements(dist: Path) -> list[str]:
    """What all wheels need from others, with the command line, in the versions that are installed here."""
    from importlib.metadata import version

    facts = [described(wheel) for wheel in dist.glob("*.whl")]
    ours = {one.name for one in facts}
    names = {name for one in facts for name in wanted(one.requires_dist or (), ("cli",))} - ours
    return sorted(f"{name}=={version(name)}" for name in names)


def environment(folder: Path) -> Path:
    """An empty environment; its Python."""
    done = run([*UV, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], folder)
    assert done.returncode == 0, done.stderr
    return folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(python: Path, folder: Path, *arguments: str) -> None:
    cache = subprocess.run([*UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout
    command = [
        *UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "--cache-dir",
        cache.strip(),
    ]
    done = run([*command, *arguments], folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("order", ORDERS)
def test_the_packages_work_in_whatever_order_they_were_installed(
    order: str, dist: Path, requirements: list[str], tmp_path: Path
) -> None:
    wheels = sorted(dist.glob("*.whl"), reverse=order == "the core last")
    if order.startswith("shuffled"):
        random.Random(order).shuffle(wheels)
    python = environment(tmp_path)
    late = order == "the core last"
    if not late:
        install(python, tmp_path, *requirements)
    for start in range(3):  # what comes later is not there yet
        part = map(str, wheels[start * len(wheels) // 3 : (start + 1) * len(wheels) // 3])
        install(python, tmp_path, "--no-index", "--no-deps", *part)
    if late:
        install(python, tmp_path, *requirements)
    assert run([*UV, "pip", "check", "--python", str(python)], tmp_path).returncode == 0
    modules = [wheel.name.partition("-")[0] for wheel in wheels]
    done = run([str(python), "-I", "-W", "error", "-c", USE, *modules], tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert Path(told["home"]).is_relative_to(tmp_path)
    assert told["answer"] == "Hello."
    assert told["url"].startswith("https://")
    assert {"claude", "ollama", "openai-compatible", "llamacpp"} <= told["kinds"].keys()
    doctor = run([str(python.parent / "jackfield"), "doctor"], tmp_path)
    assert "Traceback" not in doctor.stderr
    assert doctor.returncode in (0, 1), doctor.stderr
    assert "claude" in doctor.stdout


def test_a_plugin_brings_the_core_and_nothing_that_it_does_not_need(
    dist: Path, requirements: list[str], tmp_path: Path
) -> None:
    """Where a resolver chooses: from the wheels, without an index, beside what others need."""
    python = environment(tmp_path)
    install(python, tmp_path, *requirements)
    install(python, tmp_path, "--no-index", "--find-links", str(dist), "jackfield-vllm")
    shown = run([*UV, "pip", "list", "--format", "json", "--python", str(python)], tmp_path)
    names = {one["name"] for one in json.loads(shown.stdout) if one["name"].startswith("jackfield")}
    assert names == {"jackfield", "jackfield-dialect-openai", "jackfield-vllm"}
    told = run(
        [str(python), "-I", "-c", "import jackfield; print(jackfield.available_providers())"],
        tmp_path,
    )
    assert "vllm" in told.stdout
    assert "claude" not in told.stdout
