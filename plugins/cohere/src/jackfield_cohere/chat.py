"""The body of a chat request: messages, documents, tools, the answer's format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jackfield import ChatRequest, ResponseFormat, Tool
from jackfield.exchange import Call, json_request
from jackfield.flow import HTTPRequest

from .media import Json
from .render import render_conversation


def build_chat(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /v2/chat. https://docs.cohere.com/reference/chat."""
    return json_request("/v2/chat", render_body(call))


def merge(body: Mapping[str, Any], options: Mapping[str, Any]) -> Json:
    """*body* with the caller's own fields: objects are merged, and documents are added."""
    merged = dict(body)
    for key, value in options.items():
        before = merged.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(before, value)
        elif key == "documents" and before:
            merged[key] = [*before, *value]
        else:
            merged[key] = value
    return merged


def render_body(call: Call[ChatRequest]) -> Json:
    """The whole body."""
    request = call.request
    said = render_conversation(call, request.messages)
    body: Json = {"model": request.model, "messages": said.messages, **call.wire}
    if said.documents:
        body["documents"] = said.documents
    _add_tools(call, body)
    if request.response_format is not None:
        body["response_format"] = render_format(request.response_format)
    if call.stream:
        body["stream"] = True
    return merge(body, call.options)


def _add_tools(call: Call[ChatRequest], body: Json) -> None:
    """The tools and the choice among them; the API cannot be told one by name."""
    tools, choice = call.request.tools, call.request.tool_choice
    if choice not in ("auto", "none", "required"):
        tools = tuple(tool for tool in tools if tool.name == choice)
        if tools:
            call.warn("emulated", "tool_choice", f"only {choice} is offered, and a call required")
    if tools:
        body["tools"] = render_tools(tools)
        if _strict(call, tools):
            body["strict_tools"] = True
    if not (tools or call.options.get("tools")):
        if choice not in ("auto", "none"):
            call.warn("dropped", "tool_choice", "there are no tools to choose from")
    elif choice != "auto":
        body["tool_choice"] = "NONE" if choice == "none" else "REQUIRED"


def _strict(call: Call[Any], tools: Iterable[Tool]) -> bool:
    """Whether the schemas bind; they do for all tools or for none."""
    wanted = {tool.strict for tool in tools}
    if True in wanted and len(wanted) > 1:
        call.warn("emulated", "strict", "it holds for all tools of the call")
    return True in wanted


def render_tools(tools: Iterable[Tool]) -> list[Json]:
    """The API's function tools."""
    return [{"type": "function", "function": _function(tool)} for tool in tools]


def _function(tool: Tool) -> Json:
    about = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **about, "parameters": {"type": "object", **tool.parameters}}


def render_format(wanted: ResponseFormat) -> Json:
    """The ``response_format``: a schema is a kind of JSON there."""
    if wanted.type == "text":
        return {"type": "text"}
    about = {"description": wanted.description} if wanted.description else {}
    schema = {} if wanted.schema is None else {"json_schema": {**about, **wanted.schema}}
    return {"type": "json_object", **schema}
