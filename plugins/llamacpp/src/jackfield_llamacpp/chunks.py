"""The OpenAI-shaped chunks of a streamed answer, for an engine that gives bare text."""

from __future__ import annotations

import time
import uuid
from typing import Any

from .engine import Chunk


class ChunkMaker:
    """Makes the chunks of one answer of *model*; they share an id and a time."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())

    def delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> Chunk:
        """A chunk with a piece of the message; the last such chunk has a *finish_reason*."""
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": finish_reason}])

    def usage(self, prompt: int, completion: int, cached: int) -> Chunk:
        """The chunk after the last: tokens of the prompt (of them *cached*) and of the answer."""
        return self._chunk([]) | {
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
                "prompt_tokens_details": {"cached_tokens": cached},
            }
        }

    def _chunk(self, choices: list[dict[str, Any]]) -> Chunk:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }
