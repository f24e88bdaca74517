"""`jackfield pull` against a server of Ollama's API: what it fetches, and what stopping it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.ollama_shim import UNKNOWN, OllamaShim

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], bool]], bool]


def start(peer: OllamaShim, model: str, home: Path) -> subprocess.Popen[str]:
    """The command in a process of its own, with pipes."""
    environment = {**os.environ, "OLLAMA_HOST": peer.url, "HOME": str(home)}
    command = [sys.executable, "-m", "jackfield", "pull", f"ollama/{model}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, cwd=home, stdout=pipe, stderr=pipe, text=True, encoding="utf-8"
    )


def test_a_pull_says_each_step_and_the_model_is_there(tmp_path: Path) -> None:
    with OllamaShim("http://127.0.0.1:9") as peer:
        process = start(peer, "other", tmp_path)
        printed, said = process.communicate(timeout=60)
        assert "other:latest" in peer.models
    assert process.returncode == 0, said
    steps = [f"pulling 5e1f {n}%" for n in (0, 50, 100)]
    assert printed.splitlines() == [
        "pulling manifest", *steps, "verifying sha256 digest", "success",
    ]  # fmt: skip


def test_a_pull_that_is_stopped_leaves_the_server_at_once(tmp_path: Path, until: Until) -> None:
    with OllamaShim("http://127.0.0.1:9", pace=0.5) as peer:
        process = start(peer, "other", tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "pulling manifest\n"
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
        assert until(lambda: peer.left == 1)
        assert "other:latest" not in peer.models
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "success" not in printed


def test_a_pull_of_what_the_registry_does_not_know_is_exit_code_1(tmp_path: Path) -> None:
    with OllamaShim("http://127.0.0.1:9") as peer:
        process = start(peer, UNKNOWN, tmp_path)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "file does not exist" in said
    assert "ollama.com/library" in said
