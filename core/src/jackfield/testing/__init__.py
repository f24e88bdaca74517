"""What users and plugin authors test with; each part is imported when it is asked for.

`ScriptedProvider` answers what it is told to, `ProviderConformance` holds a plugin to the contract,
a `Tape` records exchanges
and `load_recordings` reads them for the replay drivers, `record` and `play` do so for a bug report,
`jackfield.testing.faults`
is a server that misbehaves in every known way, and `jackfield.testing.strategies` generates
values for hypothesis.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Answer
    from .conformance import ProviderConformance
    from .recordings import Recording, load_recordings
    from .repro import Seen, play, record
    from .scripted import ScriptedProvider
    from .tapes import Tape

__all__ = [
    "Answer",
    "ProviderConformance",
    "Recording",
    "ScriptedProvider",
    "Seen",
    "Tape",
    "load_recordings",
    "play",
    "record",
]

_HOMES = {
    "Answer": "answers",
    "ProviderConformance": "conformance",
    "Recording": "recordings",
    "ScriptedProvider": "scripted",
    "Seen": "repro",
    "Tape": "tapes",
    "load_recordings": "recordings",
    "play": "repro",
    "record": "repro",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
