"""What the answers of tasks have in common: errors in them, bytes, counts in headers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from jackfield import LLMError, MediaPart, ResponseFormatError, Usage, errors
from jackfield.attachments import sniff
from jackfield.exchange import Call, decode
from jackfield.failures import event_error
from jackfield.flow import HTTPResponse
from jackfield_dialect_openai import ERROR_CODES

S = TypeVar("S")

_KINDS: Mapping[type[LLMError], str] = {
    errors.InvalidRequestError: "validation template_error tool_error tokenizer empty",
    errors.OverloadedError: "overloaded unhealthy healthcheck",
    errors.ServerError: "generation incomplete_generation backend",
}
CODES: Mapping[str, type[LLMError]] = {
    **ERROR_CODES,
    **{w: kind for kind, words in _KINDS.items() for n in words.split() for w in (n, n.title())},
}
"""The dialect's codes, and what the inference servers call ``error_type``."""

ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def loading(response: HTTPResponse) -> float | None:
    """Seconds until a model is there, if the answer is that it is loading."""
    try:
        body = ANY.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    told = body.get("estimated_time") if isinstance(body, Mapping) else None
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return float(told) if math.isfinite(told) and told >= 0 else None


def read(call: Call[Any], decoder: msgspec.json.Decoder[S], response: HTTPResponse) -> S:
    """The decoded body, unless it is an error's although the status was a success."""
    try:
        return decode(decoder, response.body)
    except ResponseFormatError:
        refuse(call, decode(ANY, response.body))
        raise


def refuse(call: Call[Any], plain: Any) -> None:
    """Raise the error that *plain* is, if it is one."""
    if isinstance(plain, Mapping) and plain.get("error"):
        raise event_error(plain, call.provider.error_codes)


def media(call: Call[Any], response: HTTPResponse, family: str = "") -> MediaPart:
    """The bytes of an answer, of a media type in *family* (``"image/"``)."""
    told = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if "json" in told:
        refuse(call, decode(ANY, response.body))
    seen = sniff(response.body)
    kind = told if told.startswith(family) and "/" in told else seen or ""
    if not response.body or not kind.startswith(family or tuple("aimv")):
        raise ResponseFormatError(f"no {family}* came, but {told or 'an unnamed type'}")
    return MediaPart(kind, response.body)


def usage(headers: Mapping[str, str], **told: Any) -> Usage:
    """Tokens as the body *told* them, else as the headers of the inference servers do."""
    prompt = headers.get("x-prompt-tokens") or headers.get("x-compute-tokens")
    found = {"input_tokens": prompt, "output_tokens": headers.get("x-generated-tokens")}
    raw = {n: v for n, v in {**_counts(found), **_counts(told)}.items() if v is not None}
    return Usage(**raw, raw=raw)


def _counts(told: Mapping[str, Any]) -> dict[str, int | None]:
    return {n: int(v) for n, v in told.items() if v is not None and str(v).isdecimal()}
