"""OpenAI's chat-completions dialect, and the generic provider for servers that speak it."""

from __future__ import annotations

from .provider import (
    ERROR_CODES,
    EXCHANGES,
    PARAMS,
    SAMPLING,
    GenericConfig,
    GenericProvider,
    OpenAICompatibleProvider,
)

__all__ = [
    "ERROR_CODES",
    "EXCHANGES",
    "PARAMS",
    "SAMPLING",
    "GenericConfig",
    "GenericProvider",
    "OpenAICompatibleProvider",
]
