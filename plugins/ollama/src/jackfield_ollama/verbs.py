"""Verbs for the models that a server holds: thin words for typed requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jackfield import (
    AsyncEventStream,
    DeleteRequest,
    EventStream,
    LLMProvider,
    ModelInfo,
    ModelInfoRequest,
    Progress,
    PullRequest,
)
from jackfield.operations import LoadRequest, UnloadRequest

from .models import RunningModelsRequest


class ModelVerbs(LLMProvider):
    """``pull``, ``delete``, ``show``, ``running``, ``load`` and ``unload``, in both colours."""

    def pull(self, model: str, **fields: Any) -> EventStream[Progress, None]:
        """Fetch *model*, telling how far it is; *fields* are further ones of `PullRequest`.

        Nothing happens before the stream is read: ``.drain()`` reads it to its end.
        """
        return self.stream(PullRequest(model=model, **fields))

    def apull(self, model: str, **fields: Any) -> AsyncEventStream[Progress, None]:
        """`pull`, on the event loop."""
        return self.astream(PullRequest(model=model, **fields))

    def delete(self, model: str) -> None:
        """Delete *model* from the server."""
        self.run(DeleteRequest(model=model))

    async def adelete(self, model: str) -> None:
        """`delete`, on the event loop."""
        await self.arun(DeleteRequest(model=model))

    def show(self, model: str) -> ModelInfo:
        """What the server knows about *model*."""
        return self.run(ModelInfoRequest(model=model))

    async def ashow(self, model: str) -> ModelInfo:
        """`show`, on the event loop."""
        return await self.arun(ModelInfoRequest(model=model))

    def running(self) -> Sequence[ModelInfo]:
        """The models in the server's memory."""
        return self.run(RunningModelsRequest())

    async def arunning(self) -> Sequence[ModelInfo]:
        """`running`, on the event loop."""
        return await self.arun(RunningModelsRequest())

    def load(self, model: str, keep_alive: float | str | None = None) -> None:
        """Bring *model* into memory, for *keep_alive* (seconds, or ``"30m"``; -1 is for good)."""
        self.run(self._stay(model, keep_alive))

    async def aload(self, model: str, keep_alive: float | str | None = None) -> None:
        """`load`, on the event loop."""
        await self.arun(self._stay(model, keep_alive))

    def unload(self, model: str) -> None:
        """Free the memory that *model* takes."""
        self.run(UnloadRequest(model=model))

    async def aunload(self, model: str) -> None:
        """`unload`, on the event loop."""
        await self.arun(UnloadRequest(model=model))

    def _stay(self, model: str, keep_alive: float | str | None) -> LoadRequest:
        own = {} if keep_alive is None else {"keep_alive": keep_alive}
        return LoadRequest(model=model, provider_options={self.info.name: own})
