"""What a conformance class is told, and the providers that its tests are made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ...exchange import Exchange
from ...http import HTTPProvider
from ...provider import LLMProvider
from ...requests import ChatRequest
from .observe import silent


class Base:
    """The settings of a conformance class."""

    provider: ClassVar[type[LLMProvider]]
    """The class to test."""

    config: ClassVar[Mapping[str, Any]] = {}
    """A valid configuration, with a made-up key where one is needed."""

    model: ClassVar[str] = "a-model"
    """The name of a model, for requests that are only built."""

    recordings: ClassVar[str | Path | Sequence[Any]] = ()
    """Recorded exchanges: a file, a folder, or a list of those and of `Recording`s."""

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

    def exchange(self) -> Exchange[Any, Any]:
        """The chat exchange of a provider behind HTTP; skip where there is none."""
        if not issubclass(self.provider, HTTPProvider):
            pytest.skip(f"{self.provider.__name__} sends no HTTP requests")
        found = self.provider.exchanges.get(ChatRequest)
        if found is None:
            pytest.skip(f"{self.provider.__name__} has no chat")
        return found
