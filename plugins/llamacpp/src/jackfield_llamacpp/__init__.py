"""llama.cpp for Jackfield: GGUF models in this process, and a tiny one to start with."""

from __future__ import annotations

from .config import LlamaCppConfig
from .provider import LlamaCppProvider

__all__ = ["LlamaCppConfig", "LlamaCppProvider"]
