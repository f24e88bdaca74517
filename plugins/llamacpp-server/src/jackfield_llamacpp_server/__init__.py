"""A llama.cpp server by its address: the dialect, and its own endpoints beside it."""

from __future__ import annotations

from .config import LlamaServerConfig
from .provider import LlamaServerProvider
from .server import PropsRequest, ServerProps, Slot, SlotRequest, SlotsRequest
from .tokens import TemplateRequest

__all__ = [
    "LlamaServerConfig",
    "LlamaServerProvider",
    "PropsRequest",
    "ServerProps",
    "Slot",
    "SlotRequest",
    "SlotsRequest",
    "TemplateRequest",
]
