"""The body of a chat request: messages, tools, thinking, the answer's format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jackfield import ChatRequest
from jackfield.exchange import Call, json_request
from jackfield.flow import HTTPRequest

from . import facts
from .config import fields, needed, with_headers
from .facts import EFFORTS, FORMATS, MIN_BUDGET, SAMPLING, THINKING, Ranges, fact
from .render import Json, render_conversation
from .schema import fit
from .tools import add_answer_tool, render_choice, render_tools


def build_chat(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /v1/messages. https://docs.claude.com/en/api/messages."""
    return post(call, "/v1/messages", render_body(call))


def post(call: Call[Any], path: str, body: Json) -> HTTPRequest:
    """A request with *body* and the caller's own fields."""
    whole = merge(body, fields(call))
    return with_headers(call, json_request(path, whole), *needed(whole))


def merge(body: Mapping[str, Any], options: Mapping[str, Any]) -> Json:
    """*body* with the caller's own fields: objects are merged, unless they say their type."""
    merged = dict(body)
    for key, value in options.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = merge(merged[key], value) if both and "type" not in value else value
    return merged


def render_body(call: Call[ChatRequest]) -> Json:
    """The whole body, but for the caller's own fields."""
    request = call.request
    single = call.wire.pop("tool_choice", {})
    call.wire.pop("output_config", None)
    body = {"model": request.model, **call.wire, **render_conversation(call, request.messages)}
    if fact(SAMPLING, request.model) == "fixed":
        _fit_sampling(call, body, facts.FIXED_ALLOWS, "this model does not take it")
    tools = render_tools(call, request.tools)
    choice = _apply_format(call, body, tools)
    if tools or call.options.get("tools"):
        body["tools"] = tools
        if (chosen := render_choice(choice, single)) != {"type": "auto"}:
            body["tool_choice"] = chosen
    elif choice not in ("auto", "none"):
        call.warn("dropped", "tool_choice", "there are no tools")
    if request.params.reasoning_effort is not None:
        _apply_effort(call, body, request.params.reasoning_effort)
    if call.stream:
        body["stream"] = True
    return body


def _apply_format(call: Call[ChatRequest], body: Json, tools: list[Json]) -> str:
    """Ask for the format by a schema, or for want of that by a tool; the choice of tools then."""
    wanted, choice = call.request.response_format, call.request.tool_choice
    if wanted is None or wanted.type == "text":
        return choice
    if wanted.schema is None or fact(FORMATS, call.request.model) == "tool":
        return add_answer_tool(call, wanted, tools, choice)
    schema = wanted.schema if wanted.strict else fit(call, wanted.schema)
    about = {"description": wanted.description} if wanted.description else {}
    body["output_config"] = {"format": {"type": "json_schema", "schema": {**about, **schema}}}
    return choice


def _apply_effort(call: Call[ChatRequest], body: Json, word: str) -> None:
    """Let the model think: with an effort word, or within a budget below ``max_tokens``."""
    if word == "none":
        body["thinking"] = {"type": "disabled"}
        return
    limit = call.request.params.max_tokens
    adaptive = fact(THINKING, call.request.model) == "adaptive"
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        call.warn("dropped", "reasoning_effort", "the API does not think when it must call a tool")
        return
    if limit is not None and limit <= MIN_BUDGET and not adaptive:
        call.warn("dropped", "reasoning_effort", f"max_tokens is not above {MIN_BUDGET}")
        return
    level, budget = EFFORTS[word]
    if limit is None:
        body["max_tokens"] += budget
    elif budget >= limit and not adaptive:
        budget = max(MIN_BUDGET, limit // 2)
        call.warn("clamped", "reasoning_effort", f"{budget} tokens, to fit into max_tokens")
    if adaptive and level != word:
        call.warn("clamped", "reasoning_effort", f"{word} became {level}")
    if adaptive:
        body["thinking"] = {"type": "adaptive"}
        body["output_config"] = {**body.get("output_config", {}), "effort": level}
    else:
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    _fit_sampling(call, body, facts.THINKING_ALLOWS, "the API does not take it while thinking")


def _fit_sampling(call: Call[Any], body: Json, allowed: Ranges, why: str) -> None:
    """Drop what of the sampling is out of the *allowed* ranges, aloud."""
    for name, (least, most) in allowed.items():
        if name in body and not least <= body[name] <= most:
            del body[name]
            call.warn("dropped", name, why)
