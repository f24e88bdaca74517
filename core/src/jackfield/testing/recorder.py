"""Recording a real provider: the usual calls, made once, and kept as redacted recordings that replay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from ..errors import ConfigError, LLMError
from ..http import HTTPProvider
from ..operations import RerankRequest, RerankResponse, Tokens
from ..provider import LLMProvider
from ..requests import ChatRequest, EmbeddingRequest, Request
from ..types import ChatResponse, EmbeddingResponse, TokenCount
from .conformance.installed import FOLDER, Asked, made_up, provider_class
from .conformance.observe import Outcome, observe, replaying
from .recordings import Recording, parse_call, parse_recording
from .stand_ins import settings_of
from .tapes import Tape

WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "The city's name"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
BIRD = {
    "type": "json_schema",
    "name": "bird",
    "schema": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "wingspan_cm": {"type": "integer"}},
        "required": ["name", "wingspan_cm"],
        "additionalProperties": False,
    },
}
_SHORT = {"max_tokens": 512}
_PARIS = {
    "prompt": "What is the weather in Paris? Use the tool.",
    "parameters": _SHORT,
    "options": {"tools": [WEATHER]},
}

CALLS: tuple[Mapping[str, Any], ...] = (
    {"name": "models", "verb": "list_models"},
    {"name": "chat", "verb": "execute", "prompt": "Say hello in French.", "parameters": _SHORT},
    {
        "name": "stream",
        "verb": "stream_execute",
        "prompt": "Name three birds — with an umlaut if you can.",
        "parameters": _SHORT,
    },
    {"name": "tool-call", "verb": "execute", **_PARIS},
    {"name": "tool-call-stream", "verb": "stream_execute", **_PARIS},
    {
        "name": "structured-output",
        "verb": "execute",
        "prompt": "Describe the pelican.",
        "parameters": _SHORT,
        "options": {"response_format": BIRD},
    },
    {"name": "embed", "verb": "embed", "options": {"inputs": ["Hello", "Goodbye"]}},
    {
        "name": "rerank",
        "verb": "rerank",
        "options": {
            "query": "Which bird swims?",
            "documents": ["Penguins swim.", "Eagles soar."],
        },
    },
    {"name": "count-tokens", "verb": "count_tokens", "prompt": "Say hello in French."},
    {"name": "tokenize", "verb": "tokenize", "options": {"text": "Hello, wörld"}},
    {"name": "unknown-model", "verb": "execute", "model": "no-such-model-7f3a", "prompt": "Hi"},
)
"""What is recorded: the ``call`` of a recording each, with its name; the model is filled in.

Those that a provider has no operation for are left out.
"""

OF_THEIR_OWN = {"embed": "embed", "rerank": "rerank"}
"""Verbs whose models are others than those that chat, and what the models' names have in them."""

FAILS = frozenset({"unknown-model"})
"""Calls that are meant to be refused."""


@frozen(kw_only=True)
class Made:
    """What came of recording one call: its file, or why there is none."""

    name: str
    path: Path | None = None
    why: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.path}" if self.path else f"{self.name}: not recorded, {self.why}"
        )


def record_all(config: pytest.Config, asked: Asked) -> None:
    """Record every provider that *asked* names, and say on the terminal what came of it.

    Raises:
        pytest.UsageError: one has no key, or none of its calls could be recorded.
    """
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    for name in asked.names:
        folder = _folder(asked, name)
        try:
            cls = provider_class(name)
            made = list(record(cls, folder, config=asked.config, model=asked.model))
        except ConfigError as error:
            raise pytest.UsageError(f"--jackfield-record: {error}") from None
        for one in made:
            if terminal is not None:
                terminal.write_line(f"{name}: {one}")
        if not any(one.path for one in made):
            told = "; ".join(map(str, made))
            raise pytest.UsageError(f"--jackfield-record: nothing of {name} was recorded: {told}")


def _folder(asked: Asked, name: str) -> Path:
    """Where the recordings of *name* go."""
    if len(asked.recordings) > 1 or any(p.suffix == ".json" for p in asked.recordings):
        raise pytest.UsageError("--jackfield-record writes into one folder: --jackfield-recordings")
    folder = asked.recordings[0] if asked.recordings else asked.root / FOLDER
    return folder / name if len(asked.names) > 1 else folder


