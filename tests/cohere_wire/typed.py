"""Recorded requests of Cohere in typed words: what a caller of ours would have said."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from email import message_from_string, policy
from typing import Any

from attrs import evolve

from cohere_wire.traffic import operation
from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    GenerationParams,
    MediaPart,
    Message,
    ModelInfoRequest,
    ModelListRequest,
    ProviderPart,
    ReasoningPart,
    Request,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.operations import (
    CompletionRequest,
    DetokenizeRequest,
    RerankRequest,
    TokenizeRequest,
    TranscriptionRequest,
)
from support.recordings import Turn

Json = dict[str, Any]
PARAMS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "p": "top_p",
    "k": "top_k",
    "seed": "seed",
    "stop_sequences": "stop",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
CHOICES = {"REQUIRED": "required", "NONE": "none"}
ANY = ChatRequest(model="a-model", messages=[Message("user", "Hi")])


def typed(turn: Turn) -> Request[Any]:
    """The request of *turn*; any of its kind where none was recorded."""
    body = turn.body
    if operation(turn) == "compatible chat":
        return ANY
    if body is None and turn.request["method"] == "POST":
        return unrecorded(turn)
    match operation(turn):
        case "chat":
            return chat(body)
        case "chat v1":
            return first_version(body)
        case "embed":
            return embedding(turn)
        case "rerank":
            return rerank(turn)
        case "generate":
            own, params = _split(body, "model", "prompt")
            fields = {"model": body.get("model") or "", "prompt": body["prompt"], "params": params}
            return CompletionRequest(**fields, provider_options=own)
        case "tokenize":
            return TokenizeRequest(model=body.get("model") or "", text=body["text"])
        case "detokenize":
            return DetokenizeRequest(model=body["model"], ids=body["tokens"])
        case "transcription":
            return transcription(body)
        case "model":
            return ModelInfoRequest(model=turn.path.rpartition("/")[2])
        case "models":
            return ModelListRequest()
    raise AssertionError(f"{turn} is of no operation")


def unrecorded(turn: Turn) -> Request[Any]:
    """A request to which the answer of *turn* can be one, where none was recorded."""
    answer = json.loads(turn.payload) if turn.status < 300 and not turn.streamed else {}
    match operation(turn):
        case "chat v1":
            return evolve(ANY, provider_options={"cohere": {"api": "v1"}})
        case "embed":
            forms = answer.get("embeddings") or [[]]
            vectors = forms if isinstance(forms, list) else next(iter(forms.values()))
            return EmbeddingRequest(model="a-model", inputs=["x"] * len(vectors))
        case "rerank":
            count = 1 + max((r["index"] for r in answer.get("results", ())), default=0)
            return RerankRequest(model="a-model", query="x", documents=["x"] * count)
        case "generate":
            return CompletionRequest(model="a-model", prompt="x")
        case "tokenize":
            return TokenizeRequest(model="a-model", text="x")
        case "detokenize":
            return DetokenizeRequest(model="a-model", ids=[1])
        case "transcription":
            sound = MediaPart("audio/wav", b"RIFF")
            return TranscriptionRequest(model="a-model", audio=sound, language="en")
    return ANY


def _split(body: Json, *taken: str, api: str | None = None) -> tuple[Json, GenerationParams]:
    """The fields of *body* without a common name, as options; and the common parameters."""
    said = {k: v for k, v in body.items() if v is not None and k not in (*taken, "stream")}
    named = {PARAMS[k]: v for k, v in said.items() if k in PARAMS}
    if "stop" in named:
        named["stop"] = tuple(named["stop"]) or None
    own = {k: v for k, v in said.items() if k not in PARAMS}
    options = {**own, "api": api} if api else own
    return ({"cohere": options} if options else {}), GenerationParams(**named)


def chat(body: Json) -> ChatRequest:
    """A chat of version 2."""
    taken = ("model", "messages", "tools", "tool_choice", "response_format")
    own, params = _split(body, *taken)
    shape = body.get("response_format")
    if shape is not None and set(shape) - {"type", "json_schema"}:
        own.setdefault("cohere", {})["response_format"] = shape
        shape = None
    return ChatRequest(
        model=body.get("model") or "",
        messages=[_message(m) for m in body["messages"]],
        tools=[_tool(t["function"]) for t in body.get("tools") or ()],
        tool_choice=CHOICES.get(body.get("tool_choice") or "", "auto"),
        response_format=None if shape is None else _format(shape),
        params=params,
        provider_options=own,
    )


def _format(shape: Json) -> ResponseFormat:
    if shape["type"] == "text":
        return ResponseFormat()
    schema = shape.get("json_schema")
    return ResponseFormat(type="json" if schema is None else "json_schema", schema=schema)


def _tool(function: Json) -> Tool:
    schema = function.get("parameters") or {}
    return Tool(function["name"], function.get("description") or "", schema)


def _message(wire: Json) -> Message:
    parts = [_part(b) for b in _blocks(wire.get("content"))]
    if wire["role"] == "tool":
        return Message("tool", ToolResult(wire["tool_call_id"], parts))
    calls = [
        ToolCall(c["id"], c["function"]["name"], c["function"]["arguments"])
        for c in wire.get("tool_calls") or ()
    ]
    plan = wire.get("tool_plan")
    own = {"cohere": {"type": "tool_plan"}}
    planned = [ReasoningPart(plan, provider_metadata=own)] if plan else []
    return Message(wire["role"], [*planned, *parts, *calls])


def _blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _part(block: Json) -> Any:
    match block:
        case {"type": "text"}:
            return TextPart(block["text"])
        case {"type": "thinking"}:
            return ReasoningPart(block["thinking"])
        case {"type": "image_url", "image_url": image}:
            detail = {k: v for k, v in image.items() if k == "detail"}
            own = {"cohere": detail} if detail else {}
            inline = re.fullmatch(r"data:([^;]+);base64,(.*)", image["url"], re.DOTALL)
            if inline is None:
                return MediaPart("image/*", url=image["url"], provider_metadata=own)
            return MediaPart(inline[1], b64decode(inline[2]), provider_metadata=own)
        case {"type": "document", "document": document}:
            if not isinstance(document.get("data"), dict):
                own = {"cohere": {"document": document}}
                return MediaPart("text/plain", b"as it is", provider_metadata=own)
            own = {"cohere": {"id": document["id"]}} if "id" in document else {}
            data = json.dumps(document["data"]).encode()
            return MediaPart("application/json", data, provider_metadata=own)
    return ProviderPart("cohere", block)


def first_version(body: Json) -> ChatRequest:
    """A chat of version 1; tools and their results stay as they are."""
    own, params = _split(body, "model", "message", "chat_history", api="v1")
    roles = {"USER": "user", "CHATBOT": "assistant", "SYSTEM": "system"}
    history = body.get("chat_history") or []
    if any(t["role"].upper() not in roles or t.keys() - {"role", "message"} for t in history):
        own["cohere"]["chat_history"], history = history, []
    messages = [Message(roles[t["role"].upper()], t["message"]) for t in history]
    messages.append(Message("user", body["message"]))
    model = body.get("model") or ""
    return ChatRequest(model=model, messages=messages, params=params, provider_options=own)


def embedding(turn: Turn) -> EmbeddingRequest:
    """Texts, and what is asked of them; images are the caller's own fields."""
    body, api = turn.body, turn.path.split("/")[1]
    taken = ("model", "texts", "output_dimension", "stream")
    own = {k: v for k, v in body.items() if v is not None and k not in taken}
    return EmbeddingRequest(
        model=body.get("model") or "",
        inputs=body.get("texts") or (),
        dimensions=body.get("output_dimension"),
        provider_options={"cohere": {**own, "api": api}},
    )


