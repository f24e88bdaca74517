"""LiteLLM's proxy on loopback, for as long as a test needs it: a translator between dialects that is not ours.

    with litellm_proxy([Route("tiny", "openai/tiny-demo", f"{url}/v1")], folder) as proxy:
        create_provider("claude", {"base_url": proxy, "api_key": MASTER_KEY})

Its many dependencies live in an environment of their own, which `nox -s peers` makes. The proxy
sees none of this process's variables, ends with the block or with the tests' process, and never
outlives `SECONDS`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from support.source import ROOT

BIN = ROOT / ".nox/peers" / ("Scripts" if os.name == "nt" else "bin")
MASTER_KEY = "made-up-master-key-5678"
SECONDS = 600
"""The longest that the proxy runs, whatever happens to the tests."""

START_SECONDS = 150

needs_litellm = pytest.mark.skipif(
    not any(BIN.glob("litellm*")),
    reason="needs LiteLLM's proxy in an environment of its own: run `nox -s peers`",
)
"""A mark for tests that cannot run without the proxy."""

SCRIPT = """
import os, signal, sys, threading
signal.alarm(int(sys.argv[3]))
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from litellm.proxy.proxy_cli import run_server
run_server(["--config", sys.argv[1], "--host", "127.0.0.1", "--port", sys.argv[2]])
"""


@frozen
class Route:
    """A model of the proxy: by which name, as which model of which kind of server, and where."""

    name: str
    model: str
    base_url: str


@contextmanager
def litellm_proxy(routes: Sequence[Route], folder: Path) -> Iterator[str]:
    """A running proxy of *routes* that keeps its files in *folder*; gives its URL, without a path."""
    config, said = folder / "config.yaml", folder / "said.log"
    config.write_text(json.dumps(_settings(routes)), "utf-8")  # JSON is YAML
    port = _free_port()
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    # Its own prices are in the package: without this it would fetch newer ones.
    own = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(folder)}
    command = [str(BIN / "python"), "-c", SCRIPT, str(config), str(port), str(SECONDS)]
    # The child's standard input closes when this process ends, and with it the proxy.
    with (
        said.open("wb") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=kept | own,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, said)
            yield url
        finally:
            process.kill()


def _settings(routes: Sequence[Route]) -> object:
    models = [
        {
            "model_name": route.name,
            "litellm_params": {
                "model": route.model,
                "api_base": route.base_url,
                "api_key": "made-up-key-upstream",
            },
        }
        for route in routes
    ]
    return {
        "model_list": models,
        "general_settings": {"master_key": MASTER_KEY},
        "litellm_settings": {"telemetry": False},
        # One call is one call: what a server upstream says is told at once.
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    """Return when the proxy at *url* is ready."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health/readiness", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    tail = said.read_text("utf-8", "replace")[-2000:]
    raise TimeoutError(f"LiteLLM's proxy was not ready in {START_SECONDS} s; it said:\n{tail}")
