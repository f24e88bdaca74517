"""NVIDIA NIM, hosted or in a container."""

from __future__ import annotations

from .config import NvidiaConfig
from .provider import NvidiaProvider

__all__ = ["NvidiaConfig", "NvidiaProvider"]