def record(
    cls: type[LLMProvider],
    folder: Path,
    *,
    config: Mapping[str, Any] | None = None,
    model: str = "",
    calls: Sequence[Mapping[str, Any]] = CALLS,
) -> Iterator[Made]:
    """Make *calls* to the real backend of *cls*, and write what comes into *folder*; a file each.

    The key is the one in *config* or the environment. Without a *model*, the first that is listed.
    A file is written once it replays to what was seen.

    Raises:
        ConfigError: the provider is none over HTTP, has no key, or its configuration is not valid.
    """
    if not issubclass(cls, HTTPProvider):
        raise ConfigError(f"{cls.info.name} is not spoken to over HTTP: there is nothing to record")
    tape = Tape()
    provider = cls(dict(config or {}), driver=tape.driver())
    issues = provider.check_config()
    if issues:
        raise ConfigError(f"{cls.info.name} cannot be recorded:", issues)
    tape.conceal(provider)
    models, chats = _listed(provider, model), ChatRequest in provider.operations
    asked = [(_kind(provider, call), call) for call in calls]
    if not chats and any(kind is ChatRequest for kind, _ in asked):
        yield Made(name="chats", why=f"{provider.name} has none")
    for call in (call for kind, call in asked if kind in provider.operations):
        tape.turns.clear()
        filled = {"model": _model(str(call["verb"]), models, chats), **call}
        yield _record_one(provider, tape, folder, filled)


def _kind(provider: LLMProvider, call: Mapping[str, Any]) -> type[Request[Any]]:
    """The type of the request that *call* is."""
    return type(parse_call(str(call["name"]), {"model": "a-model", **call}).request(provider))


def _listed(provider: LLMProvider, model: str) -> list[str]:
    """The names of the models that are asked: *model*, or the first that is listed, and then all of them.

    Raises:
        ConfigError: there is none.
    """
    special = {EmbeddingRequest, RerankRequest} & provider.operations
    if model and not (special and ChatRequest in provider.operations):
        return [model]
    try:
        listed = [found.id for found in provider.list_models()]
    except LLMError as error:
        listed, why = [], str(error)
    else:
        why = "its list is empty"
    if not (model or listed):
        told = f"{provider.name} lists no model to ask ({why}): name one with --jackfield-model"
        raise ConfigError(told)
    return [model or listed[0], *listed]


def _model(verb: str, models: Sequence[str], chats: bool) -> str:
    """Which of *models* is for *verb*; where there are chats, one whose name says that it does something else."""
    word = OF_THEIR_OWN.get(verb) if chats else None
    return next((name for name in models if word and word in name.lower()), models[0])


def _record_one(provider: HTTPProvider, tape: Tape, folder: Path, call: Mapping[str, Any]) -> Made:
    """Make *call* and write its file, unless something else came than is to be kept."""
    name = str(call["name"])
    asked = parse_call(name, call)
    outcome = observe(provider, asked.request(provider), asked.streamed)
    refused = outcome.error is not None and dict(outcome.facts)["status"] is not None
    if name in FAILS and not refused:
        return Made(name=name, why=f"the server did not refuse it ({outcome})")
    if name not in FAILS and outcome.error is not None:
        return Made(name=name, why=str(dict(outcome.facts)["message"]))
    plain = {k: v for k, v in call.items() if k != "name" and (k != "model" or asked.model)}
    told = {"provider": provider.info.name, "config": settings_of(provider)}
    document = tape.document(**told, call=plain)
    seen = _replayed(type(provider), parse_recording(name, document))
    if seen.error is not outcome.error or type(seen.result) is not type(outcome.result):
        return Made(name=name, why=f"its replay gives {seen}, not {outcome}")
    document = {**document, "expect": _expected(seen)}
    path = folder / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return Made(name=name, path=path)


def _replayed(cls: type[LLMProvider], recording: Recording) -> Outcome:
    retry = {"attempts": len(recording.responses)}
    config = {**made_up(cls, recording.config), "retry": retry}
    provider = replaying(cls, config, recording.responses)
    return observe(provider, recording.request(provider), recording.streamed)


def _expected(outcome: Outcome) -> dict[str, Any]:
    """What a recording says came of its call."""
    result = outcome.result
    if outcome.error is not None:
        return {"error": outcome.error.__name__, "status": dict(outcome.facts)["status"]}
    if isinstance(result, ChatResponse):
        calls = {f"tool_calls.{i}.name": c.name for i, c in enumerate(result.tool_calls)}
        return {"text": result.text, "finish_reason": str(result.finish_reason), **calls}
    if isinstance(result, EmbeddingResponse) and result.vectors:
        return {"vectors.0.0": result.vectors[0][0]}
    if isinstance(result, RerankResponse) and result.results:
        return {"results.0.index": result.results[0].index}
    if isinstance(result, TokenCount):
        return {"input_tokens": result.input_tokens}
    if isinstance(result, Tokens) and result.ids:
        return {"ids.0": result.ids[0]}
    return {"0.id": result[0].id} if isinstance(result, Sequence) and result else {}
