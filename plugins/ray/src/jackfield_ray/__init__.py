"""Jackfield's batches, spread over the machines of a Ray cluster."""

from __future__ import annotations

from .executor import RayExecutor

__all__ = ["RayExecutor"]
