"""The recorded turns that speak Anthropic's API, each in scope or with the reason why not."""

from __future__ import annotations

import re

from support.recordings import WIRE, Turn, turns

CHAT = "POST /v1/messages"
COUNT = "POST /v1/messages/count_tokens"
MODELS = "GET /v1/models"
MODEL = "GET /v1/models/{id}"

IN_SCOPE = {
    CHAT: r"POST .*/v1/messages/?",
    COUNT: r"POST .*/v1/messages/count_tokens/?",
    MODELS: r"GET .*/v1/models/?",
    MODEL: r"GET .*/v1/models/[^/]+",
}
AGENTS = "skills|agents|sessions|environments|memory_stores|vaults|user_profiles"
OUT_OF_SCOPE = {
    r"\w+ .*/v1/messages/batches.*": "batches are jobs of several calls: not part of this plugin yet",
    r"\w+ .*/v1/files.*": "the Files API stores uploads: not part of this plugin yet",
    r"POST .*/v1/complete": "the text completions that came before messages",
    rf"\w+ .*/v1/(organizations|oauth|experimental|{AGENTS})\b.*": "administration and agents",
    r"POST .*/chat/completions": "OpenAI's dialect, which has a plugin of its own",
    r"POST .*/model/[^/]+/(invoke|converse).*": "a cloud's own wrapping of the messages",
    r"POST .*:(streamR|r)awPredict": "a cloud's own wrapping of the messages",
}


def recorded() -> list[Turn]:
    """Every turn with Anthropic, and those with other servers that speak its messages."""
    folders = sorted(p.name for p in WIRE.iterdir() if p.is_dir()) if WIRE.is_dir() else []
    return [
        turn
        for folder in folders
        for turn in turns(folder)
        if folder == "anthropic" or re.fullmatch(r".*/v1/messages(/count_tokens)?", turn.path)
    ]


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
