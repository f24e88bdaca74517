"""Text generation: a prompt written on, whole or token by token.

Source: https://huggingface.co/docs/inference-providers/tasks/text-generation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define
from msgspec import Struct

from jackfield import ChatResponse, LLMError, Param, ResponseFormatError, TextDelta, Usage, fold
from jackfield.events import Finish, StreamStart
from jackfield.exchange import Call, Exchange, json_request
from jackfield.failures import event_error
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import Frame
from jackfield.operations import CompletionRequest
from jackfield.params import ParamTable
from jackfield_dialect_openai.parse import parse_finish_reason
from jackfield_dialect_openai.render import merge

from .reading import read, refuse, usage

GENERATION: ParamTable = {
    "max_tokens": Param("max_new_tokens", ge=1, le=2**31 - 1),
    "temperature": Param("temperature", ge=0),
    "top_p": Param("top_p", ge=0.01, le=1),
    "top_k": Param("top_k", ge=0, le=2**31 - 1),
    "seed": Param("seed", ge=1),
    "stop": Param("stop", most=4, convert=list),
    "frequency_penalty": Param("frequency_penalty", ge=-1.99, le=2),
    "repeat_penalty": Param("repetition_penalty", ge=0.01),
}
"""What text generation takes of the common parameters: its own names, open ends closed."""


class Generated(Struct):
    """A text; translations and summaries call it otherwise."""

    generated_text: str | None = None
    translation_text: str | None = None
    summary_text: str | None = None
    details: dict[str, Any] | None = None


class Token(Struct):
    """A token; a special one is no text."""

    text: str = ""
    special: bool = False


class Piece(Struct):
    """An event of a stream; the last one has the whole text."""

    token: Token | None = None
    generated_text: str | None = None
    details: dict[str, Any] | None = None
    error: Any = None


_WHOLE = msgspec.json.Decoder(Generated | list[Generated])
_PIECE = msgspec.json.Decoder(Piece)


def build(call: Call[CompletionRequest]) -> HTTPRequest:
    """POST to the model; details are asked for in streams, which only servers with details have."""
    provider: Any = call.provider
    given = dict(call.wire)
    if call.request.suffix is not None:
        call.warn("unsupported", "suffix", "text generation only writes on")
    heat = given.get("temperature")
    if heat is not None:
        # Servers refuse a temperature of 0, and take one of 1 for none: choosing has a word of its own.
        given["do_sample"] = heat > 0
    neutral = {"temperature": 0, "top_p": 1, "top_k": 0}
    given = {n: v for n, v in given.items() if n not in neutral or v != neutral[n]}
    parameters = {"return_full_text": False, **given}
    body: dict[str, Any] = {"inputs": call.request.prompt, "parameters": parameters}
    if call.stream:
        body["stream"] = parameters["details"] = True
    return json_request(provider.task_url(call.request.model), merge(body, call.options))


def parse(call: Call[CompletionRequest], response: HTTPResponse) -> ChatResponse:
    """A whole answer, with those beside it."""
    answer = read(call, _WHOLE, response)
    listed = answer if isinstance(answer, list) else [answer]
    texts = [(t, g.details or {}) for g in listed if (t := _text(g)) is not None]
    if not texts or len(texts) < len(listed):
        refuse(call, msgspec.json.decode(response.body))
        raise ResponseFormatError("the answer has no text (at $[*].generated_text)")
    others = texts[0][1].get("best_of_sequences") or ()
    texts += [(str(other["generated_text"]), other) for other in others]
    out: list[Any] = [StreamStart(model=call.request.model)]
    for at, (text, details) in enumerate(texts):
        out += [TextDelta(text, 0, at)] if text else []
        counted = usage(response.headers, output_tokens=details.get("generated_tokens"))
        out.append(_finish(call, details, at, counted))
    return fold(out)


def _text(generated: Generated) -> str | None:
    named = (generated.generated_text, generated.translation_text, generated.summary_text)
    return next((text for text in named if text is not None), None)


def _finish(call: Call[Any], details: Mapping[str, Any], at: int, counted: Usage) -> Finish:
    reason = details.get("finish_reason")
    raw = reason if isinstance(reason, str) else None
    kept = {call.provider.info.name: {"details": dict(details)}} if details and at == 0 else {}
    return Finish(
        finish_reason=parse_finish_reason(raw),
        raw_finish_reason=raw,
        usage=counted if at == 0 else None,
        provider_metadata=kept,
        choice=at,
    )


@define
class TokenParser:
    """Reads the tokens of one stream."""

    call: Call[Any]
    finished: bool = False
    done: bool = False
    _begun: bool = False
    _details: Mapping[str, Any] = {}

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*."""
        for event, data in frames:
            if data[:6] == b"[DONE]":
                self.done = True
                return
            if not data:
                continue
            piece = _PIECE.decode(data)
            if piece.error or event == b"error":
                raise self._error(data)
            if not self._begun:
                self._begun = True
                out.append(StreamStart(model=self.call.request.model))
            if piece.token is not None and piece.token.text and not piece.token.special:
                out.append(TextDelta(piece.token.text))
            if piece.generated_text is not None:
                self.finished = self.done = True
                self._details = piece.details or {}
                return

    def _error(self, data: bytes) -> LLMError:
        return event_error(msgspec.json.decode(data), self.call.provider.error_codes)

    def close(self, out: list[Any]) -> None:
        """Append the end, with what was counted."""
        told = self._details
        counts = (told.get("input_length"), told.get("generated_tokens"))
        counted = usage({}, input_tokens=counts[0], output_tokens=counts[1])
        out.append(_finish(self.call, told, 0, counted))


COMPLETION: Exchange[Any, Any] = Exchange(build=build, parse=parse, stream=TokenParser)
