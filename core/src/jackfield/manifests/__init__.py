"""What installed plugins say of themselves, and what they may do: read before any of them is imported."""

from .declared import misdeclared
from .entries import admitted, distribution, entries, imported, unknown
from .guard import Guard
from .manifest import FILE, KINDS, Manifest

__all__ = [
    "FILE",
    "KINDS",
    "Guard",
    "Manifest",
    "admitted",
    "distribution",
    "entries",
    "imported",
    "misdeclared",
    "unknown",
]
