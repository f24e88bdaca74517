"""LM Studio, on this machine or elsewhere."""

from __future__ import annotations

from .provider import LMStudioConfig, LMStudioProvider

__all__ = ["LMStudioConfig", "LMStudioProvider"]
