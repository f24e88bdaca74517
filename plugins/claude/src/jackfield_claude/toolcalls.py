"""Earlier calls of tools, so that the API takes them back: their ids and arguments."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import msgspec

from jackfield.exchange import Call


def tool_use_id(given: str) -> str:
    """*given* as the API takes it: the ids of other providers may hold other characters."""
    if re.fullmatch(r"[a-zA-Z0-9_-]+", given):
        return given
    return "toolu_" + sha256(given.encode("utf-8", "replace")).hexdigest()[:24]


def tool_input(call: Call[Any], name: str, arguments: str) -> Any:
    """The arguments to the letter, so that a cached prompt stays the same."""
    text = arguments.strip() or "{}"
    try:
        if isinstance(msgspec.json.decode(text), dict):
            return msgspec.Raw(text.encode())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    call.warn("emulated", f"call of {name}", "its arguments are no JSON object: sent as text")
    return {"arguments": arguments}
