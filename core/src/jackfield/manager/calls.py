"""The calls of a manager: by a provider's name, by a model's, typed, in batches and side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar, Unpack

from ..prompts import Prompt
from ..provider import LLMProvider, Params
from ..requests import Request
from ..streams import AsyncEventStream, EventStream
from ..types import ChatResponse
from .batch import BatchOptions, BatchOutcome, Requests, arun_batch, run_batch
from .compare import Comparison, acompare, compare

R = TypeVar("R")


class Calls(ABC):
    """What can be asked of who knows providers by name, and whom a model's name means."""

    @abstractmethod
    def __getitem__(self, name: str) -> LLMProvider:
        """The provider or route *name*."""

    @abstractmethod
    def resolve(self, request: Any) -> tuple[LLMProvider, Any]:
        """Who performs *request*, and the request for it."""

    @abstractmethod
    async def aresolve(self, request: Any) -> tuple[LLMProvider, Any]:
        """`resolve`, on the event loop."""

    def execute(
        self, name: str, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> ChatResponse:
        """What the provider or route *name* answers; takes what its ``execute`` takes."""
        return self[name].execute(model, prompt, parameters, **options)

    def stream_execute(
        self, name: str, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> EventStream[Any, ChatResponse]:
        """As `execute`, as it comes."""
        return self[name].stream_execute(model, prompt, parameters, **options)

    async def aexecute(
        self, name: str, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> ChatResponse:
        """`execute`, on the event loop."""
        return await self[name].aexecute(model, prompt, parameters, **options)

    def astream_execute(
        self, name: str, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> AsyncEventStream[Any, ChatResponse]:
        """`stream_execute`, on the event loop."""
        return self[name].astream_execute(model, prompt, parameters, **options)

    def auto_execute(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> ChatResponse:
        """The answer of whoever serves *model*: a name, an alias, a route, ``PROVIDER/MODEL``.

        Raises:
            NotFoundError: nobody does, or several do; the message lists them.
        """
        provider, name = self.resolve(model)
        return provider.execute(name, prompt, parameters, **options)

    def auto_stream(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> EventStream[Any, ChatResponse]:
        """As `auto_execute`, as it comes."""
        provider, name = self.resolve(model)
        return provider.stream_execute(name, prompt, parameters, **options)

    async def aauto_execute(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> ChatResponse:
        """`auto_execute`, on the event loop."""
        provider, name = await self.aresolve(model)
        return await provider.aexecute(name, prompt, parameters, **options)

    async def aauto_stream(
        self, model: str, prompt: Prompt, parameters: Params = None, **options: Any
    ) -> AsyncEventStream[Any, ChatResponse]:
        """`auto_stream`, on the event loop."""
        provider, name = await self.aresolve(model)
        return provider.astream_execute(name, prompt, parameters, **options)

    def run(self, request: Request[R]) -> R:
        """Perform a typed *request* by whoever serves its model."""
        provider, meant = self.resolve(request)
        result: R = provider.run(meant)
        return result

    def stream(self, request: Request[R]) -> EventStream[Any, R]:
        """As `run`, handing out events."""
        provider, meant = self.resolve(request)
        return provider.stream(meant)

    async def arun(self, request: Request[R]) -> R:
        """`run`, on the event loop."""
        provider, meant = await self.aresolve(request)
        result: R = await provider.arun(meant)
        return result

    async def astream(self, request: Request[R]) -> AsyncEventStream[Any, R]:
        """`stream`, on the event loop."""
        provider, meant = await self.aresolve(request)
        return provider.astream(meant)

    def batch(self, requests: Requests, **options: Unpack[BatchOptions]) -> BatchOutcome:
        """Perform thousands of *requests*; see `jackfield.manager.batch.run_batch`."""
        return run_batch(self, requests, **options)

    async def abatch(self, requests: Requests, **options: Unpack[BatchOptions]) -> BatchOutcome:
        """`batch`, on the event loop."""
        return await arun_batch(self, requests, **options)

    def compare(self, prompt: Prompt, models: Sequence[str], **options: Any) -> Comparison:
        """*prompt* to several *models*, side by side; see `jackfield.manager.compare.compare`."""
        return compare(self, prompt, models, **options)

    async def acompare(self, prompt: Prompt, models: Sequence[str], **options: Any) -> Comparison:
        """`compare`, on the event loop."""
        return await acompare(self, prompt, models, **options)
