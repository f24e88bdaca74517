"""The recorded turns that speak Anthropic's API, each in scope or with the reason why not."""

from __future__ import annotations

import re

from support.recordings import WIRE, Turn, turns

CHAT = "POST /v1/messages"
COUNT = "POST /v1/messages/count_tokens"
MODELS = "GET /v1/models"
MODEL = "GET /v1/models/{id}"

BATCH_CREATE = "POST /v1/messages/batches"
BATCHES = "GET /v1/messages/batches"
BATCH = "GET /v1/messages/batches/{id}"
BATCH_CANCEL = "POST /v1/messages/batches/{id}/cancel"
BATCH_RESULTS = "GET /v1/messages/batches/{id}/results"
FILE_UPLOAD = "POST /v1/files"
FILES = "GET /v1/files"
FILE = "GET /v1/files/{id}"
FILE_CONTENT = "GET /v1/files/{id}/content"
BATCH_DELETE = "DELETE /v1/messages/batches/{id}"
FILE_DELETE = "DELETE /v1/files/{id}"

IN_SCOPE = {
    CHAT: r"POST .*/v1/messages/?",
    COUNT: r"POST .*/v1/messages/count_tokens/?",
    MODELS: r"GET .*/v1/models/?",
    MODEL: r"GET .*/v1/models/[^/]+",
    BATCH_CREATE: r"POST .*/v1/messages/batches/?",
    BATCHES: r"GET .*/v1/messages/batches/?",
    BATCH: r"GET .*/v1/messages/batches/[^/]+",
    BATCH_CANCEL: r"POST .*/v1/messages/batches/[^/]+/cancel",
    BATCH_DELETE: r"DELETE .*/v1/messages/batches/[^/]+",
    BATCH_RESULTS: r"GET .*/v1/messages/batches/[^/]+/results",
    FILE_UPLOAD: r"POST .*/v1/files/?",
    FILES: r"GET .*/v1/files/?",
    FILE: r"GET .*/v1/files/[^/]+",
    FILE_CONTENT: r"GET .*/v1/files/[^/]+/content",
    FILE_DELETE: r"DELETE .*/v1/files/[^/]+",
}
AGENTS = "skills|agents|sessions|environments|memory_stores|vaults|user_profiles"
OUT_OF_SCOPE = {
    r"POST .*/v1/complete": "the text completions that came before messages",
    rf"\w+ .*/v1/(organizations|oauth|experimental|{AGENTS})\b.*": "administration and agents",
    r"POST .*/chat/completions": "OpenAI's dialect, which has a plugin of its own",
    r"POST .*/model/[^/]+/(invoke|converse).*": "a cloud's own wrapping of the messages",
    r"POST .*:(streamR|r)awPredict": "a cloud's own wrapping of the messages",
}


def recorded() -> list[Turn]:
    """Every turn with Anthropic, and those with other servers that speak its messages."""
    folders = sorted(p.name for p in WIRE.iterdir() if p.is_dir()) if WIRE.is_dir() else []
    return [turn for folder in folders for turn in turns(folder) if speaks(turn)]


def speaks(turn: Turn) -> bool:
    """Whether *turn* is with Anthropic, or with another server that speaks its messages."""
    messages = re.fullmatch(r".*/v1/messages(/count_tokens)?", turn.path)
    return turn.provider == "anthropic" or messages is not None


ALL = recorded()


def scope(turn: Turn) -> str | None:
    """The operation of *turn*, if the plugin has it."""
    return next((o for o, p in IN_SCOPE.items() if re.fullmatch(p, turn.operation)), None)


def reason(turn: Turn) -> str | None:
    """Why *turn* is out of scope, if it is."""
    return next((r for p, r in OUT_OF_SCOPE.items() if re.fullmatch(p, turn.operation)), None)


def of(*operations: str) -> list[Turn]:
    """The recorded turns of some operations."""
    return [turn for turn in ALL if scope(turn) in operations]
