"""What a whole manager costs over a bare provider's call: the same call, on loopback, in one process.

    python benchmarks/managed.py [--rounds 120] [--calls 25]

Batches of calls take turns: a bare provider; a manager with limits, a cache that misses, health, logs that nobody
reads, and a route with its breaker; the same with a ledger that survives the end of the process, and with one that
survives a power cut, which waits for the disk. Shown are the tenth of the batches that is quickest, up to which a
busy machine's neighbours disturb least, and the median, as CPU and as time a call, and as a multiple of the bare
call's. Nothing here is asserted anywhere.
"""

import argparse
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


Found = dict[str, list[tuple[float, float]]]


def measure(calls: Mapping[str, Call], rounds: int, each: int) -> Found:
    """CPU and time of one call of each, in microseconds, batch by batch."""
    found: Found = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            cpu, wall = time.process_time(), time.perf_counter()
            for _ in range(each):
                call()
            seconds = time.process_time() - cpu, time.perf_counter() - wall
            found[name].append((seconds[0] / each * 1e6, seconds[1] / each * 1e6))
    return found


def show(title: str, found: Found, share: float) -> None:
    """Print a table of the batch that *share* of them are quicker than."""
    at = {
        name: [sorted(batch[of] for batch in all_)[int(len(all_) * share)] for of in (0, 1)]
        for name, all_ in found.items()
    }
    base = at["a bare provider"]
    print(f"\n| {title}: a call of | CPU µs | times bare | µs more | time µs | times bare |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, (cpu, wall) in at.items():
        times = f"{cpu / base[0]:.2f} | {cpu - base[0]:,.0f} | {wall:,.0f} | {wall / base[1]:.2f}"
        print(f"| {name} | {cpu:,.0f} | {times} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=120)
    parser.add_argument("--calls", type=int, default=25)
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
    show("quickest tenth", found, 0.1)
    show("median", found, 0.5)


if __name__ == "__main__":
    main()
