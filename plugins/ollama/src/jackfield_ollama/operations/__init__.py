"""Ollama's operations beside chat, vectors and lists: plain text, and a model's stay in memory."""

from __future__ import annotations

from .memory import MEMORY
from .text import COMPLETIONS

__all__ = ["COMPLETIONS", "MEMORY"]
