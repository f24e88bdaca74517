"""The body of a chat request: messages, tools, thinking, the answer's format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from jackfield import ChatRequest
from jackfield.exchange import Call, json_request
from jackfield.flow import HTTPRequest

from .facts import EFFORTS, FORMATS, MIN_BUDGET, THINKING, THINKING_ALLOWS, fact
from .render import Json, render_conversation, render_tools
from .schema import fit

_CHOICES = {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}


def build_chat(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /v1/messages. https://docs.claude.com/en/api/messages."""
    return post(call, "/v1/messages", render_body(call))


def post(call: Call[Any], path: str, body: Json) -> HTTPRequest:
    """A request with *body* and the caller's own fields; ``betas`` among them become a header."""
    betas = [*call.config.betas, *call.options.get("betas", ())]
    headers = {"anthropic-version": call.config.version}
    if betas:
        headers["anthropic-beta"] = ",".join(dict.fromkeys(betas))
    options = {key: value for key, value in call.options.items() if key != "betas"}
    built = json_request(path, merge(body, options))
    return evolve(built, headers={**built.headers, **headers})


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
    effort, single = call.wire.pop("output_config", None), call.wire.pop("tool_choice", {})
    body = {"model": request.model, **call.wire, **render_conversation(call, request.messages)}
    tools = render_tools(call, request.tools)
    choice = _CHOICES.get(request.tool_choice) or {"type": "tool", "name": request.tool_choice}
    if request.response_format is not None and request.response_format.type != "text":
        choice = _apply_format(call, body, tools, choice)
    if tools or call.options.get("tools"):
        body["tools"] = tools
        choice = choice if choice["type"] == "none" else {**choice, **single}
        if choice != {"type": "auto"}:
            body["tool_choice"] = choice
    elif request.tool_choice not in ("auto", "none"):
        call.warn("dropped", "tool_choice", "there are no tools")
    if effort is not None:
        _apply_effort(call, body, effort["effort"])
    if call.stream:
        body["stream"] = True
    return body


def _apply_format(call: Call[ChatRequest], body: Json, tools: list[Json], choice: Json) -> Json:
    """Ask for the format by a schema, or for want of that by a tool; the choice of tools then."""
    wanted = call.request.response_format
    assert wanted is not None
    schema = wanted.schema or {"type": "object"}
    if wanted.schema is not None and fact(FORMATS, call.request.model) == "schema":
        if not wanted.strict:
            schema = fit(call, wanted.schema)
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return choice
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", wanted.name)[:64] or "answer"
    while name in (tool["name"] for tool in tools):
        name += "_"
    call.memo["answer_tool"] = name
    call.warn("emulated", "response_format", "by a tool that the model has to call")
    alone = not tools or choice["type"] == "none"
    told = "Call this with your answer."
    tools.append({"name": name, "description": told, "input_schema": {"type": "object", **schema}})
    if choice["type"] == "tool":
        return choice
    return {"type": "tool", "name": name} if alone else {"type": "any"}


def _apply_effort(call: Call[ChatRequest], body: Json, word: str) -> None:
    """Let the model think: with an effort word, or with a budget below ``max_tokens``."""
    if word == "none":
        body["thinking"] = {"type": "disabled"}
        return
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        call.warn("dropped", "reasoning_effort", "the API does not think when it must call a tool")
        return
    level, budget = EFFORTS[word]
    limit = call.request.params.max_tokens
    if limit is None:
        body["max_tokens"] += budget
    if fact(THINKING, call.request.model) == "adaptive":
        if level != word:
            call.warn("clamped", "reasoning_effort", f"{word} became {level}")
        body["thinking"] = {"type": "adaptive"}
        body["output_config"] = {**body.get("output_config", {}), "effort": level}
    elif limit is not None and limit <= MIN_BUDGET:
        call.warn("dropped", "reasoning_effort", f"max_tokens is not above {MIN_BUDGET}")
        return
    else:
        if limit is not None and budget >= limit:
            budget = max(MIN_BUDGET, limit // 2)
            call.warn("clamped", "reasoning_effort", f"{budget} tokens, to fit into max_tokens")
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    for name, (least, most) in THINKING_ALLOWS.items():
        if name in body and not least <= body[name] <= most:
            del body[name]
            call.warn("dropped", name, "the API does not take it while thinking")
