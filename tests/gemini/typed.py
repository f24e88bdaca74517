"""Recorded requests as the typed requests that a user of ours would make."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from gemini.meaning import camel, lowered
from gemini.traffic import model, operation
from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    GenerationParams,
    MediaPart,
    Message,
    ModelListRequest,
    ProviderPart,
    ReasoningPart,
    Request,
    ResponseFormat,
    TextPart,
    TokenCountRequest,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.operations import (
    BatchCreateRequest,
    BatchInfoRequest,
    FileDeleteRequest,
    FileInfoRequest,
    FileListRequest,
    FileUploadRequest,
)
from support.recordings import Turn

COMMON = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "seed": "seed",
    "stopSequences": "stop",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}
CHOICES = {"ANY": "required", "NONE": "none", "AUTO": "auto"}
OWN = ("safetySettings", "cachedContent")
EMPTY = {"contents": [{"parts": [{"text": "not recorded"}]}]}


def typed(turn: Turn) -> Request[Any]:
    """The request of *turn*."""
    body, last = turn.body, turn.path.rpartition("/")[2]
    match operation(turn):
        case "chat":
            return chat(body if isinstance(body, dict) else EMPTY, model(turn))
        case "count":
            inner = camel(body).get("generateContentRequest") or body
            asked = chat(inner, model(turn))
            given = {k: v for k, v in camel(inner).items() if k == "generationConfig"}
            own = {"gemini": given} if given else {}
            return TokenCountRequest(
                model=asked.model, messages=asked.messages, tools=asked.tools, provider_options=own
            )
        case "embed":
            return embedding(camel(body), model(turn))
        case "upload":
            return FileUploadRequest(data=b"%PDF-1.7", name="a.pdf", media_type="application/pdf")
        case "batch":
            inner = camel(body)["batch"]["inputConfig"]["requests"]["requests"]
            return BatchCreateRequest(items=[chat(i["request"], model(turn)) for i in inner])
        case "batch info":
            return BatchInfoRequest(job_id=last)
        case "files":
            return FileListRequest()
        case "file":
            return FileInfoRequest(file_id=last)
        case "delete file":
            return FileDeleteRequest(file_id=last)
        case _:
            return ModelListRequest()


def embedding(body: dict[str, Any], name: str) -> EmbeddingRequest:
    """One text or several, all asked for alike."""
    asked = body.get("requests") or [body]
    first = asked[0]
    taken = ("model", "content", "taskType", "outputDimensionality")
    return EmbeddingRequest(
        model=name,
        inputs=["".join(p["text"] for p in a["content"]["parts"]) for a in asked],
        dimensions=first.get("outputDimensionality"),
        input_type=first.get("taskType"),
        provider_options={"gemini": {k: v for k, v in first.items() if k not in taken}},
    )


def chat(recorded: dict[str, Any], name: str) -> ChatRequest:
    """A conversation; what has no common name is the caller's own field."""
    body = camel(recorded)
    config = dict(body.get("generationConfig") or {})
    params = {COMMON[k]: v for k, v in config.items() if k in COMMON}
    if params.get("max_tokens") is not None:
        params["max_tokens"] = int(params["max_tokens"])  # the service takes "50", too
    params["stop"] = tuple(params["stop"]) if params.get("stop") else None
    wanted, form = config.get("responseMimeType"), None
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    if wanted == "application/json":
        kind: Any = "json_schema" if schema else "json"
        form = ResponseFormat(type=kind, schema=schema and lowered(schema))
    taken = {*COMMON, "responseMimeType", "responseJsonSchema", "responseSchema"}
    rest = {k: v for k, v in config.items() if k not in taken}
    tooling = dict(body.get("toolConfig") or {})
    calling = tooling.pop("functionCallingConfig", None) or {}
    own = {k: v for k, v in body.items() if k in OWN and v is not None}
    own |= {"generationConfig": rest} if rest else {}
    own |= {"toolConfig": tooling} if tooling else {}
    names = calling.get("allowedFunctionNames")
    return ChatRequest(
        model=name,
        messages=[*_system(body.get("systemInstruction")), *map(_message, body["contents"])],
        tools=[t for tool in body.get("tools") or () for t in _tools(tool)],
        tool_choice=names[0] if names else CHOICES[calling.get("mode", "AUTO")],
        response_format=form,
        params=GenerationParams(**params),
        provider_options={"gemini": own} if own else {},
    )


def _system(content: Any) -> list[Message]:
    parts = (content or {}).get("parts") or []
    texts = [p.get("text") for p in (parts if isinstance(parts, list) else [parts])]
    return [Message("system", [TextPart(t) for t in texts])] if any(texts) else []


def _message(content: dict[str, Any]) -> Message:
    results = any("functionResponse" in p for p in content["parts"])
    role = "assistant" if content.get("role") == "model" else "tool" if results else "user"
    return Message(role, [_part(p) for p in content["parts"]])


def _part(part: dict[str, Any]) -> Any:
    kinds = ("text", "functionCall", "functionResponse", "inlineData", "fileData")
    kind = next((k for k in kinds if k in part), None)
    about = {k: v for k, v in part.items() if k != kind}
    own = {"gemini": about} if about else {}
    wire: Any = part.get(kind) if kind else None
    match kind:
        case "text" if part.get("thought"):
            return ReasoningPart(wire, provider_metadata=own)
        case "text":
            return TextPart(wire, provider_metadata=own)
        case "functionCall":
            arguments = json.dumps(wire.get("args") or {})
            return ToolCall(wire.get("id", ""), wire["name"], arguments, provider_metadata=own)
        case "functionResponse":
            said = MediaPart("application/json", json.dumps(wire["response"]).encode())
            media = [_part(p) for p in wire.get("parts") or ()]
            content = [TextPart(json.dumps(wire["response"])), *media] if media else [said]
            return ToolResult(wire.get("id", ""), content, name=wire["name"], provider_metadata=own)
        case "inlineData":
            data = b64decode(wire["data"] + "=" * (-len(wire["data"]) % 4))
            return MediaPart(wire["mimeType"], data, provider_metadata=own)
        case "fileData":
            return MediaPart(
                wire.get("mimeType", "*/*"), url=wire["fileUri"], provider_metadata=own
            )
    return ProviderPart("gemini", part)


def _tools(tool: dict[str, Any]) -> list[Tool]:
    found = [_function(f) for f in tool.get("functionDeclarations") or ()]
    rest = {k: v for k, v in tool.items() if k != "functionDeclarations"}
    served = [Tool("served", provider_metadata={"gemini": rest})] if rest else []
    return [*found, *served]


def _function(wire: dict[str, Any]) -> Tool:
    schema = wire.get("parametersJsonSchema") or lowered(wire.get("parameters"))
    named = ("name", "description", "parameters", "parametersJsonSchema")
    own = {k: v for k, v in wire.items() if k not in named}
    given = {"parameters": schema} if schema else {}
    about = {"gemini": own} if own else {}
    return Tool(wire["name"], wire.get("description", ""), provider_metadata=about, **given)
