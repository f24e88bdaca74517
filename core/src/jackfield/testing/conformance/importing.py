"""Conformance: what importing a plugin does, and how long it takes beside the core."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import Any

import pytest

from .base import Base
from .observe import require

HEAVY = (
    "aiohttp anthropic cohere google.genai grpc httpx httpx2 httpcore2 huggingface_hub llama_cpp "
    "numpy ollama openai pandas pydantic requests tiktoken tokenizers torch transformers xllamacpp"
).split()
"""Modules that cost more to import than a plugin may, before anybody called it."""

WATCHER = """
import sys
seen = []
def hook(event, args):
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(f"opens {args[0]} for writing")
    elif event.split(".")[0] in {"socket", "subprocess", "urllib"} or event in {"os.system", "os.mkdir"}:
        seen.append(event)
sys.dont_write_bytecode = True
"""
"""The beginning of a program: once ``sys.addaudithook(hook)`` was called, *seen* is what happens to the machine."""

_WATCH = f"""{WATCHER}
import importlib, json, time
sys.path[:] = json.loads(sys.argv[2])
began = time.perf_counter()
import jackfield.http, jackfield.local
core, began = time.perf_counter() - began, time.perf_counter()
sys.addaudithook(hook)
importlib.import_module(sys.argv[1])
took = time.perf_counter() - began
told = {{"seen": sorted(set(seen)), "modules": list(sys.modules), "core": core, "took": took}}
print(json.dumps(told))
"""

SLOW = 3
"""Importing a plugin may take so many times as long as importing what every provider needs."""

TRIES = 2
"""A machine may be busy: only a plugin that is slow each time is slow."""


class ImportTests(Base):
    """Importing a plugin is cheap, and nothing happens."""

    def test_importing_it_does_nothing_and_loads_nothing_heavy(self) -> None:
        """Importing the module opens no connection, writes no file, starts no process."""
        report = self._imported()
        module = self.provider.__module__
        todo = "move it into the function that needs it"
        require(not report["seen"], f"importing {module} does {report['seen']}", todo)
        heavy = sorted(set(HEAVY) & set(report["modules"]))
        require(not heavy, f"importing {module} imports {heavy}", todo)
        said = report["said"]
        require(not said, f"importing {module} prints {said}", "remove it")

    def test_importing_it_takes_little_beside_the_core(self) -> None:
        """However fast the machine: at most three times as long as the core, in one of several tries."""
        shares = []
        for _ in range(TRIES):
            report = self._imported()
            shares.append(report["took"] / report["core"])
            if shares[-1] <= SLOW:
                return
        told = f"importing {self.provider.__module__} takes {min(shares):.1f} times as long as the core"
        require(False, told, "python -X importtime says where; import late what is needed late")

    def _imported(self) -> dict[str, Any]:
        """What a new interpreter tells of importing the module."""
        try:
            found = importlib.util.find_spec(self.provider.__module__)
        except (ModuleNotFoundError, ValueError):
            found = None
        if found is None:
            pytest.skip(f"{self.provider.__module__} is no module that can be imported by its name")
        done = subprocess.run(  # noqa: S603  # our own words in our own interpreter
            [sys.executable, "-c", _WATCH, self.provider.__module__, json.dumps(sys.path)],
            capture_output=True,
            text=True,
            check=False,
        )
        module = self.provider.__module__
        what = f"{module} cannot be imported alone:\n{done.stderr}"
        require(not done.returncode, what, "see above")
        *said, last = done.stdout.splitlines()
        report: dict[str, Any] = json.loads(last)
        return {**report, "said": said + done.stderr.splitlines()}
