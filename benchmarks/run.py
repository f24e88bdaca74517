"""Jackfield and its peers side by side: CPU per call, streamed chunks per CPU second, import time.

    python benchmarks/run.py [--rounds 5] [--peers PYTHON]

Every number is of a process of its own on the same machine in the same run, rounds interleaved, the best of the rounds
kept; read the ratios, not the numbers. `--peers` is the Python of another environment, for libraries that cannot live
beside the others; what is not installed is left out and said. Nothing here is asserted anywhere.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
LIBRARIES = ["jackfield", "openai", "litellm"]
IMPORTS = ["httpx2", *LIBRARIES]
# No proxy, no start-up download, no telemetry: what is measured is the library.
QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "NO_PROXY": "*",
    "PYTHONDONTWRITEBYTECODE": "",
}


@contextmanager
def server() -> Iterator[int]:
    """The canned server, in a process of its own; its port."""
    command = [sys.executable, str(HERE / "server.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def version_of(python: str, name: str) -> str:
    """The version of the distribution *name* that *python* has; "" for none."""
    ask = f"from importlib.metadata import version; print(version({name!r}))"
    return subprocess.run(
        [python, "-c", ask], check=False, capture_output=True, text=True
    ).stdout.strip()


def job(python: str, library: str, kind: str, url: str, count: int) -> float:
    """CPU seconds for one unit of *kind* with *library*."""
    command = [python, str(HERE / "clients.py"), library, kind, url, str(count)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | QUIET, timeout=300
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["cpu"]) / float(found["units"])


def cpu_of(python: str, statement: str) -> float:
    """CPU seconds of a fresh interpreter that runs *statement*."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [python, "-c", statement], check=True, env=os.environ | QUIET, capture_output=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(title: str, unit: str, rows: dict[str, float], base: str) -> None:
    """Print *rows*, and each as a multiple of *base*."""
    print(f"\n{title}\n")
    print(f"| | {unit} | times {base} |\n|---|---:|---:|")
    for name, value in rows.items():
        print(f"| {name} | {value:,.1f} | {value / rows[base]:.2f} |")


def best(rounds: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The smallest of *rounds* interleaved measurements of each."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return {name: min(values) for name, values in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--peers", default=sys.executable, help="a Python that has further libraries"
    )
    options = parser.parse_args()
    pythons = {
        name: sys.executable if version_of(sys.executable, name) else options.peers
        for name in IMPORTS
    }
    versions = {name: version_of(python, name) for name, python in pythons.items()}
    print(
        f"Python {sys.version.split()[0]}; "
        + ", ".join(f"{k} {v or 'not installed'}" for k, v in versions.items())
    )
    libraries = [name for name in LIBRARIES if versions[name]]

    with server() as port:
        for kind, count, path, title in (
            ("plain", 300, "v1", "A plain call"),
            ("stream", 20, "v1", "A streamed event, 16 KiB a packet, as through a buffering proxy"),
            (
                "stream",
                10,
                "trickle/v1",
                "A streamed event, one event a packet, as models produce them",
            ),
        ):
            url = f"http://127.0.0.1:{port}/{path}"
            jobs = {
                name: partial(job, pythons.get(name, sys.executable), name, kind, url, count)
                for name in ["bare", *libraries]
            }
            seconds = best(options.rounds, jobs)
            table(title, "CPU µs", {name: s * 1e6 for name, s in seconds.items()}, "jackfield")

    imports = {
        name: partial(cpu_of, pythons[name], f"import {name}") for name in IMPORTS if versions[name]
    }
    imports["nothing"] = partial(cpu_of, sys.executable, "pass")
    costs = best(options.rounds * 2, imports)
    empty = costs.pop("nothing")
    table("Importing", "CPU ms", {name: (s - empty) * 1e3 for name, s in costs.items()}, "httpx2")


if __name__ == "__main__":
    main()
