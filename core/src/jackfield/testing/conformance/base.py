"""What a conformance class is told, and the providers that its tests are made with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from ...errors import ConfigError
from ...exchange import Exchange
from ...http import HTTPProvider
from ...provider import LLMProvider
from ...requests import ChatRequest
from ..recordings import Recording, recordings_of
from .observe import replaying, silent

Test = TypeVar("Test", bound=Callable[..., Any])


def http_only(test: Test) -> Test:
    """Mark *test* as one that only a provider behind HTTP has."""
    vars(test)["needs"] = lambda cls: issubclass(cls.provider, HTTPProvider)
    return test


def in_process_only(test: Test) -> Test:
    """Mark *test* as one for providers that can be called here and now."""
    vars(test)["needs"] = lambda cls: cls.in_process
    return test


def advice(check: Callable[..., Any]) -> str:
    """What *check* asks for, as its docstring says it, and what to do when it fails."""
    said = inspect.getdoc(check) or check.__name__.removeprefix("test_").replace("_", " ")
    todo = "the message above says what to change; of an unexpected error, the last line in your own code"
    return f"{said}\nWhat to do: {todo}. Again: pytest -k {check.__name__}"


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

    partial: ClassVar[bool] = False
    """Whether there may be more recordings somewhere, which prove more."""

    in_process: ClassVar[bool] = False
    """Whether calls can be made here and now, without a network, and always alike."""

    opaque: ClassVar[frozenset[str]] = frozenset(
        {"arguments", "input", "args", "parameters", "schema", "input_schema", "metadata"}
    )
    """Fields of the wire whose objects are somebody's own data: nothing is added inside."""

    def silent(self, **more: Any) -> LLMProvider:
        """A provider that cannot send anything."""
        return silent(self.provider, {**self.config, **more})

    def replaying(self, recording: Recording) -> LLMProvider:
        """A provider that *recording* answers, as often as it did."""
        config = {
            **self.config,
            **recording.config,
            "retry": {"attempts": len(recording.responses)},
        }
        return replaying(self.provider, config, recording.responses)

    def needs_chat(self, provider: LLMProvider) -> None:
        """Skip where there is no chat."""
        if ChatRequest not in provider.operations:
            pytest.skip(f"{self.provider.__name__} has no chat")

    def needs_chat_exchange(self) -> None:
        """Skip where chats are not one request over HTTP."""
        assert issubclass(self.provider, HTTPProvider)
        if not isinstance(self.provider.exchanges.get(ChatRequest), Exchange):
            pytest.skip(f"{self.provider.__name__} has no chat")

    def recorded(self) -> tuple[list[Recording], str]:
        """The recordings, and what is to be said of a file or folder that is named and has none.

        Raises:
            ConfigError: one cannot be read.
        """
        given = self.recordings
        found, missing = list[Recording](), ""
        for item in [given] if isinstance(given, str | Path) else given:
            place = Path.cwd() if isinstance(item, Recording) else Path(item).absolute()
            if not place.exists():
                missing = f"there is no {place}, which `recordings` names"
            elif (
                place.is_dir()
                and not isinstance(item, Recording)
                and not any(place.rglob("*.json"))
            ):
                missing = f"there is no recording in {place}"
            else:
                found += recordings_of([item])
        return found, missing

    def _missing(self, test: str) -> str:
        """Why *test* has no recording: there is nothing of the kind to record, or nobody did."""
        exchanges = getattr(self.provider, "exchanges", {})
        if not isinstance(exchanges, Mapping):
            return "exchanges is no dict"
        if "verb" in test and ChatRequest not in exchanges:
            return f"{self.provider.__name__} has no chat"
        if "stream" in test and not any(getattr(e, "stream", None) for e in exchanges.values()):
            return f"{self.provider.__name__} streams nothing"
        missing = self.recorded()[1] or "no such recording: set `recordings`"
        return (
            f"{missing} (see jackfield.testing.recordings, which says how to write one by hand), or "
            "make some with pytest --jackfield-provider=NAME --jackfield-record"
        )

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each recording."""
        if "recording" not in metafunc.fixturenames:
            return
        try:
            found = self.recorded()[0]
        except ConfigError as error:
            pytest.fail(f"{self.provider.__name__}: {error}", pytrace=False)
        if "stream" in metafunc.function.__name__:
            found = [r for r in found if r.streamed and r.responses[-1].status < 300]
        if "verb" in metafunc.function.__name__:
            found = [r for r in found if r.verb in ("execute", "stream_execute")]
        if found:
            metafunc.parametrize("recording", found, ids=str)
        else:
            reason = self._missing(metafunc.function.__name__)
            skipped = pytest.param(None, marks=pytest.mark.skip(reason=reason))
            metafunc.parametrize("recording", [skipped], ids=["none"])
