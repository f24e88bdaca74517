"""What users and plugin authors test with; each part is imported when it is asked for.

`ScriptedProvider` answers what it is told to, `ProviderConformance` holds a plugin to the contract,
`load_recordings` reads recorded exchanges for the replay drivers, `jackfield.testing.faults`
is a server that misbehaves in every known way, and `jackfield.testing.strategies` generates
values for hypothesis.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Answer
    from .conformance import ProviderConformance
    from .recordings import Recording, Tape, load_recordings
    from .scripted import ScriptedProvider

__all__ = [
    "Answer",
    "ProviderConformance",
    "Recording",
    "ScriptedProvider",
    "Tape",
    "load_recordings",
]

_HOMES = {
    "Answer": "answers",
    "ProviderConformance": "conformance",
    "Recording": "recordings",
    "ScriptedProvider": "scripted",
    "Tape": "recordings",
    "load_recordings": "recordings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
