"""From a recorded body to the call that a user of the library would write for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

PARAMETERS = {
    "frequency_penalty": ("frequency_penalty", (int, float)),
    "max_completion_tokens": ("max_tokens", int),
    "max_tokens": ("max_tokens", int),
    "min_p": ("min_p", (int, float)),
    "parallel_tool_calls": ("parallel_tool_calls", bool),
    "presence_penalty": ("presence_penalty", (int, float)),
    "reasoning_effort": ("reasoning_effort", str),
    "repetition_penalty": ("repeat_penalty", (int, float)),
    "seed": ("seed", int),
    "stop": ("stop", (str, list)),
    "temperature": ("temperature", (int, float)),
    "top_k": ("top_k", int),
    "top_p": ("top_p", (int, float)),
}
"""Fields of the wire that are common parameters, and their JSON types."""

OPTIONS = ("tools", "tool_choice", "response_format")
SHAPED = {"model", "messages", "stream", "stream_options", *PARAMETERS, *OPTIONS}

# Fields that a dict of a message, part, tool or format may have and the common values have no place for.
PARTS = {"text": {"text"}, "image_url": {"image_url"}, "input_audio": {"input_audio"}}
MESSAGE = {"role", "content", "tool_calls", "tool_call_id", "reasoning", "reasoning_content"}
FUNCTION = {"name", "description", "parameters", "strict"}


@frozen(kw_only=True)
class Asked:
    """The arguments of `execute`, and whether to stream."""

    model: str
    prompt: list[Any]
    parameters: dict[str, Any]
    options: dict[str, Any]
    stream: bool


class InexpressibleError(Exception):
    """Why a recorded body is none that the common values can say."""


def ask(body: Any, provider: str) -> Asked:
    """The call to *provider* that should send *body*.

    Raises:
        InexpressibleError: there is none.
    """
    reasons = sorted(set(_obstacles(body)))
    if reasons:
        raise InexpressibleError(reasons[0])
    given = _without_no_limit({key: value for key, value in body.items() if value is not None})
    own = {key: value for key, value in given.items() if key not in SHAPED}
    return Asked(
        model=given["model"],
        prompt=given["messages"],
        parameters={PARAMETERS[k][0]: v for k, v in given.items() if k in PARAMETERS},
        options={
            **{key: given[key] for key in OPTIONS if key in given},
            **({"provider_options": {provider: own}} if own else {}),
        },
        stream=bool(given.get("stream")),
    )


def _without_no_limit(body: dict[str, Any]) -> dict[str, Any]:
    """*body* without the -1 by which some clients say that there is no limit of length."""
    return {k: v for k, v in body.items() if not (k == "max_tokens" and v == -1)}


def _obstacles(body: Any) -> Iterator[str]:
    if not isinstance(body, Mapping) or not isinstance(body.get("messages"), list):
        yield "the body is no chat request (the caller's mistake, or the recorder's wrapping)"
        return
    if not body.get("model"):
        yield "no model in the body: the server has it in its path, or refused the call for it"
    for name, (_, kind) in PARAMETERS.items():
        value = body.get(name)
        if value is not None and not isinstance(value, kind):  # type: ignore[arg-type]  # a type or a tuple
            yield "a parameter of the wrong JSON type, to see it refused"
    if {"max_tokens", "max_completion_tokens"} <= body.keys():
        yield "two limits of length"
    asked = {c["id"] for m in body["messages"] for c in m.get("tool_calls") or []}
    for message in body["messages"]:
        yield from _in_message(message, asked)
    for tool in body.get("tools") or []:
        if tool.get("type") != "function" or "function" not in tool:
            yield "a tool that the provider runs itself"
        elif set(tool) - {"type", "function"} or set(tool["function"]) - FUNCTION:
            yield "a tool with fields of one provider's own"
    names = [t.get("function", t).get("name") for t in body.get("tools") or []]
    choice = body.get("tool_choice")
    if isinstance(choice, str) and choice not in ("auto", "none", "required", *names):
        yield "a word for the choice of tools that is one provider's own"
    shape = (body.get("response_format") or {}).get("json_schema") or {}
    if shape.get("description"):
        yield "a described response format"


def _in_message(message: Mapping[str, Any], asked: set[str]) -> Iterator[str]:
    extra = {key for key in message.keys() - MESSAGE if message[key]}
    if extra:
        yield f"a message with {', '.join(sorted(extra))}"
    if message["role"] == "tool" and message.get("tool_call_id") not in asked:
        yield "a tool result that answers no call of the request"
    if message["role"] == "tool" and not isinstance(message.get("content"), str):
        yield "media in a tool's result: it goes into a message of the user"
    for call in message.get("tool_calls") or []:
        if call.keys() - {"id", "type", "function"}:
            yield "a tool call with fields of one provider's own"
    for part in message["content"] if isinstance(message.get("content"), list) else []:
        kind = part.get("type")
        if kind == "file" and "file_data" in part["file"]:
            continue
        if kind not in PARTS:
            yield f"a part of type {kind}"
        elif {key for key in part.keys() - {"type"} - PARTS[kind] if part[key]}:
            yield f"a {kind} part with fields of one provider's own"
        elif kind == "image_url" and part["image_url"].get("detail", "auto") != "auto":
            yield "the detail of an image"


def same_meaning(body: Mapping[str, Any]) -> dict[str, Any]:
    """*body* with one spelling for what has several of the same meaning."""
    plain = _without_no_limit({key: value for key, value in body.items() if value is not None})
    plain["messages"] = [_message(m) for m in plain["messages"]]
    if "max_tokens" in plain:
        plain["max_completion_tokens"] = plain.pop("max_tokens")  # the older name
    if isinstance(plain.get("stop"), str):
        plain["stop"] = [plain["stop"]]
    if not plain.get("stream"):
        plain.pop("stream", None)
    plain.pop("stream_options", None)  # we always ask for usage
    if plain.get("tools"):
        plain["tools"] = [_tool(t) for t in plain["tools"]]
    else:
        plain = {k: v for k, v in plain.items() if k not in ("tools", "parallel_tool_calls")}
    choice = plain.get("tool_choice")
    if choice == "auto" or "tools" not in plain:
        plain.pop("tool_choice", None)
    elif isinstance(choice, Mapping):
        plain["tool_choice"] = choice["function"]["name"]
    shape = (plain.get("response_format") or {}).get("json_schema")
    if shape:
        kept = {key: value for key, value in shape.items() if value not in (None, "")}
        plain["response_format"] = {"type": "json_schema", "json_schema": kept}
    return plain


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in message.items() if value not in (None, "", [], {})}
    plain["role"] = {"developer": "system"}.get(plain["role"], plain["role"])
    if "reasoning" in plain:
        plain["reasoning_content"] = plain.pop("reasoning")
    content = plain.get("content")
    if isinstance(content, list):
        parts = [_part(p) for p in content]
        texts = [p["text"] for p in parts if p["type"] == "text"]
        joined = len(texts) == len(parts) and (len(parts) == 1 or plain["role"] == "assistant")
        plain["content"] = "".join(texts) if joined else parts
    return plain


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in part.items() if value is not None}
    if "image_url" in plain:
        plain["image_url"] = {k: v for k, v in plain["image_url"].items() if v != "auto"}
    return plain


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = {key: value for key, value in tool["function"].items() if value not in (None, "")}
    function.setdefault("parameters", {"type": "object", "properties": {}})
    return {**tool, "function": function}
