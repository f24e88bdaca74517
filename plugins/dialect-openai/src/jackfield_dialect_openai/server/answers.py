"""Whole answers as the dialect's ``chat.completion``: choices, usage, why it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from jackfield import CallWarning, ChatResponse, Cost, FinishReason, ServerError, Usage

from ..usage import count
from .messages import flattened, render_message

_WORDS: Mapping[FinishReason, str] = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
}
_TIERS = {"auto", "default", "fast", "flex", "priority", "scale"}


def render_response(
    response: ChatResponse,
    *,
    created: int,
    id: str = "",  # noqa: A002  # the dialect's word
    model: str = "",
) -> dict[str, Any]:
    """*response*, made at the Unix time *created*; *id* and *model* are told if its provider told none.

    Beside the dialect's fields: ``warnings``, the cost in ``usage`` (US dollars), and
    ``native_finish_reason`` where the provider said another word.

    Raises:
        ServerError: the model failed; the dialect has no word for an answer that did.
    """
    metadata = flattened(response.provider_metadata)
    answers = [(response.message, response.finish_reason, response.raw_finish_reason)]
    answers += [(a.message, a.finish_reason, a.raw_finish_reason) for a in response.alternatives]
    choices = [
        {
            "index": at,
            "message": render_message(message),
            "logprobs": render_logprobs(metadata.get("logprobs"), at),
            **render_finish(reason, raw, called=bool(message.tool_calls)),
        }
        for at, (message, reason, raw) in enumerate(answers)
    ]
    usage, told = render_usage(response.usage, response.cost)
    return {
        "id": response.id or id,
        "object": "chat.completion",
        "created": created,
        "model": response.model or model,
        "choices": choices,
        **({"usage": usage} if usage else {}),
        **render_extras(metadata),
        **render_warnings((*response.warnings, *told)),
    }


def render_finish(reason: FinishReason, raw: str | None, *, called: bool) -> dict[str, str]:
    """Why an answer ended; one that ended for a reason of its own stopped, or *called* tools."""
    if reason is FinishReason.ERROR:
        message = f"the model failed: the provider ended its answer with an error ({raw})"
        raise ServerError(message, status=502, code=raw, phase="body", maybe_executed=True)
    word = _WORDS.get(reason) or ("tool_calls" if called else "stop")
    told = {"native_finish_reason": raw} if raw not in (None, word) else {}
    return {"finish_reason": word, **told}


def render_logprobs(noted: Any, at: int) -> dict[str, Any] | None:
    """The log probabilities of answer *at*, from what a provider of the dialect noted."""
    own = noted.get(at) if isinstance(noted, Mapping) and at in noted else noted
    if not isinstance(own, Mapping) or (at and own is noted):
        return None
    told = {name: own[name] for name in ("content", "refusal") if name in own}
    return told or None


def render_usage(usage: Usage, cost: Cost) -> tuple[dict[str, Any], tuple[CallWarning, ...]]:
    """Usage in the dialect's words, and what is to be said of it; empty if nothing is known."""
    known = {"input": usage.input_tokens, "output": usage.output_tokens}
    if set(known.values()) == {None}:
        return {}, ()
    told = tuple(unknown(side) for side, tokens in known.items() if tokens is None)
    given, made = known["input"] or 0, known["output"] or 0
    prompt = {
        "cached_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "audio_tokens": usage.audio_input_tokens,
    }
    completion = {
        "reasoning_tokens": usage.reasoning_tokens,
        "audio_tokens": usage.audio_output_tokens,
        **_predicted(usage.raw),
    }
    wire: dict[str, Any] = {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
    }
    for name, details in (("prompt", prompt), ("completion", completion)):
        if counted := {key: value for key, value in details.items() if value is not None}:
            wire[f"{name}_tokens_details"] = counted
    if cost.amount is not None and cost.currency == "USD":
        wire["cost"] = float(cost.amount)
    return wire, told


def _predicted(raw: Any) -> dict[str, int]:
    """Tokens of a prediction, as a server of the dialect counted them."""
    told = raw.get("completion_tokens_details") if isinstance(raw, Mapping) else None
    names = ("accepted_prediction_tokens", "rejected_prediction_tokens")
    counted = {n: count(told.get(n)) for n in names} if isinstance(told, Mapping) else {}
    return {name: tokens for name, tokens in counted.items() if tokens is not None}


def unknown(side: str) -> CallWarning:
    """What is said where a count must stand that nobody knows."""
    return CallWarning("emulated", "usage", f"the provider reported no {side} tokens: written as 0")


def render_extras(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider of the dialect said of how it served."""
    fingerprint, tier = metadata.get("system_fingerprint"), metadata.get("service_tier")
    told = {"system_fingerprint": fingerprint} if isinstance(fingerprint, str) else {}
    return {**told, **({"service_tier": tier} if tier in _TIERS else {})}


def render_warnings(warnings: Iterable[CallWarning]) -> dict[str, Any]:
    """The field ``warnings``, if there are any."""
    told: list[Any] = msgspec.to_builtins(list(warnings))
    return {"warnings": told} if told else {}
