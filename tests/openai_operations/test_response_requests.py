"""For every recorded request of the Responses API that common values can say, we send that very request."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from jackfield import (
    ChatRequest,
    GenerationParams,
    LLMError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    ResponseFormat,
    Role,
    TextPart,
    TokenCountRequest,
    Tool,
    ToolCall,
    ToolResult,
)
from openai_operations.replaying import MARKS, plugin, replaying
from openai_operations.scope import failed, inside, operation
from support.recordings import Turn

pytestmark = MARKS

PARAMETERS = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
PARAMETERS["parallel_tool_calls"] = "parallel_tool_calls"
SHAPED = {"model", "input", "stream", "tools", "tool_choice", "text", "reasoning", *PARAMETERS}
ASKED = [
    t for t in inside("responses", "input tokens")
    if isinstance(t.body, dict) and isinstance(t.body.get("model"), str) and "input" in t.body
]  # fmt: skip


class Reader:
    """Reads a recorded body into canonical values; *name* is the provider's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.said: list[Any] = []
        self.messages: list[Message] = []

    def read(self, given: Any) -> list[Message]:
        for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
            self.item(item)
        self.flush()
        return self.messages

    def flush(self) -> None:
        if self.said:
            self.messages.append(Message(Role.ASSISTANT, tuple(self.said)))
            self.said = []

    def noted(self, item: Mapping[str, Any], *without: str) -> dict[str, Any]:
        return {self.name: {"item": {k: v for k, v in item.items() if k not in without}}}

    def item(self, item: Mapping[str, Any]) -> None:
        match item.get("type", "message"):
            case "message" if item["role"] == "assistant":
                self.said += self.spoken(item)
            case "message":
                self.flush()
                role = "user" if item["role"] == "user" else "system"
                self.messages.append(Message(role, tuple(self.pieces(item["content"]))))
            case "function_call":
                kept = self.noted(item, "call_id", "name", "arguments")
                call = ToolCall(
                    item["call_id"], item["name"], item["arguments"], provider_metadata=kept
                )
                self.said.append(call)
            case "function_call_output":
                self.flush()
                output = tuple(self.pieces(item["output"]))
                self.messages.append(Message(Role.TOOL, ToolResult(item["call_id"], output)))
            case "reasoning":
                self.said.append(ReasoningPart("", provider_metadata=self.noted(item)))
            case _:
                self.said.append(ProviderPart(self.name, item))

    def spoken(self, item: Mapping[str, Any]) -> Iterator[TextPart]:
        content = item["content"]
        known = self.noted({k: v for k, v in item.items() if k in ("id", "status", "phase")})
        for piece in [{"text": content}] if isinstance(content, str) else content:
            about = {**known[self.name], "annotations": piece.get("annotations") or []}
            yield TextPart(piece["text"], provider_metadata={self.name: about})

    def pieces(self, content: Any) -> Iterator[Any]:
        for piece in (
            [{"type": "input_text", "text": content}] if isinstance(content, str) else content
        ):
            match piece["type"]:
                case "input_text":
                    yield TextPart(piece["text"])
                case "input_image" if piece.get("image_url"):
                    kept = {self.name: {"detail": piece.get("detail") or "auto"}}
                    yield media("image/*", piece["image_url"], kept)
                case "input_file" if piece.get("file_data", "").startswith("data:"):
                    yield media("application/*", piece["file_data"], {}, piece.get("filename"))
                case _:
                    yield ProviderPart(self.name, piece)


def media(kind: str, url: str, kept: Any, name: str | None = None) -> MediaPart:
    """Inline media from a data URL, or media by URL."""
    if not url.startswith("data:"):
        return MediaPart(kind, url=url, name=name, provider_metadata=kept)
    head, _, data = url.partition(",")
    found = head.removeprefix("data:").partition(";")[0]
    return MediaPart(found, b64decode(data), name=name, provider_metadata=kept)


