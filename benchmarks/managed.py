"""What a whole manager costs over a bare provider's call: the same call, on loopback, in one process.

    python benchmarks/managed.py [--rounds 40] [--calls 50]

Batches of calls take turns: a bare provider; a manager with limits, a cache that misses, health, logs that nobody
reads, and a route with its breaker; the same with a ledger that survives the end of the process, and with one that
survives a power cut, which waits for the disk. The median of the batches is shown, as CPU and as time a call, and as
a multiple of the bare call's. Nothing here is asserted anywhere.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from run import server  # type: ignore[import-not-found]  # it lies beside this script

from jackfield import ProviderManager, create_provider

NUMBERS = count()
"""Every prompt is another, so that no answer is kept."""

Call = Callable[[], Any]


def bare(config: Mapping[str, Any]) -> Call:
    """The provider alone."""
    provider = create_provider("openai", config)
    return lambda: provider.execute("bench", f"Name pelican {next(NUMBERS)}").text


def managed(config: Mapping[str, Any], **more: Any) -> Call:
    """The same provider in a manager that has all, but for *more*."""
    manager = ProviderManager(
        {
            "providers": {"a": {"provider": "openai", **config}},
            "routes": {"main": {"targets": ["a"]}},
            "limits": {"requests": "1000000000/minute", "tokens": "1000000000000/minute"},
            "cache": {},
            "health": {},
            **more,
        }
    )
    return lambda: manager.execute("main", "bench", f"Name pelican {next(NUMBERS)}").text


def measure(calls: Mapping[str, Call], rounds: int, each: int) -> dict[str, tuple[float, float]]:
    """Median CPU and time of one call of each, in microseconds."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(each):
                call()
            seconds = time.process_time() - cpu, time.perf_counter() - wall
            found[name].append((seconds[0] / each * 1e6, seconds[1] / each * 1e6))
    return {
        name: (statistics.median(c for c, _ in all_), statistics.median(w for _, w in all_))
        for name, all_ in found.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=50)
    options = parser.parse_args()
    with server() as port, tempfile.TemporaryDirectory() as folder:
        config = {"api_key": "sk-bench", "base_url": f"http://127.0.0.1:{port}/v1"}
        ledgers = {d: {"path": Path(folder, d), "durability": d} for d in ("process", "power")}
        calls = {
            "a bare provider": bare(config),
            "a manager": managed(config),
            "and a ledger, `process`": managed(config, ledger=ledgers["process"]),
            "and a ledger, `power`": managed(config, ledger=ledgers["power"]),
        }
        for call in calls.values():
            call()
        found = measure(calls, options.rounds, options.calls)
    base = found["a bare provider"]
    print("| a call of | CPU µs | times bare | µs more | time µs | times bare |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, (cpu, wall) in found.items():
        times = f"{cpu / base[0]:.2f} | {cpu - base[0]:,.0f} | {wall:,.0f} | {wall / base[1]:.2f}"
        print(f"| {name} | {cpu:,.0f} | {times} |")


if __name__ == "__main__":
    main()
