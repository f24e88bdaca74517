"""Which recorded turns with Ollama its plugin answers for, and why not the others."""

from __future__ import annotations

import re

from support.ollama_reading import native
from support.recordings import Turn

IN_SCOPE = {
    "POST /api/chat", "POST /api/generate", "POST /api/embed", "POST /api/embeddings",
    "POST /api/show", "POST /api/pull", "GET /api/tags", "GET /api/ps", "DELETE /api/delete",
}  # fmt: skip

ELSEWHERE = {
    r"POST /v1/messages.*": "Anthropic's dialect at Ollama's address: tests/claude has it",
    r"(POST|GET) /v1/.*": "OpenAI's dialect at Ollama's address: tests/openai_dialect has it",
}

OUT_OF_SCOPE = {
    r"POST /api/(create|copy)|(HEAD|POST) /api/blobs/.*": "makes models, which is no operation of ours",
    r"POST /api/push": "publishes models, which is no operation of ours",
    r"POST /api/web_(search|fetch)": "looks something up: no model's answer",
    r"POST /api/me": "says who is signed in",
    r"GET /api/version|(GET|HEAD) /": "says nothing about models",
}


def reason(turn: Turn) -> str | None:
    """Why *turn* is not the plugin's: it is replayed elsewhere, or nowhere; None if it is, or for no reason."""
    return next((why for p, why in ELSEWHERE.items() if re.fullmatch(p, turn.operation)), None) or (
        beyond(turn)
    )


def beyond(turn: Turn) -> str | None:
    """Why *turn* is of nobody's operations, if its path says so."""
    found = native(turn)[1]
    return next((why for p, why in OUT_OF_SCOPE.items() if re.fullmatch(p, found)), None)


def taken(turn: Turn) -> bool:
    """Whether *turn* is of an operation of the plugin."""
    return native(turn)[1] in IN_SCOPE