def request_of(turn: Turn) -> Any:
    """The typed request that should send the body of *turn*."""
    body, name = turn.body, plugin(turn)
    tools = [t for t in body.get("tools") or () if t["type"] == "function"]
    own: dict[str, Any] = {k: v for k, v in body.items() if k not in SHAPED}
    server = [t for t in body.get("tools") or () if t["type"] != "function"]
    own |= {"tools": server} if server else {}
    reasoning = dict(body.get("reasoning") or {})
    effort = reasoning.pop("effort", None)
    own |= {"reasoning": reasoning} if reasoning else {}
    choice = body.get("tool_choice") or "auto"
    if isinstance(choice, Mapping) and choice.get("type") != "function":
        own, choice = {**own, "tool_choice": choice}, "auto"
    text = dict(body.get("text") or {})
    shape = text.pop("format", None)
    if operation(turn) == "input tokens":
        own |= {k: body[k] for k in ("tool_choice", "text", "reasoning") if k in body}
    own |= {"text": text} if text else {}
    common: dict[str, Any] = {
        "model": body["model"],
        "messages": Reader(name).read(body["input"]),
        "tools": [_tool(t) for t in tools],
        "provider_options": {name: {**own, "api": "responses"}},
    }
    if operation(turn) == "input tokens":
        return TokenCountRequest(**common)
    given = {
        ours: body[theirs] for theirs, ours in PARAMETERS.items() if body.get(theirs) is not None
    }
    return ChatRequest(
        **common,
        params=GenerationParams(reasoning_effort=effort, **given),
        tool_choice=choice if isinstance(choice, str) else choice["name"],
        response_format=_format(shape),
    )


def _tool(wire: Mapping[str, Any]) -> Tool:
    shape = wire.get("parameters") or {"type": "object", "properties": {}}
    return Tool(wire["name"], wire.get("description") or "", shape, strict=wire.get("strict"))


def _format(wire: Mapping[str, Any] | None) -> ResponseFormat | None:
    if wire is None:
        return None
    if wire["type"] != "json_schema":
        return ResponseFormat(type="json" if wire["type"] == "json_object" else "text")
    return ResponseFormat(
        type="json_schema", schema=wire["schema"], name=wire["name"], strict=wire.get("strict")
    )


def meaning(body: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with one spelling for what has several."""
    plain = {k: v for k, v in body.items() if v is not None and not (k == "stream" and v is False)}
    given = plain["input"]
    plain["input"] = [
        _item(i)
        for i in ([{"role": "user", "content": given}] if isinstance(given, str) else given)
    ]
    tools = [_plain_tool(t) for t in plain.pop("tools", None) or ()]
    # The order of tools means nothing.
    plain["tools"] = sorted(tools, key=json.dumps)
    if plain.get("tool_choice") == "auto" or not tools:
        plain.pop("tool_choice", None)
    return plain


def _plain_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool["type"] != "function":
        return dict(tool)
    kept = {k: v for k, v in tool.items() if v not in (None, "")}
    return {"parameters": {"type": "object", "properties": {}}, "strict": False, **kept}


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in item.items() if v is not None}
    if "role" in plain:
        plain.pop("type", None)
        plain["role"] = {"developer": "system"}.get(plain["role"], plain["role"])
        content = plain["content"]
        if isinstance(content, str):
            kind = "output_text" if plain["role"] == "assistant" else "input_text"
            content = [{"type": kind, "text": content}]
        plain["content"] = [_piece(c) for c in content]
    if isinstance(plain.get("output"), list):
        plain["output"] = [_piece(c) for c in plain["output"]]
    return plain


def _piece(piece: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in piece.items() if v not in (None, []) and (k, v) != ("detail", "auto")}


@pytest.mark.parametrize("turn", ASKED, ids=str)
def test_the_body_means_what_the_recorded_one_means(turn: Turn) -> None:
    provider = replaying(plugin(turn), [])
    plan = provider.explain(request_of(turn))
    assert plan.url.endswith("/responses" if operation(turn) == "responses" else "/input_tokens")
    if plan.warnings:
        assert failed(turn), f"the service took what we leave out: {plan.warnings}"
        return
    body = {**plan.body, **({"stream": True} if turn.body.get("stream") else {})}
    assert meaning(body) == meaning(turn.body)


@pytest.mark.parametrize("turn", ASKED[::8], ids=str)
def test_plain_and_streamed_requests_differ_in_the_wish_for_a_stream_alone(turn: Turn) -> None:
    request = request_of(turn)
    if isinstance(request, ChatRequest):
        plain, streamed = (sent(turn, request, stream=wish) for wish in (False, True))
        assert streamed == {**plain, "stream": True}


def sent(turn: Turn, request: ChatRequest, *, stream: bool) -> Any:
    """The body that *request* is sent as."""
    provider = replaying(plugin(turn), [turn.recorded()])
    transport: Any = provider._driver._transport
    with suppress(LLMError):  # the answer may be one of the other kind
        provider.stream(request).drain() if stream else provider.run(request)
    return json.loads(transport.requests[0].body)
