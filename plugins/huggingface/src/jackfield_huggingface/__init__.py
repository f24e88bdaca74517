"""Hugging Face: the router, its tasks, and inference endpoints of one's own."""

from __future__ import annotations

from .config import HuggingFaceConfig
from .provider import HuggingFaceProvider
from .tasks import TaskRequest, TaskResponse

__all__ = ["HuggingFaceConfig", "HuggingFaceProvider", "TaskRequest", "TaskResponse"]
