"""The interface of an engine, the choice between the two, and what they share.

An engine is one loaded model. It takes and gives what OpenAI's API takes and gives
(https://platform.openai.com/docs/api-reference/chat-streaming), so that the OpenAI dialect of the
rest of Jackfield reads it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, Protocol

from attrs import frozen

from .errors import EngineError
from .gguf import Header
from .options import LoadOptions, resolve

Body = Mapping[str, Any]
"""The body of an OpenAI chat request."""
Chunk = dict[str, Any]
"""An OpenAI `chat.completion.chunk`; the last one carries `usage` and no choices."""


class Sink(Protocol):
    """Where an engine puts the chunks of an answer."""

    def put(self, chunk: Chunk) -> None:
        """Take the next chunk."""

    def cancelled(self) -> bool:
        """Whether nobody wants the rest; engines look after every token and every batch of a prompt."""


@frozen(kw_only=True)
class Limit:
    """Something of a request that an engine cannot honour: *kind* is one of the core's kinds of warning."""

    kind: Literal["unsupported", "clamped", "emulated", "dropped"]
    what: str
    message: str


@frozen(kw_only=True)
class Embeddings:
    """One vector of length 1 per text, in order, and the tokens of all texts."""

    vectors: Sequence[Sequence[float]]
    tokens: int


@frozen(kw_only=True)
class Scores:
    """How well each document answers, in their order, and the tokens of all pairs."""

    scores: Sequence[float]
    tokens: int


class Engine(Protocol):
    """One loaded model. Its methods block; the owner calls them one at a time."""

    n_ctx: int

    def generate(self, body: Body, sink: Sink) -> None:
        """Answer *body*, chunk by chunk into *sink*, until the end or until *sink* is cancelled.

        Raises:
            EngineError: `context_length_exceeded`, `invalid_request` or `engine_failed`.
        """

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """The pooled, normalized vectors of *texts*; needs a model loaded with `embedding=True`.

        Raises:
            EngineError: `context_length_exceeded` or `invalid_request`, saying which text.
        """

    def rank(self, query: str, documents: Sequence[str]) -> Scores:
        """How well each of *documents* answers *query*; needs a model loaded with `pooling=RANK`.

        Raises:
            EngineError: `context_length_exceeded`, saying which document.
        """

    def tokenize(self, text: str) -> list[int]:
        """The tokens of *text* as it stands, special tokens read as such, none added."""

    def count(self, body: Body) -> int:
        """How many tokens the prompt of *body* has, after its chat template."""

    def close(self) -> None:
        """Free the model; the engine is of no use afterwards."""


@frozen(kw_only=True)
class EngineKind:
    """An engine that could be installed: its user-facing name, its import, ours, and how to get it."""

    name: str
    imports: str
    module: str
    install: str


KINDS: Mapping[str, EngineKind] = {
    kind.name: kind
    for kind in (
        EngineKind(
            name="llama-cpp-python",
            imports="llama_cpp",
            module=".engine_llama_cpp",
            install='pip install "jackfield-llamacpp[llama-cpp-python]" (compiles for minutes)',
        ),
        EngineKind(
            name="xllamacpp",
            imports="xllamacpp",
            module=".engine_xllamacpp",
            install='pip install "jackfield-llamacpp[fast]" (a prebuilt wheel, seconds)',
        ),
    )
}
"""In the order of preference when both are installed."""


def installed(kind: EngineKind) -> bool:
    """Whether the library behind *kind* can be imported here; nothing is imported to find out."""
    try:
        return find_spec(kind.imports) is not None
    except (ImportError, ValueError):
        return False


def choose_engine(
    wish: str = "auto", present: Callable[[EngineKind], bool] = installed
) -> EngineKind:
    """The engine to use: the one that *wish* names, or with "auto" the first that is installed.

    Raises:
        EngineError: `engine_missing` with the command that installs it.
    """
    if wish != "auto" and wish not in KINDS:
        raise EngineError("invalid_options", f"no engine {wish!r}; have auto, {', '.join(KINDS)}")
    wanted = list(KINDS.values()) if wish == "auto" else [KINDS[wish]]
    for kind in wanted:
        if present(kind):
            return kind
    which = (
        "no llama.cpp engine is installed"
        if wish == "auto"
        else f"the engine {wish} is not installed"
    )
    ways = " or ".join(kind.install for kind in reversed(wanted))
    raise EngineError("engine_missing", f"{which}. Try: {ways}")


def load(kind: EngineKind, header: Header, options: LoadOptions) -> Engine:
    """Load the model of *header* with the engine *kind* and resolved *options* (see `resolved`).

    Raises:
        EngineError: `load_failed`, or `engine_missing` (installed but broken).
    """
    engine: Engine = _module(kind).load(header, options)
    return engine


def resolved(header: Header, size: int, options: LoadOptions) -> LoadOptions:
    """*options* with every default filled in, for the model of *header* with *size* bytes, here.

    Raises:
        EngineError: `invalid_options` when they contradict each other.
    """
    return resolve(options, header, size, usable_cpus())


def limits(kind: EngineKind, template: str | None, body: Body) -> Sequence[Limit]:
    """What of *body* the engine *kind* would not honour for a model with *template*; loads no model."""
    found: Sequence[Limit] = _module(kind).limits(template, body)
    return found


def _module(kind: EngineKind) -> Any:
    try:
        return import_module(kind.module, __package__)
    except (ImportError, OSError, RuntimeError) as error:  # built for another machine, perhaps
        message = f"{kind.name} is installed but does not import: {error}"
        raise EngineError("engine_missing", message) from error


def usable_cpus() -> int:
    """Logical processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
