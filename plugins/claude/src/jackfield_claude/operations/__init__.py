"""The operations beside messages, counts and models: files and batches."""

from __future__ import annotations

from jackfield.http import Exchanges

from .batches import BATCHES
from .files import FILES

OPERATIONS: Exchanges = {**BATCHES, **FILES}

__all__ = ["BATCHES", "FILES", "OPERATIONS"]
