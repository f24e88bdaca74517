"""Gemini, through Google's Generative Language API."""

from __future__ import annotations

from .config import GeminiConfig
from .provider import GeminiProvider

__all__ = ["GeminiConfig", "GeminiProvider"]
