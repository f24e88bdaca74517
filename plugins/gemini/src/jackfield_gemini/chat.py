"""The body of a chat request: contents, tools, thinking, the answer's format."""

from __future__ import annotations

from typing import Any

from jackfield import ChatRequest
from jackfield.exchange import Call, json_request
from jackfield.flow import HTTPRequest
from jackfield.params import EFFORTS as WORDS

from .config import merge, path
from .facts import EFFORTS, THINKING, fact
from .render import Json, render_conversation
from .tools import render_choice, render_tools


def build_chat(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /models/NAME:generateContent, or its stream. https://ai.google.dev/api/generate-content."""
    verb = ":streamGenerateContent?alt=sse" if call.stream else ":generateContent"
    return json_request(path(call.request.model, verb=verb), render_body(call))


def render_body(call: Call[ChatRequest]) -> Json:
    """The whole body, the caller's own fields included."""
    request = call.request
    body = render_prompt(call)
    if (config := render_choice(call, request.tools, request.tool_choice)) is not None:
        body["toolConfig"] = config
    generation = dict(call.wire.get("generationConfig", {}))
    word = generation.pop("thinkingConfig", None)
    if word is not None and (thinking := _thinking(call, word)):
        generation["thinkingConfig"] = thinking
    generation.update(_format(call))
    if generation:
        body["generationConfig"] = generation
    return merge(body, call.options)


def render_prompt(call: Call[Any]) -> Json:
    """What the model reads: messages and tools."""
    body = render_conversation(call, call.request.messages)
    if tools := render_tools(call, call.request.tools):
        body["tools"] = tools
    return body


def _format(call: Call[ChatRequest]) -> Json:
    wanted = call.request.response_format
    if wanted is None or wanted.type == "text":
        return {}
    about = {"description": wanted.description} if wanted.description else {}
    schema = {} if wanted.schema is None else {"responseJsonSchema": {**about, **wanted.schema}}
    return {"responseMimeType": "application/json", **schema}


def _thinking(call: Call[Any], word: str) -> Json | None:
    """How much the model is to think, the nearest that it takes; thoughts are asked for, too."""
    name, levels = EFFORTS[fact(THINKING, call.request.model)]
    if not levels:
        if word != "none":
            call.warn("unsupported", "reasoning_effort", "this model does not think")
        return None
    at = WORDS.index(word)
    near = min(levels, key=lambda w: (abs(WORDS.index(w) - at), WORDS.index(w)))
    if near != word:
        call.warn("clamped", "reasoning_effort", f"{word} became {near}")
    return {name: levels[near]} if near == "none" else {name: levels[near], "includeThoughts": True}
