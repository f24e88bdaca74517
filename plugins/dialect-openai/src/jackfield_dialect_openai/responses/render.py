"""From canonical values to the input items and fields of a response's request."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from jackfield import (
    ChatRequest,
    MediaPart,
    Message,
    Param,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    Role,
    TextPart,
    TokenCount,
    TokenCountRequest,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.exchange import Call, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.params import GenerationParams, ParamTable, normalize

from ..operations.reading import read
from ..render import data_url, file_id, merge, notes

Item = dict[str, Any]

RESPONSES_PARAMS: ParamTable = {
    "max_tokens": Param("max_output_tokens", ge=16),
    "temperature": Param("temperature", ge=0, le=2),
    "top_p": Param("top_p", ge=0, le=1),
    "reasoning_effort": Param("reasoning.effort"),
    "parallel_tool_calls": Param("parallel_tool_calls"),
}
"""The common parameters that this API takes."""


class _Writer:
    """Writes the input items of one conversation."""

    def __init__(self, call: Call[Any]) -> None:
        self.call = call
        self.name = call.provider.info.name
        self.items: list[Item] = []
        self.custom: set[str] = set()

    def own(self, part: Any) -> Mapping[str, Any]:
        """What this provider noted on *part*."""
        found: Mapping[str, Any] = part.provider_metadata.get(self.name, {})
        return found

    def message(self, message: Message) -> None:
        """Append the items of *message*."""
        if message.role is Role.ASSISTANT:
            for part in message.content:
                self.said(part)
            return
        content: list[Item] = []
        for part in message.content:
            if isinstance(part, ToolResult):
                self.result(part)
            elif piece := self.content(part):
                content.append(piece)
        if content or not message.content:
            role = "user" if message.role is Role.TOOL else message.role.value
            self.items.append({"role": role, "content": _short(content)})

    def content(self, part: Any) -> Item:
        """A piece of what the model is given; empty if there is no form for *part*."""
        if isinstance(part, MediaPart) and (kept := file_id(self.call, part)) is not None:
            kind = "input_image" if part.media_type.startswith("image/") else "input_file"
            return {"type": kind, "file_id": kept} if kept else {}
        match part:
            case TextPart(text):
                return {"type": "input_text", "text": text}
            case MediaPart(kind) if kind.startswith("image/"):
                detail = notes(self.call, part).get("detail", "auto")
                return {"type": "input_image", "image_url": data_url(part), "detail": detail}
            case MediaPart(kind, data) if not kind.startswith(("audio/", "video/")):
                if data is None:
                    return {"type": "input_file", "file_url": part.url}
                name = part.name or "document." + kind.rpartition("/")[2]
                return {"type": "input_file", "filename": name, "file_data": data_url(part)}
            case ProviderPart(provider, data) if provider == self.name:
                return dict(data)
        what = part.media_type if isinstance(part, MediaPart) else type(part).__name__
        self.call.warn("dropped", what, "the Responses API has no form for it")
        return {}

    def said(self, part: Any) -> None:
        """Append what the model said itself: to the message before, or as an item."""
        item = dict(self.own(part).get("item", {})) if hasattr(part, "provider_metadata") else {}
        match part:
            case TextPart(text):
                notes = list(self.own(part).get("annotations", ()))
                self.add_text({"type": "output_text", "text": text, "annotations": notes}, item)
            case RefusalPart(text):
                self.add_text({"type": "refusal", "refusal": text}, item)
            case ToolCall(id, name, arguments):
                self.called(item, id, name, arguments)
            case ReasoningPart() if item:
                self.items.append(item)
            case ReasoningPart():
                self.call.warn("dropped", "reasoning", "it is not this provider's own")
            case MediaPart(kind, data) if item and data is not None and kind.startswith("image/"):
                self.items.append({**item, "result": b64encode(data).decode()})
            case ProviderPart(provider, data) if provider == self.name:
                self.items.append(dict(data))
            case _:
                what = part.media_type if isinstance(part, MediaPart) else type(part).__name__
                self.call.warn("dropped", what, "the model cannot have said it in this API")

    def add_text(self, piece: Item, item: Item) -> None:
        """Append *piece* to the message that it is part of; *item* is what is known of that.

        A message that this service did not make has no id, and may only be plain text.
        """
        last = self.items[-1] if self.items and self.items[-1].get("role") == "assistant" else {}
        if item.get("id"):
            if last.get("id") == item["id"]:
                last["content"].append(piece)
            else:
                about = {"type": "message", "role": "assistant", "status": "completed"}
                self.items.append({**about, **item, "content": [piece]})
        elif piece["type"] == "refusal" and last.get("id"):
            last["content"].append(piece)
        else:
            text = piece.get("text", piece.get("refusal"))
            if last and "id" not in last:
                last["content"] += text
            else:
                self.items.append({"role": "assistant", "content": text})

    def called(self, item: Item, call_id: str, name: str, arguments: str) -> None:
        """Append a call of a tool."""
        if item.get("type") == "custom_tool_call":
            self.custom.add(call_id)
            self.items.append({**item, "call_id": call_id, "name": name, "input": arguments})
            return
        plain = {"type": "function_call", **item}
        self.items.append({**plain, "call_id": call_id, "name": name, "arguments": arguments})

    def result(self, result: ToolResult) -> None:
        """Append what a tool answered."""
        if result.is_error:
            self.call.warn("dropped", "tool result", "the API has no mark for a failed tool")
        kind = "custom_tool_call_output" if result.tool_call_id in self.custom else ""
        output: Any = result.text
        if any(not isinstance(p, TextPart) for p in result.content):
            output = [piece for p in result.content if (piece := self.content(p))]
        self.items.append(
            {
                "type": kind or "function_call_output",
                "call_id": result.tool_call_id,
                "output": output,
            }
        )


def _short(content: list[Item]) -> Any:
    """*content* as plain text where it is one text and nothing more."""
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        return content[0]["text"]
    return content


def render_input(call: Call[Any], messages: Iterable[Message]) -> list[Item]:
    """The input items of *messages*."""
    writer = _Writer(call)
    for message in messages:
        writer.message(message)
    return writer.items


def render_tools(tools: Iterable[Tool]) -> list[Item]:
    """The API's function tools; unlike chat's they are strict unless told otherwise."""
    return [
        {
            "type": "function",
            "name": tool.name,
            **({"description": tool.description} if tool.description else {}),
            "parameters": tool.parameters,
            "strict": bool(tool.strict),
        }
        for tool in tools
    ]


def _format(wanted: ResponseFormat) -> Item:
    if wanted.type != "json_schema":
        return {"type": "json_object" if wanted.type == "json" else "text"}
    plain = {"type": "json_schema", "name": wanted.name, "schema": wanted.schema or {}}
    if wanted.description:
        plain["description"] = wanted.description
    return plain if wanted.strict is None else {**plain, "strict": wanted.strict}


def _shared(call: Call[Any]) -> dict[str, Any]:
    """Model, input and tools: what a request and the count of its tokens have alike."""
    request = call.request
    body: dict[str, Any] = {
        "model": request.model,
        "input": render_input(call, request.messages),
    }
    own = call.options.get("tools")
    tools = [*render_tools(request.tools), *(own if isinstance(own, list) else ())]
    return {**body, "tools": tools} if tools else body


def _merged(body: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with the caller's own fields; tools are there already."""
    return merge(body, {k: v for k, v in options.items() if k != "tools" or k not in body})


