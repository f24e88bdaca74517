"""The command line as its users meet it: a process, in a folder, a pipe or a terminal of its own."""

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, Self

PATIENCE = 30.0
HIDDEN = re.compile(
    r"^(OPENAI|ANTHROPIC|OLLAMA|VLLM|JACKFIELD|XDG|COV|PYTEST)_|^(NO_COLOR|TERM|COLUMNS|LC_.*|LANG)$|_KEY$"
)


class Cli:
    """Runs ``python -m jackfield`` in an empty folder with a plain environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not HIDDEN.search(k)}
        self.environment |= {"HOME": str(folder / "home"), "LC_ALL": "C.UTF-8", "TERM": "xterm"}

        self.program = [sys.executable, "-m", "jackfield"]
        self.shell = ""
        """How a shell runs it, as in ``exec "$@" | head``; without this there is no shell."""

    def command(self, *arguments: str) -> list[str]:
        """What is run for *arguments*."""
        shell = ["bash", "-c", f"set -o pipefail; {self.shell}", "-"] if self.shell else []
        return [*shell, *self.program, *arguments]

    def __call__(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; texts are decoded as UTF-8."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environment, **(env or {})},
            input=None if "stdin_file" in options else stdin,
            stdin=options.get("stdin_file"),
            stdout=options.get("stdout", subprocess.PIPE),
            stderr=options.get("stderr", subprocess.PIPE),
            timeout=PATIENCE,
            check=False,
        )
        decoded = [(text or b"").decode("utf-8", "replace") for text in (done.stdout, done.stderr)]
        return subprocess.CompletedProcess(done.args, done.returncode, *decoded)

    def configure(self, text: str, name: str = "jackfield.toml") -> Path:
        """Write the configuration file."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def script(self, *answers: Any, **settings: Any) -> None:
        """Configure `fake`, a scripted provider with *answers*, as the default."""
        table = {"provider": "scripted", "answers": answers, **settings}
        whole = {"default_model": "fake/any", "providers": {"fake": table}}
        self.configure(json.dumps(whole), "providers.json")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start and return the process."""
        environment = {**self.environment, **options.pop("env", {})}
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=environment, **options
        )


class Terminal:
    """A process at a terminal; `screen` is all that it has written, decoded."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process, self._descriptor = process, descriptor
        self._seen, self._at = b"", 0

    @property
    def screen(self) -> str:
        return self._seen.decode("utf-8", "replace").replace("\r\n", "\n")

    def _read(self) -> bool:
        """Take in what is there; False at the end."""
        ready = select.select([self._descriptor], [], [], 0.1)[0]
        if not ready:
            return self.process.poll() is None
        try:
            chunk = os.read(self._descriptor, 65536)
        except OSError:  # the other side is closed
            return False
        self._seen += chunk
        return bool(chunk)

    def expect(self, text: str) -> str:
        """Wait until *text* comes; return what came since the last time, up to its end."""
        wanted, until = text.encode(), time.monotonic() + PATIENCE
        while wanted not in self._seen[self._at :]:
            assert self._read(), f"ended without {text!r}: {self.screen!r}"
            assert time.monotonic() < until, f"no {text!r}: {self.screen!r}"
        start, self._at = self._at, self._seen.index(wanted, self._at) + len(wanted)
        return self._seen[start : self._at].decode("utf-8", "replace").replace("\r\n", "\n")

    def type(self, text: str) -> None:
        """Type *text* once the prompt is there."""
        self.expect("\n> ")
        self.send(text + "\n")

    def send(self, keys: str) -> None:
        """Press *keys* now."""
        os.write(self._descriptor, keys.encode())

    def interrupt(self, then: str = "") -> None:
        """Press Ctrl-C until *then* comes, or the end.

        Once may not do: Python does not notice a signal in the instant before it begins to wait.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.send("\x03")
            pause = time.monotonic() + 5
            while time.monotonic() < pause:
                if not self._read() or (then and then.encode() in self._seen[self._at :]):
                    return

    def end(self) -> int:
        """Wait for the process to end; return its exit code."""
        until = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < until, f"does not end: {self.screen!r}"
        return self.process.wait(PATIENCE)


class Start(Protocol):
    """Starts the command line at a terminal."""

    def __call__(
        self, *arguments: str, width: int = 80, env: Mapping[str, str] | None = None
    ) -> Terminal: ...


class Peer:
    """A server on this machine that gives the same answers to the same paths; `requests` keeps them."""

    def __init__(self, answers: Mapping[str, tuple[int, list[bytes]]]) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its base names it so
                """Say nothing."""

            def do_GET(self) -> None:
                peer.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                self.rfile.read(int(self.headers.get("content-length") or 0))
                status, chunks = answers.get(self.path, (404, [b'{"error": "no such path"}']))
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.end_headers()
                for chunk in chunks:
                    self.wfile.write(chunk)
                    self.wfile.flush()

            do_POST = do_GET  # noqa: N815  # the server looks for this name

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
