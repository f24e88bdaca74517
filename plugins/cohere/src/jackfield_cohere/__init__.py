"""Cohere, through version 2 of its API."""

from __future__ import annotations

from .config import CohereConfig
from .provider import CohereProvider

__all__ = ["CohereConfig", "CohereProvider"]
