"""What a provider was proved to do: the capability file that ships beside its class.

The conformance suite writes ``capabilities.json`` (see `jackfield.testing`); nothing
else turns a capability on. A feature is ``pass``, ``fail`` or ``untested``, with the
name of its proof.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from attrs import fields

from .types import Capabilities

FILE = "capabilities.json"
FEATURES: tuple[str, ...] = tuple(f.name for f in fields(Capabilities))


def home(cls: type[Any]) -> str:
    """The name of the package that *cls* comes from, in whose folder the file is."""
    return cls.__module__.partition(".")[0]


@lru_cache(maxsize=256)
def read(package: str) -> Mapping[str, Any]:
    """The capability file of *package*; empty if there is none that can be read."""
    try:
        written = json.loads((files(package) / FILE).read_text("utf-8"))
    except (OSError, ValueError, TypeError, ModuleNotFoundError):
        return {}
    return written if isinstance(written, dict) else {}


def proofs(cls: type[Any]) -> dict[str, Mapping[str, str]]:
    """Each feature's ``result`` and ``proof``, as far as the file has them."""
    told = read(home(cls)).get(cls.info.name)
    table = told if isinstance(told, Mapping) else {}
    return {name: table[name] for name in FEATURES if isinstance(table.get(name), Mapping)}


def proved(cls: type[Any]) -> Capabilities:
    """What *cls* was proved to do; what was not tested is unknown."""
    verdicts = {"pass": True, "fail": False}
    return Capabilities(**{n: verdicts.get(p.get("result", "")) for n, p in proofs(cls).items()})
