"""From a recorded body to the call that a user of the library would write for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from jackfield import ProviderPart

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
FORMATS = ("text", "json_object", "json_schema")
SHAPED = {"model", "messages", "stream", "stream_options", *PARAMETERS, *OPTIONS}

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

# Fields that a dict of a message, part, tool or format may have and the common values have no place for.
PARTS = {"text": {"text"}, "image_url": {"image_url"}, "input_audio": {"input_audio"}}
MESSAGE = {
    "role",
    "name",
    "content",
    "tool_calls",
    "tool_call_id",
    "reasoning",
    "reasoning_content",
}
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
    reasons = sorted({*_obstacles(body), *_beyond(body, provider)})
    if reasons:
        raise InexpressibleError(reasons[0])
    given = _without_no_limit({key: value for key, value in body.items() if value is not None})
    own = {key: value for key, value in given.items() if key not in SHAPED}
    return Asked(
        model=given["model"],
        prompt=[_message_as_asked(m, provider) for m in given["messages"]],
        parameters={PARAMETERS[k][0]: v for k, v in given.items() if k in PARAMETERS},
        options={
            **{key: given[key] for key in OPTIONS if key in given},
            **({"provider_options": {provider: own}} if own else {}),
        },
        stream=bool(given.get("stream")),
    )


def _without_no_limit(body: dict[str, Any]) -> dict[str, Any]:
    """*body* without the -1 (or nothing) by which some clients say that there is no limit."""
    return {
        k: v
        for k, v in body.items()
        if not (k in ("max_tokens", "top_k") and v == -1) and not (k == "stop" and not v)
    }


def _obstacles(body: Any) -> Iterator[str]:
    if not isinstance(body, Mapping) or not isinstance(body.get("messages"), list):
        yield "the body is no chat request (the caller's mistake, or the recorder's wrapping)"
        return
    if not body.get("model"):
        yield "no model in the body: the server has it in its path, or refused the call for it"
    yield from _in_parameters(body)
    if not all(isinstance(m, Mapping) and "role" in m for m in body["messages"]):
        yield "a message without a role"
        return
    asked = {c.get("id") for m in body["messages"] for c in m.get("tool_calls") or []}
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
    if isinstance(choice, Mapping) and choice.get("function", {}).get("name") not in names:
        yield "a word for the choice of tools that is one provider's own"
    yield from _in_format(body.get("response_format") or {"type": "text"})


def _beyond(body: Any, provider: str) -> Iterator[str]:
    """What *provider* is known to refuse or ignore, so that it is left out aloud."""
    if not isinstance(body, Mapping) or not isinstance(body.get("messages"), list):
        return
    stops, heat = body.get("stop"), body.get("temperature")
    if isinstance(heat, int | float) and heat > 2:
        yield "a temperature beyond the description"
    if provider in ("openai", "vllm") and isinstance(stops, list) and len(stops) > 4:
        yield "more stop sequences than described"
    thought = ("reasoning", "reasoning_content")
    if provider == "openai" and any(m.get(k) for m in body["messages"] for k in thought):
        yield "thinking sent back to an API that takes none"


def _in_parameters(body: Mapping[str, Any]) -> Iterator[str]:
    for name, (_, kind) in PARAMETERS.items():
        value = body.get(name)
        if value is not None and not isinstance(value, kind):  # type: ignore[arg-type]  # a type or a tuple
            yield "a parameter of the wrong JSON type, to see it refused"
        elif value is not None and "tokens" in name and value < 1 and value != -1:
            yield "a limit of length that is none"
    if {"max_tokens", "max_completion_tokens"} <= body.keys():
        yield "two limits of length"
    if body.get("reasoning_effort") not in (None, *EFFORTS):
        yield "a word for the effort that is one provider's own"


def _in_format(form: Any) -> Iterator[str]:
    if not isinstance(form, Mapping) or form.get("type") not in FORMATS:
        yield "a form of the answer that is one provider's own"
        return
    shape = form.get("json_schema") or {}
    if form.keys() - {"type", "json_schema"}:
        yield "a schema where one provider alone has it"
    elif shape.keys() - {"name", "schema", "strict", "description"}:
        yield "a response format with fields of one provider's own"
    elif form["type"] == "json_schema" and not isinstance(shape.get("schema"), Mapping):
        yield "a response format without its schema"


def _in_message(message: Mapping[str, Any], asked: set[str]) -> Iterator[str]:
    extra = {key for key in message.keys() - MESSAGE if message[key]}
    if extra:
        yield f"a message with {', '.join(sorted(extra))}"
    if message["role"] == "tool" and message.get("tool_call_id") not in asked:
        yield "a tool result that answers no call of the request"
    if message["role"] not in ("system", "developer", "user", "assistant", "tool"):
        yield f"a message of the role {message['role']}"
    parts = message["content"] if isinstance(message.get("content"), list) else []
    if message["role"] == "tool" and not all(map(_is_text, parts)):
        yield "media in a tool's result: it goes into a message of the user"
    if message.get("content") is None and message["role"] != "assistant":
        yield "a message without content"
    for call in message.get("tool_calls") or []:
        if {k for k in call.keys() - {"id", "type", "function", "index"} if call[k] is not None}:
            yield "a tool call with fields of one provider's own"
        elif not isinstance(call.get("id"), str) or call.get("type", "function") != "function":
            yield "a tool call without its id, or of another type"


def _is_text(part: Any) -> bool:
    return isinstance(part, str) or part.get("type") == "text"


def _message_as_asked(message: Mapping[str, Any], provider: str) -> Mapping[str, Any]:
    """*message*, its parts that only *provider* understands said as what they are."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = [p if _is_common(p) else ProviderPart(provider, p) for p in content]
    return {**message, "content": parts}


def _is_common(part: Any) -> bool:
    """Whether the common values have all of *part*."""
    if isinstance(part, str):
        return True
    kind = part.get("type")
    if kind == "file":
        return part["file"].keys() <= {"file_data", "filename"} and "file_data" in part["file"]
    if kind not in PARTS or {key for key in part.keys() - {"type"} - PARTS[kind] if part[key]}:
        return False
    image = part.get("image_url")
    return not isinstance(image, Mapping) or image.keys() <= {"url", "detail"}


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
    if "tool_calls" in plain:
        kept = ("id", "function")
        plain["tool_calls"] = [{k: c[k] for k in kept} for c in plain["tool_calls"]]
    content = plain.get("content")
    if isinstance(content, list):
        parts = [_part(p) for p in content]
        texts = [p["text"] for p in parts if p["type"] == "text"]
        joined = len(texts) == len(parts) and (len(parts) == 1 or plain["role"] == "assistant")
        plain["content"] = "".join(texts) if joined else parts
    return plain


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    plain = {key: value for key, value in part.items() if value is not None}
    if isinstance(plain.get("image_url"), str):
        plain["image_url"] = {"url": plain["image_url"]}
    if "image_url" in plain:
        plain["image_url"] = {k: v for k, v in plain["image_url"].items() if v != "auto"}
    return plain


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = {key: value for key, value in tool["function"].items() if value not in (None, "")}
    function.setdefault("parameters", {"type": "object", "properties": {}})
    return {**tool, "function": function}
