"""Messages of a chat as callers send them: OpenAI's, and answers that come back as they were given."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import evolve

from jackfield import CallWarning, ContentPart, InvalidRequestError, MediaPart, Message, TextPart
from jackfield.prompts import bad, parse_prompt

from ..pieces import piece_event
from .parts import decode_parts

PARTS = "jackfield_parts"
"""The field of an answer's message that holds all its parts, where the dialect alone loses some."""


def parse_messages(
    given: Any, warnings: list[CallWarning], *, whole: bool = True
) -> tuple[Message, ...]:
    """The conversation that a caller sends; unless *whole*, what only the dialect has is told as lost.

    Raises:
        InvalidRequestError: it is misshapen; ``param`` says where.
    """
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise bad("messages", f"a {type(given).__name__} is no conversation", "give a list")
    try:
        numbered = [(f"messages[{i}]", message) for i, message in enumerate(given)]
        warnings += () if whole else [w for where, m in numbered for w in _lost(where, m)]
        return parse_prompt([_message(where, m, warnings) for where, m in numbered])
    except InvalidRequestError as error:
        if error.param == "prompt":
            raise bad("messages", "there are none", "give at least one") from None
        error.replace("prompt[", "messages[")
        raise


def _lost(where: str, given: Any) -> Iterator[CallWarning]:
    """What of a message no other dialect has a word for."""
    if not isinstance(given, Mapping):
        return
    if given.get("name") and given.get("role") != "tool":
        yield CallWarning("unsupported", f"{where}.name", "not sent")
    content = given.get("content")
    for at, part in enumerate(content if isinstance(content, list) else ()):
        image = part.get("image_url") if isinstance(part, Mapping) else None
        if isinstance(image, Mapping) and image.get("detail") not in (None, "auto"):
            yield CallWarning("unsupported", f"{where}.content[{at}].image_url.detail", "not sent")


def _message(where: str, given: Any, warnings: list[CallWarning]) -> Any:
    if not isinstance(given, Mapping):
        return given
    if given.get("role") != "assistant":
        content = given.get("content")
        if not isinstance(content, list) or not any(map(_file_id, content)):
            return given
        return {**given, "content": [_part(p) for p in content]}
    message = spoken(where, given)
    if not given.get(PARTS):
        return message
    whole = evolve(message, content=decode_parts(f"{where}.{PARTS}", given[PARTS]))
    if _heard(whole) == _heard(message):
        return whole
    told = "the message says something else by now, which counts"
    warnings.append(CallWarning("dropped", f"{where}.{PARTS}", told))
    return message


def _heard(message: Message) -> tuple[str, list[Any]]:
    """What a caller sees of *message*, and might have changed."""
    return message.text, [(c.id, c.name, c.arguments) for c in message.tool_calls]


def _file_id(part: Any) -> str:
    """The id of the kept file that *part* of a message is."""
    inner = part.get("file") if isinstance(part, Mapping) else None
    told = inner.get("file_id") if isinstance(inner, Mapping) else None
    return told if isinstance(told, str) else ""


def _part(given: Any) -> Any:
    kept = _file_id(given)
    return MediaPart("application/pdf", url=kept) if kept else given


_BESIDE = ("annotations", "audio", "images", "parsed", PARTS)


def spoken(where: str, given: Mapping[str, Any]) -> Message:
    """The model's message that *given* says without `PARTS`."""
    plain = {name: value for name, value in given.items() if name not in _BESIDE}
    if plain.get("content") == "":
        plain["content"] = None
    try:
        (message,) = parse_prompt([plain])
    except InvalidRequestError as error:
        error.replace("prompt[0]", where)
        raise
    parts = list(message.content)
    if noted := given.get("annotations"):
        metadata = {"openai": {"annotations": noted}}
        first = next((p for p in parts if isinstance(p, TextPart)), None)
        if first is not None:
            parts[parts.index(first)] = evolve(first, provider_metadata=metadata)
    parts += _images(f"{where}.images", given.get("images") or [])
    if given.get("audio"):
        parts.append(_sound(f"{where}.audio", given["audio"]))
    return evolve(message, content=parts)


def _images(where: str, given: Any) -> list[ContentPart]:
    """Pictures that the model made."""
    try:
        listed = [piece_event(image, 0, 0, "openai").part for image in given]
    except (AttributeError, TypeError, ValueError):
        raise bad(where, "no pictures", "send an answer's message back as it came") from None
    return listed


def _sound(where: str, given: Any) -> MediaPart:
    """What the model said aloud; a caller may send its id alone."""
    try:
        noted = {"openai": {name: given.get(name) for name in ("id", "transcript", "expires_at")}}
        data = b64decode(given.get("data") or "", validate=True)
    except (AttributeError, TypeError, ValueError):
        raise bad(where, "no speech", "give the id of what the model said") from None
    return MediaPart("audio/wav", data, provider_metadata=noted)
