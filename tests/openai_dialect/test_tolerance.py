"""Recorded answers with fields that nobody knows yet say the same."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from jackfield import ChatResponse, EmbeddingResponse, LLMError, ProviderPart
from openai_dialect.replaying import sync
from openai_dialect.scope import OPERATIONS, failed, inside
from support.outcomes import Outcome
from support.recordings import WIRE, Turn

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]

STRANGE: list[Any] = [None, True, 0, -1.5, "", "text", [], [1, {"a": None}], {}, {"x": {"y": [2]}}]


def said(name: str, value: Any) -> bool:
    """Whether an object is shown as it is: the model's arguments, a server's explanation."""
    explains = isinstance(value, dict) and "detail" in value
    return name in ("arguments", "detail") or (name == "message" and explains)


def sprinkle(value: Any, chance: random.Random) -> Any:
    """*value* with unknown fields in its objects, somewhere in their order."""
    if isinstance(value, list):
        return [sprinkle(item, chance) for item in value]
    if not isinstance(value, dict):
        return value
    pairs = [(k, v if said(k, v) else sprinkle(v, chance)) for k, v in value.items()]
    for _ in range(chance.randint(0, 2)):
        name = f"zz_{chance.randrange(10**6)}"
        pairs.insert(chance.randint(0, len(pairs)), (name, chance.choice(STRANGE)))
    return dict(pairs)


def rewritten(turn: Turn, change: Callable[[Any], Any]) -> bytes:
    """The payload of *turn* with each of its JSON documents changed."""
    if not turn.streamed:
        body = turn.response.get("body")
        return json.dumps(change(body)).encode() if isinstance(body, dict | list) else turn.payload
    lines = []
    for line in turn.payload.decode().split("\n"):
        data = line[5:].strip() if line.startswith("data:") else ""
        known = data and data != "[DONE]"
        lines.append(f"data: {json.dumps(change(json.loads(data)))}" if known else line)
    return "\n".join(lines).encode()


def plain(part: Any) -> Any:
    return evolve(part, provider_metadata={}) if hasattr(part, "provider_metadata") else part


def essence(outcome: Outcome) -> Any:
    """What a call came to, without what is kept as the provider sent it."""
    result, error = outcome.result, outcome.error
    if error is not None:
        assert isinstance(error, LLMError), error
        return type(error), error.status, error.code, error.message, error.retryable
    if isinstance(result, ChatResponse):
        every: list[Any] = [result, *result.alternatives]
        parts = [
            [type(p) if isinstance(p, ProviderPart) else plain(p) for p in m]
            for m in (a.message.content for a in every)
        ]
        usage = evolve(result.usage, raw={})
        return result.id, result.model, parts, [a.raw_finish_reason for a in every], usage
    if isinstance(result, EmbeddingResponse):
        return result.model, result.vectors, evolve(result.usage, raw={})
    listed = result if isinstance(result, list) else [result]
    return [evolve(model, provider_metadata={}) for model in listed]


@pytest.mark.parametrize("turn", inside(*OPERATIONS), ids=str)
def test_unknown_fields_change_nothing(turn: Turn) -> None:
    chance = random.Random(str(turn))
    changed = rewritten(turn, lambda document: sprinkle(document, chance))
    assert essence(sync(turn, [changed])) == essence(sync(turn))


@pytest.mark.parametrize("turn", [t for t in inside("chat") if not failed(t)], ids=str)
def test_explicit_nulls_are_the_same_as_absent_fields(turn: Turn) -> None:
    nullable = ["refusal", "tool_calls", "function_call", "annotations", "audio", "reasoning"]

    def change(document: dict[str, Any]) -> dict[str, Any]:
        for choice in document.get("choices") or []:
            message = choice.get("delta", choice.get("message"))
            if message is not None:
                for name in nullable:
                    message.setdefault(name, None)
        return {"usage": None, "error": None, "service_tier": None, **document}

    assert essence(sync(turn, [rewritten(turn, change)])) == essence(sync(turn))
