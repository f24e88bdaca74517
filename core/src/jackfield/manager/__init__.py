"""Many providers as one: named instances, and what stands between them and a program."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .listings import ManagerExplanation, ModelListing, ProviderStatus
    from .manager import ProviderManager
    from .service import (
        ChatCompletion,
        ChatCompletionRequest,
        ChatMessage,
        LLMManager,
        ProviderConfig,
        ProviderType,
    )
    from .settings import ManagerSettings

__all__ = [
    "ChatCompletion",
    "ChatCompletionRequest",
    "ChatMessage",
    "LLMManager",
    "ManagerExplanation",
    "ManagerSettings",
    "ModelListing",
    "ProviderConfig",
    "ProviderManager",
    "ProviderStatus",
    "ProviderType",
]

# Each is imported when it is asked for: the settings, which routes need, bring nothing with them.
_HOMES = {
    "listings": ("ManagerExplanation", "ModelListing", "ProviderStatus"),
    "manager": ("ProviderManager",),
    "settings": ("ManagerSettings",),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((module for module, names in _HOMES.items() if name in names), "service")
    return getattr(import_module(f".{home}", __name__), name)
