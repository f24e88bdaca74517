"""The fault server as a command: ``python -m jackfield.testing.faults`` lists, ``--serve`` serves."""

from __future__ import annotations

import argparse
import time

from . import CATALOGUE, DIALECTS, FaultServer


def table() -> str:
    """The catalogue as text: row, name, what is expected of streams and plain calls, description."""
    rows = [
        f"{fault.row:>3} {fault.name:<22}{fault.stream or '-':<34}{fault.plain or '-':<34}"
        f"{fault.description}"
        for fault in CATALOGUE.values()
    ]
    return "\n".join(rows)


def main() -> None:
    """List the faults, or serve them for a while."""
    parser = argparse.ArgumentParser(prog="python -m jackfield.testing.faults", description=__doc__)
    parser.add_argument("--serve", type=float, metavar="SECONDS", help="serve for so many seconds")
    parser.add_argument("--fault", default="", help="the fault that the printed URLs lead to")
    options = parser.parse_args()
    if options.serve is None:
        print(table())  # noqa: T201  # a command prints
        return
    with FaultServer() as server:
        for dialect in DIALECTS:
            print(f"{dialect:<10} {server.url(dialect, options.fault)}", flush=True)  # noqa: T201
        time.sleep(options.serve)


if __name__ == "__main__":
    main()
