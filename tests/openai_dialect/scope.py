"""Which recorded turns this issue's providers answer for, and why the others are left out."""

from __future__ import annotations

import re
from typing import Any

from openai_dialect.reading import complete, read_answers
from support.recordings import Turn, turns

OWN = ("openai", "vllm")
"""Providers with a plugin of their own here."""

VENDORS = {
    "azure_openai": "azure",
    "huggingface": "huggingface",
    "llamacpp": "llamacpp-server",
    "lmstudio": "lmstudio",
    "nvidia_nim": "nvidia",
    "openrouter": "openrouter",
    "together": "together",
}
"""Services with a plugin on the dialect, and its name."""

OTHERS = ("deepseek", "groq", "mistral", "ollama", "xai")
"""Services whose recordings go through `openai-compatible`."""

BORROWED = (*VENDORS, *OTHERS)

OPERATIONS = {
    "chat": re.compile(r"/chat/completions$"),
    "embeddings": re.compile(r"/embeddings$"),
    "model": re.compile(r"/v1/models/[^/]+$"),
    "models": re.compile(r"/models$"),
}

ELSEWHERE = {
    r"/audio/": "speech and transcription: tests/openai_operations has them",
    r"/batches": "batches: tests/openai_operations has them",
    r"/completions$": "legacy text completions: tests/openai_operations has them",
    r"/files": "files: tests/openai_operations has them",
    r"/fine_tuning/": "fine-tuning: tests/openai_operations has it",
    r"/images/(?:generations|edits)$": "image generation: tests/openai_operations has them",
    r"/moderations$": "moderation: tests/openai_operations has them",
    r"/responses": "the Responses API: tests/openai_operations has it",
    r"/(?:rerank|reranking|ranking)$": "reranking: tests/openai_operations has them",
    r"/(?:tokenize|detokenize|score|slots|apply-template)$": "a server's own: tests/openai_operations has them",
    r"/(?:credits|generation)$": "OpenRouter's accounts: tests/openai_operations has them",
    r"/messages(?:/count_tokens)?$": "another dialect: Anthropic's",
    r"/api/(?:chat|generate|show|tags)$": "another dialect: Ollama's own",
    r"/props$": "llama.cpp's own: tests/llamacpp_server has it",
    r"/(?:api/)?models/.+|/hf-inference/|/pipeline/": "Hugging Face's own tasks and hub",
}
"""Where the turns of no operation of `OPERATIONS` are replayed, by path."""

OUTSIDE = {
    r"/organization/": "administration is no operation of ours",
    r"/vector_stores": "vector stores are no operation of ours",
    r"/(?:assistants|threads|realtime|uploads|containers|conversations|evals|videos)\b": "an API of OpenAI's beside the dialect",
    r"/(?:responses|chat/completions)/[^/]+": "the caller keeps a conversation, not the service",
    r"/fine_tuning/(?:alpha|checkpoints|jobs/[^/]+/)": "what a training logs is no operation of ours",
    r"/fine-tunes|/engines|/edits$": "an API that was retired, or is beside the dialect",
    r"/images/variations": "variations of a picture are no operation of ours",
    r"^DELETE .*/models/": "to delete a model that was trained is no operation of ours",
    r"/(?:fim|agents)/|/(?:ocr|classifications|chat/moderations)$": "Mistral's own, beside the dialect",
    r"/(?:\w+-models|api-key|tokenize-text|deferred-completion/.+|documents/search)$": "xAI's own, beside the dialect",
    r"/models/.+/endpoints$|/embeddings/models$": "OpenRouter's own lists, beside its models",
    r"/(?:auth/key|keys?|providers|activity|user)$": "an account's business",
    r"/(?:pooling|classify|embed|health|metrics|version|ping|infill|completion|lora-adapters|invocations)$|/slots/\d+": "a server's own endpoint, which is no operation of ours",
    r"/api/v1/chat$": "LM Studio's own API, in which the server keeps the conversation",
}
"""Why turns of no operation of anybody's are left out, by method and path."""

# A recorder's slip: the client's list of models was stored as POST.
SLIPS = {("vllm", "POST", "models"): "GET"}


def operation(turn: Turn) -> str | None:
    """The operation of *turn* in this dialect; None if it has none."""
    found = next((name for name, path in OPERATIONS.items() if path.search(turn.path)), None)
    if re.search(r"/(?:embeddings|agents|fim)/", turn.path):  # a service's own, beside the dialect
        return None
    method = SLIPS.get((turn.provider, turn.request["method"], str(found)), turn.request["method"])
    wanted = "GET" if found in ("model", "models") else "POST"
    return found if method == wanted else None


def reason(turn: Turn) -> str | None:
    """Why *turn* is left out here, if its path says so: it is replayed elsewhere, or nowhere."""
    return next((why for path, why in ELSEWHERE.items() if re.search(path, turn.path)), None) or (
        beyond(turn)
    )


def beyond(turn: Turn) -> str | None:
    """Why *turn* is of nobody's operations, if its method and path say so."""
    return next((why for path, why in OUTSIDE.items() if re.search(path, turn.operation)), None)


def inside(*operations: str, providers: tuple[str, ...] = OWN + BORROWED) -> list[Turn]:
    """The recorded turns of *operations*."""
    return [t for p in providers for t in turns(p) if operation(t) in operations]


def plugin(turn: Turn) -> str:
    """The provider that replays *turn*."""
    other = VENDORS.get(turn.provider, "openai-compatible")
    return turn.provider if turn.provider in OWN else other


def failed(turn: Turn) -> bool:
    """Whether *turn* was answered with an error, by its status or inside."""
    return turn.status >= 300 or any(is_error(d) for d in documents(turn))


def documents(turn: Turn) -> list[Any]:
    """The JSON documents of the answer, whole or streamed."""
    if turn.streamed:
        return turn.data()
    body = turn.response.get("body")
    return [] if body is None or isinstance(body, str) else [body]


def is_error(document: Any) -> bool:
    """Whether *document* reports an error: as a whole, or of one of its answers."""
    if not isinstance(document, dict):
        return False
    told = document.get("error") or document.get("object") == "error"
    if not {"choices", "data", "id", "usage"} & document.keys():
        told = told or document.get("detail") or document.get("message")
    groq = (document.get("x_groq") or {}).get("error")
    return bool(told or groq or any(map(_ended_badly, document.get("choices") or [])))


BROKEN = ("error", "abort", "insufficient_system_resource")
"""Words for the end of an answer that its server could not finish."""


def _ended_badly(choice: Any) -> bool:
    return bool(choice.get("error")) or choice.get("finish_reason") in BROKEN


def whole(turn: Turn) -> bool:
    """Whether the answer has its end: a stream has its terminator, or a finish reason an answer.

    A terminator alone is no end for a call whose arguments are not complete.
    """
    if not turn.streamed:
        return True
    if re.search(rb"^data: ?\[DONE\]", turn.payload, re.MULTILINE):
        said = read_answers(documents(turn), closed=False).values()
        return all(a.finish or all(complete(text) for _, text in a.calls) for a in said)
    choices = [c for d in documents(turn) for c in d.get("choices") or []]
    ended = {c.get("index") or 0 for c in choices if c.get("finish_reason")}
    asked = (turn.body or {}).get("n") if isinstance(turn.body, dict) else 1
    return len(ended) >= max(asked or 1, len({c.get("index") or 0 for c in choices}))
