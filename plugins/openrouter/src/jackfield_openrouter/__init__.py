"""OpenRouter, and what it knows of models, money and earlier answers."""

from __future__ import annotations

from .account import Credits, CreditsRequest, Generation, GenerationRequest
from .config import OpenRouterConfig
from .provider import OpenRouterProvider

__all__ = [
    "Credits",
    "CreditsRequest",
    "Generation",
    "GenerationRequest",
    "OpenRouterConfig",
    "OpenRouterProvider",
]
