"""A process of its own that makes calls and measures what memory each needs at its peak.

Run by `test_memory.py`: cases and configurations come as JSON on standard input, results go as
JSON to standard output.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Any

from faults.callers import acall, call, on
from faults.cases import PROVIDERS, Case
from faults.outcomes import Outcome, failures
from jackfield import create_provider
from jackfield.testing.faults import CATALOGUE

MIB = 1 << 20


def peak() -> int:
    """The most memory that this process ever held since the last reset, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def reset() -> None:
    """Measure the peak anew from here."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def outcome(case: Case, config: dict[str, Any], colour: str) -> Outcome:
    """One call in *colour*."""
    backend = create_provider(PROVIDERS[case.dialect], config)
    made: Outcome = call(case, backend) if colour == "sync" else on(colour, acall, case, backend)
    return made


def main() -> None:
    """Measure every case on standard input."""
    job = json.load(sys.stdin)
    results = []
    for name, dialect, stream, config in job["cases"]:
        case = Case(CATALOGUE[name], dialect, stream)
        reset()
        before = peak()
        made = outcome(case, config, job["colour"])
        results.append(
            {
                "case": f"{dialect} {case}",
                "growth": (peak() - before) / MIB,
                "seconds": made.seconds,
                "found": sorted(failures(made.error)) if made.error else ["success"],
                "error": repr(made.error)[:200],
            }
        )
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
