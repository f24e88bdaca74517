"""What a conformance class is told, and the providers that its tests are made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from ...exchange import Exchange
from ...http import HTTPProvider
from ...provider import LLMProvider
from ...requests import ChatRequest
from .observe import silent

Test = TypeVar("Test", bound=Callable[..., Any])


def http_only(test: Test) -> Test:
    """Mark *test* as one that only a provider behind HTTP has."""
    vars(test)["needs"] = lambda cls: issubclass(cls.provider, HTTPProvider)
    return test


def in_process_only(test: Test) -> Test:
    """Mark *test* as one for providers that can be called here and now."""
    vars(test)["needs"] = lambda cls: cls.in_process
    return test


class Base:
    """The settings of a conformance class."""

    def __init_subclass__(cls) -> None:
        """Leave out what the provider has nothing to do with, rather than skip it at each run."""
        super().__init_subclass__()
        if not hasattr(cls, "provider"):
            return
        for name in dir(cls):
            needs = getattr(getattr(cls, name), "needs", None)
            if needs is not None and not needs(cls):
                setattr(cls, name, None)

    provider: ClassVar[type[LLMProvider]]
    """The class to test."""

    config: ClassVar[Mapping[str, Any]] = {}
    """A valid configuration, with a made-up key where one is needed."""

    model: ClassVar[str] = "a-model"
    """The name of a model, for requests that are only built."""

    recordings: ClassVar[str | Path | Sequence[Any]] = ()
    """Recorded exchanges: a file, a folder, or a list of those and of `Recording`s."""

    in_process: ClassVar[bool] = False
    """Whether calls can be made here and now, without a network, and always alike."""

    opaque: ClassVar[frozenset[str]] = frozenset(
        {"arguments", "input", "args", "parameters", "schema", "input_schema", "metadata"}
    )
    """Fields of the wire whose objects are somebody's own data: nothing is added inside."""

    def silent(self, **more: Any) -> LLMProvider:
        """A provider that cannot send anything."""
        return silent(self.provider, {**self.config, **more})

    def needs_chat(self, provider: LLMProvider) -> None:
        """Skip where there is no chat."""
        if ChatRequest not in provider.operations:
            pytest.skip(f"{self.provider.__name__} has no chat")

    def needs_chat_exchange(self) -> None:
        """Skip where chats are not one request over HTTP."""
        assert issubclass(self.provider, HTTPProvider)
        if not isinstance(self.provider.exchanges.get(ChatRequest), Exchange):
            pytest.skip(f"{self.provider.__name__} has no chat")
