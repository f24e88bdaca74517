"""A fault-injecting HTTP server for tests: healthy in every dialect, or broken in every known way.

::

    from jackfield.testing.faults import CATALOGUE, FaultServer

    with FaultServer() as server:
        base_url = server.url("openai", fault="cut_clean")
        ...
        assert len(server.log.requests()) == 1

`CATALOGUE` has every fault by name with its description and what a client should make of it.
Sequences (``"503,429,ok"``) and every n-th time (``"every=3:cut_rst"``) are faults too. Standard
library only; the server listens on 127.0.0.1 and runs in threads of its own.
"""

from __future__ import annotations

from .catalogue import CATALOGUE
from .log import Connection, Log, Received
from .server import FaultServer
from .values import DIALECTS, VERDICTS, Answer, Fault, Pace, Tokens, ToolUse

__all__ = [
    "CATALOGUE",
    "DIALECTS",
    "VERDICTS",
    "Answer",
    "Connection",
    "Fault",
    "FaultServer",
    "Log",
    "Pace",
    "Received",
    "Tokens",
    "ToolUse",
]