def build_response(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /responses."""
    request = call.request
    wire, warnings = normalize(RESPONSES_PARAMS, request.params)
    call.warnings[:] = warnings
    body = {**_shared(call), **wire}
    if "tools" in body:
        if request.tool_choice in ("none", "required"):
            body["tool_choice"] = request.tool_choice
        elif request.tool_choice != "auto":
            body["tool_choice"] = {"type": "function", "name": request.tool_choice}
    else:
        body.pop("parallel_tool_calls", None)
        if request.tool_choice not in ("auto", "none"):
            call.warn("dropped", "tool_choice", "there are no tools to choose from")
    if request.response_format is not None:
        body["text"] = {"format": _format(request.response_format)}
    if call.stream:
        body["stream"] = True
    return json_request("/responses", _merged(body, call.options))


class _Counted(Struct):
    input_tokens: int


_COUNTED = msgspec.json.Decoder(_Counted)


def build_count(call: Call[TokenCountRequest]) -> HTTPRequest:
    """POST /responses/input_tokens."""
    call.warnings[:] = normalize(RESPONSES_PARAMS, GenerationParams())[1]
    return json_request("/responses/input_tokens", _merged(_shared(call), call.options))


def parse_count(call: Call[TokenCountRequest], response: HTTPResponse) -> TokenCount:
    """The count of the service itself."""
    return TokenCount(input_tokens=read(call, _COUNTED, response).input_tokens)
