"""Chat as version 1 of the API has it, for old models: a message, and a history before it.

Source: https://docs.cohere.com/v1/reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from jackfield import (
    ChatRequest,
    ChatResponse,
    MediaPart,
    Message,
    ResponseFormatError,
    Role,
    Tool,
    ToolCall,
    ToolResult,
    fold,
)
from jackfield.exchange import Call, Exchange, decode, json_request
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import NDJSON

from ..chat import merge
from ..media import Json, refuse, render_document
from .lines import line_parser, refuse_event
from .shapes import ANSWER, PLAIN

ROLES = {Role.USER: "USER", Role.ASSISTANT: "CHATBOT", Role.SYSTEM: "SYSTEM", Role.TOOL: "TOOL"}
TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
}
"""What JSON Schema's types are called there."""


def build(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /v1/chat."""
    request = call.request
    if call.wire.pop("thinking", None) is not None:
        call.warn("unsupported", "reasoning_effort", "version 1 has none")
    documents: list[Json] = []
    asked = {p.id: p for m in request.messages for p in m.content if isinstance(p, ToolCall)}
    turns = [_turn(call, message, asked, documents) for message in request.messages]
    # The last words of the user, or the last results, stand beside the history.
    last: Json = {"message": ""}
    if turns and turns[-1]["role"] in ("USER", "TOOL"):
        last |= {k: v for k, v in turns.pop().items() if k != "role"}
    body: Json = {"model": request.model, **call.wire, **last}
    if turns:
        body["chat_history"] = turns
    if documents:
        body["documents"] = documents
    _add_tools(call, body)
    wanted = request.response_format
    if wanted is not None and wanted.type != "text":
        about = {"description": wanted.description} if wanted.description else {}
        schema = {} if wanted.schema is None else {"schema": {**about, **wanted.schema}}
        body["response_format"] = {"type": "json_object", **schema}
    if call.stream:
        body["stream"] = True
    return json_request("/v1/chat", merge(body, call.options))


def _turn(
    call: Call[Any], message: Message, asked: Mapping[str, ToolCall], documents: list[Json]
) -> Json:
    """One turn of the history."""
    turn: Json = {"role": ROLES[message.role]}
    results = [p for p in message.content if isinstance(p, ToolResult)]
    if results:
        turn["tool_results"] = [_result(call, result, asked) for result in results]
    if message.text or not results:
        turn["message"] = message.text
    if message.tool_calls:
        turn["tool_calls"] = [_use(use) for use in message.tool_calls]
    for part in message.content:
        if isinstance(part, MediaPart):
            document = render_document(call, part)
            if document is None:
                refuse(call, part)
            else:
                mine = {k: v for k, v in document.items() if k == "id"}
                documents.append({**_texts(_fields(document)), **mine})
        elif type(part).__name__ not in ("TextPart", "ToolCall", "ToolResult"):
            call.warn("dropped", type(part).__name__, "version 1 has no form for it")
    return turn


def _fields(document: Mapping[str, Any]) -> Json:
    data = document.get("data")
    return dict(data) if isinstance(data, Mapping) else {"text": str(data)}


def _texts(fields: Mapping[str, Any]) -> Json:
    """*fields* as version 1 takes them: texts alone."""
    return {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in fields.items()
    }


def _use(use: ToolCall) -> Json:
    try:
        parameters = msgspec.json.decode(use.arguments or "{}")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        parameters = {"arguments": use.arguments}
    return {"name": use.name, "parameters": parameters if isinstance(parameters, dict) else {}}


def _result(call: Call[Any], result: ToolResult, asked: Mapping[str, ToolCall]) -> Json:
    """What a tool answered; an object goes as it is, anything else as a text."""
    if result.is_error:
        call.warn("dropped", "tool result", "the API has no mark for a failed tool")
    outputs = []
    for part in result.content:
        if isinstance(part, MediaPart):
            document = render_document(call, part)
            if document is None:
                refuse(call, part)
            else:
                outputs.append(_fields(document))
        else:
            outputs.append({"text": part.text})
    use = asked.get(result.tool_call_id) or ToolCall("", result.name or result.tool_call_id)
    return {"call": _use(use), "outputs": outputs}


def _add_tools(call: Call[ChatRequest], body: Json) -> None:
    request = call.request
    if request.tool_choice != "auto":
        call.warn("unsupported", "tool_choice", "version 1 leaves the choice to the model")
    if request.tools:
        body["tools"] = [_tool(call, tool) for tool in request.tools]


def _tool(call: Call[Any], tool: Tool) -> Json:
    """A tool whose parameters have a name, a type and a description, and nothing more."""
    if tool.strict:
        call.warn("unsupported", f"tool {tool.name}", "arguments are not held to the schema")
    properties = tool.parameters.get("properties")
    required: Sequence[Any] = tool.parameters.get("required") or ()
    defined: Json = {}
    for name, schema in (properties if isinstance(properties, Mapping) else {}).items():
        told = schema if isinstance(schema, Mapping) else {}
        kind = TYPES.get(str(told.get("type")), "str")
        about = {k: told[k] for k in ("description",) if k in told}
        defined[name] = {**about, "type": kind, "required": name in required}
        if told.keys() - {"type", "description", "title"}:
            call.warn("emulated", f"tool {tool.name}", f"of {name} only the type is told")
    wire: Json = {"name": tool.name, "description": tool.description}
    return {**wire, "parameter_definitions": defined} if defined else wire


def parse(call: Call[Any], response: HTTPResponse) -> ChatResponse:
    """A whole answer."""
    answer, told = decode(ANSWER, response.body), decode(PLAIN, response.body)
    refuse_event(told)
    if answer.text is None:
        raise ResponseFormatError("the answer has no text (at $.text)")
    parser, out = line_parser(call), list[Any]()
    parser.whole(answer, told, out)
    parser.close(out)
    return fold(out)


CHAT_V1 = Exchange(build=build, parse=parse, stream=line_parser, framing=NDJSON)
