"""A real llama.cpp server with the demo model, on loopback, for as long as a test needs it.

    with llama_server() as url:
        create_provider("openai-compatible", {"base_url": f"{url}/v1"})

It speaks OpenAI's chat, embeddings and Responses, and Anthropic's Messages. It lives in a process
of its own, ends with the block or with the tests' process, and never outlives `SECONDS`.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.source import ROOT

MODEL = ROOT / "plugins/llamacpp/src/jackfield_llamacpp/data/tiny-demo.gguf"
NAME = "tiny-demo"
SECONDS = 900
"""The longest that a server runs, whatever happens to the tests."""

START_SECONDS = 60

needs_llama_server = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None or not MODEL.is_file(),
    reason=f"needs xllamacpp (pip install xllamacpp) and the demo model at {MODEL.relative_to(ROOT)}",
)
"""A mark for tests that cannot run without the server."""

# More than one thread only makes a tiny model wait for itself.
SCRIPT = """
import signal, sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.model_alias, params.port = sys.argv[1], {sys.argv[2]}, 0
params.n_ctx, params.n_parallel = 4096, 4
params.embedding, params.pooling_type = True, int(sys.argv[4])
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.api_keys, params.slot_save_path = sys.argv[5].split(), sys.argv[6]
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
signal.alarm(int(sys.argv[3]))
sys.stdin.read()
"""


MEAN, RANK = 1, 4
"""How a server makes one vector of a text's tokens, or one score: llama.cpp's pooling types."""


@contextmanager
def llama_server(
    model: Path = MODEL,
    name: str = NAME,
    pooling: int = MEAN,
    *,
    key: str = "",
    slots: Path | None = None,
) -> Iterator[str]:
    """A running server; gives its URL, without a path.

    With a *key* it answers nobody else; *slots* is the folder where it keeps what slots hold.
    """
    given = [str(model), name, str(SECONDS), str(pooling), key, f"{slots}/" if slots else ""]
    command = [sys.executable, "-c", SCRIPT, *given]
    # The child's standard input closes when this process ends, and with it the server.
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = next((line for line in process.stdout if line.startswith("listening ")), "")
            assert said, f"the server did not start: status {process.wait(5)}"
            url = said.split()[1]
            _wait(url)
            yield url
        finally:
            process.kill()


def _wait(url: str) -> None:
    """Return when the server at *url* is ready."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
    raise TimeoutError(f"the llama.cpp server at {url} was not ready in {START_SECONDS} s")