def rerank(turn: Turn) -> RerankRequest:
    """Documents, which version 1 takes as objects, too."""
    body, api = turn.body, turn.path.split("/")[1]
    given = body["documents"]
    texts = [d if isinstance(d, str) else d.get("text") or json.dumps(d) for d in given]
    taken = ("model", "query", "top_n", *(("documents",) if given == texts else ()))
    own = {k: v for k, v in body.items() if v is not None and k not in taken}
    return RerankRequest(
        model=body.get("model") or "",
        query=body["query"],
        documents=texts,
        top_n=body.get("top_n"),
        provider_options={"cohere": {**own, "api": api}},
    )


def form(text: str) -> dict[str, Any]:
    """The fields of a recorded form; of a file its name and media type."""
    boundary = text.partition("\r\n")[0].removeprefix("--")
    head = f'content-type: multipart/form-data; boundary="{boundary}"\r\n\r\n'
    parts: list[Any] = list(message_from_string(head + text, policy=policy.HTTP).iter_parts())
    return {
        p.get_param("name", header="content-disposition"): p.get_payload().removesuffix("\r\n")
        if p.get_filename() is None
        else (p.get_filename(), p.get_content_type())
        for p in parts
    }


def transcription(body: str) -> TranscriptionRequest:
    """A file and the language that is spoken."""
    fields = form(body)
    name, kind = fields["file"]
    warmth = fields.get("temperature")
    own = {k: v for k, v in fields.items() if k not in ("model", "file", "language", "temperature")}
    return TranscriptionRequest(
        model=fields["model"],
        audio=MediaPart(kind, b"RIFF", name=name),
        language=fields["language"],
        temperature=None if warmth is None else float(warmth),
        provider_options={"cohere": own} if own else {},
    )
