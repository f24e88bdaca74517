"""From what people pass as a prompt to typed messages, tools and formats."""

from __future__ import annotations

import difflib
import re
from base64 import b64decode
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve

from .attachments import attachment
from .errors import InvalidRequestError
from .types import (
    ContentPart,
    MediaPart,
    Message,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    Role,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
)

Prompt = str | Message | Sequence[Message | Mapping[str, Any]]

_AUDIO = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def bad(where: str, problem: str, fix: str) -> InvalidRequestError:
    """The error for a request that we refuse to send."""
    return InvalidRequestError(f"{where}: {problem}; {fix}", param=where, phase="build")


def parse_prompt(
    prompt: Prompt, *, system: str | None = None, attachments: Iterable[Any] = ()
) -> tuple[Message, ...]:
    """The messages of *prompt*: a text, a `Message`, or a sequence of them or of OpenAI-style dicts.

    Raises:
        InvalidRequestError: empty or misshapen; ``param`` says where.
    """
    if isinstance(prompt, str):
        messages = [Message(Role.USER, prompt)]
    elif isinstance(prompt, Message):
        messages = [prompt]
    elif isinstance(prompt, Mapping | bytes) or not isinstance(prompt, Iterable):
        fix = "pass a str, a Message, or a list of them"
        raise bad("prompt", f"a {type(prompt).__name__} is not a prompt", fix)
    else:
        messages = [_message(f"prompt[{i}]", m) for i, m in enumerate(prompt)]
    check_messages(messages)
    media = tuple(map(attachment, _several(attachments)))
    if media:
        last = messages[-1]
        if last.role is not Role.USER:
            raise bad("attachments", "the last message is not the user's", "end with one that is")
        messages[-1] = Message(Role.USER, (*media, *last.content))
    if system is not None:
        if not isinstance(system, str):
            raise bad("system", f"must be text, not {type(system).__name__}", "pass a str")
        messages.insert(0, Message(Role.SYSTEM, system))
    return tuple(messages)


def _several(attachments: Any) -> Iterable[Any]:
    """*attachments*, or the one that was passed alone."""
    if isinstance(attachments, str | bytes | MediaPart) or not isinstance(attachments, Iterable):
        return (attachments,)
    return attachments


def check_messages(messages: Sequence[Message]) -> None:
    """Refuse no messages, parts that are none, and tool results that answer no call before them."""
    if not messages:
        raise bad("prompt", "there are no messages", "pass at least one")
    asked: set[str] = set()
    for i, message in enumerate(messages):
        for n, part in enumerate(message.content):
            if type(part) is TextPart and type(part.text) is str:
                continue
            _check_part(f"prompt[{i}].content[{n}]", part)
            if isinstance(part, ToolCall):
                asked.add(part.id)
            elif isinstance(part, ToolResult) and part.tool_call_id not in asked:
                problem = f"no earlier tool call has the id {part.tool_call_id!r}"
                raise bad(f"prompt[{i}]", problem, "send the assistant's message with the call too")


def _check_part(where: str, part: Any) -> None:
    if not isinstance(part, ContentPart):
        fix = "pass a TextPart, a MediaPart or another part, or the whole message as a dict"
        raise bad(where, f"a {type(part).__name__} is not a part of a message", fix)
    for n, inner in enumerate(part.content if isinstance(part, ToolResult) else ()):
        _check_part(f"{where}.content[{n}]", inner)
    for name in ("text", "arguments"):
        if not isinstance(value := getattr(part, name, ""), str):
            raise bad(f"{where}.{name}", f"a {type(value).__name__} is not text", "give a str")


def _message(where: str, given: Any) -> Message:
    if isinstance(given, Message):
        return given
    if not isinstance(given, Mapping):
        raise bad(where, f"a {type(given).__name__} is not a message", "pass a Message or a dict")
    name = given.get("role")
    if name not in ("system", "developer", "user", "assistant", "tool"):
        roles = "one of system, developer, user, assistant, tool"
        raise bad(f"{where}.role", f"{name!r} is not a role", roles)
    role = Role.SYSTEM if name == "developer" else Role(name)
    content = given.get("content")
    _nothing_more(where, given, _FIELDS)
    if role is Role.TOOL:
        call = given.get("tool_call_id")
        if not isinstance(call, str):
            raise bad(f"{where}.tool_call_id", "is missing", "give the id of the call it answers")
        parts = _content(f"{where}.content", content)
        return Message(role, ToolResult(call, parts, name=given.get("name")))
    asked = given.get("tool_calls") or ()
    if isinstance(asked, str | Mapping) or not isinstance(asked, Iterable):
        raise bad(f"{where}.tool_calls", "is not a list", "give a list of tool calls")
    calls = [_call(f"{where}.tool_calls[{i}]", c) for i, c in enumerate(asked)]
    if content is None and not calls and role is not Role.ASSISTANT:
        raise bad(f"{where}.content", "is missing", "give a str or a list of parts")
    reasoning = given.get("reasoning_content") or given.get("reasoning")
    before = [ReasoningPart(reasoning)] if isinstance(reasoning, str) else []
    after = [RefusalPart(given["refusal"])] if isinstance(given.get("refusal"), str) else []
    parts = (*before, *_content(f"{where}.content", content), *after, *calls)
    return Message(role, parts, provider_metadata=_openai(name=given.get("name")))


_FIELDS = frozenset(
    "role content tool_calls tool_call_id name reasoning reasoning_content refusal".split()
)
_PART_FIELDS: Mapping[str, frozenset[str]] = {
    "image_url": frozenset({"url", "detail"}),
    "input_audio": frozenset({"data", "format"}),
    "file": frozenset({"file_data", "filename"}),
}


def _nothing_more(where: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse fields that would be lost: what says nothing may stand there."""
    for name, value in given.items():
        if name not in known and value not in (None, "", [], {}, False):
            fix = "leave it out, or use provider_options, or a typed part's provider_metadata"
            raise bad(f"{where}.{name}", "is no field that every provider has", fix)


def _openai(**told: Any) -> dict[str, Any]:
    """What only servers that speak OpenAI's dialect understand of an OpenAI-style dict."""
    kept = {name: value for name, value in told.items() if value is not None}
    return {"openai": kept} if kept else {}


def _content(where: str, content: Any) -> tuple[ContentPart, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content),)
    if isinstance(content, Mapping | bytes) or not isinstance(content, Iterable):
        problem = f"{type(content).__name__} is not content"
        raise bad(where, problem, "give a str or a list of parts")
    return tuple(_part(f"{where}[{i}]", p) for i, p in enumerate(content))


def _part(where: str, given: Any) -> ContentPart:
    if isinstance(given, ContentPart):
        return given
    if isinstance(given, str):
        return TextPart(given)
    try:
        kind = given["type"]
        inner = given.get(kind)
        if isinstance(inner, Mapping):
            _nothing_more(f"{where}.{kind}", inner, _PART_FIELDS.get(kind, inner))
        _nothing_more(where, given, {"type", kind, "text", "annotations"})
        match kind:
            case "text" | "input_text" | "output_text":
                notes = _openai(annotations=given.get("annotations") or None)
                return TextPart(_str(given["text"]), provider_metadata=notes)
            case "refusal":
                return RefusalPart(_str(given["refusal"]))
            case "image_url":
                image = {"url": inner} if isinstance(inner, str) else given["image_url"]
                part, detail = _url(where, image["url"], "image/*"), image.get("detail")
                return evolve(part, provider_metadata=_openai(detail=detail))
            case "input_audio":
                audio = given["input_audio"]
                kind = _AUDIO.get(audio["format"], f"audio/{audio['format']}")
                return MediaPart(kind, _base64(where, _str(audio["data"])))
            case "file" if "file_data" in given["file"]:
                file = given["file"]
                part = _url(where, file["file_data"], "application/pdf")
                return MediaPart(part.media_type, part.data, part.url, name=file.get("filename"))
    except (KeyError, TypeError) as error:
        problem = f"the part {'lacks' if isinstance(error, KeyError) else 'is misshapen:'} {error}"
        raise bad(where, problem, "see the parts of OpenAI's messages") from None
    kinds = "text, image_url, input_audio, file; or pass typed parts"
    raise bad(where, f"unknown part type {given['type']!r}", kinds)


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is not text")
    return value


def _url(where: str, url: Any, media_type: str) -> MediaPart:
    """A media part from *url*, which may be a data URL."""
    if _str(url).startswith("data:"):
        head, comma, data = url[5:].partition(",")
        kind, _, encoding = head.partition(";")
        if not comma or encoding.split(";")[-1] != "base64":
            raise bad(where, "the data URL is not base64", "use data:TYPE;base64,DATA")
        return MediaPart(kind or media_type, _base64(where, data))
    if not url.startswith(("http://", "https://")):
        raise bad(where, f"{url[:40]!r} is not an http(s) or data URL", "read files as attachments")
    return MediaPart(media_type, url=url)


def _base64(where: str, data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError:
        raise bad(where, "broken base64", "encode the bytes again") from None


def _call(where: str, given: Any) -> ToolCall:
    if isinstance(given, ToolCall):
        return given
    try:
        function = given["function"]
        arguments = function.get("arguments") or "{}"
        return ToolCall(_str(given["id"]), _str(function["name"]), _str(arguments))
    except (KeyError, TypeError, AttributeError) as error:
        fix = 'write {"id": …, "function": {"name": …, "arguments": "{…}"}}'
        problem = f"the call {'lacks' if isinstance(error, KeyError) else 'is misshapen:'} {error}"
        raise bad(where, problem, fix) from None


def parse_tools(tools: Iterable[Any] | None) -> tuple[Tool, ...]:
    """Typed tools from tools or OpenAI-style dicts; names must be unique and well formed."""
    parsed: list[Tool] = []
    if isinstance(tools, str | Mapping) or not isinstance(tools, Iterable | None):
        raise bad("tools", f"{type(tools).__name__} is not a list", "give a list of tools")
    for i, given in enumerate(tools or ()):
        where = f"tools[{i}]"
        tool = given if isinstance(given, Tool) else _tool(where, given)
        name: Any = tool.name
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name):
            raise bad(f"{where}.name", f"{name!r} is no tool name", "use letters, digits, _ and -")
        if not isinstance(tool.description, str):
            raise bad(f"{where}.description", "is not text", "give a str")
        if tool.name in (t.name for t in parsed):
            raise bad(f"{where}.name", f"{tool.name!r} is there twice", "rename one")
        if not isinstance(tool.parameters, Mapping):
            raise bad(f"{where}.parameters", "is not a JSON Schema", "give an object")
        parsed.append(tool)
    return tuple(parsed)


def _tool(where: str, given: Any) -> Tool:
    function = given.get("function", given) if isinstance(given, Mapping) else None
    if not isinstance(function, Mapping) or "name" not in function:
        raise bad(where, "has no name", "pass a Tool or an OpenAI-style dict")
    _nothing_more(where, {**given, **function}, ("type", "function", "parameters", *_SHAPED))
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    described = function.get("description") or ""
    return Tool(function["name"], described, schema, strict=function.get("strict"))


def parse_choice(given: Any, tools: Sequence[Tool]) -> str:
    """``auto``, ``none``, ``required`` or a tool's name; OpenAI-style dicts too."""
    choice = "auto" if given is None else given
    if isinstance(choice, Mapping):
        function = choice.get("function", choice)
        choice = function.get("name", choice.get("type")) if isinstance(function, Mapping) else None
    known = ["auto", "none", "required", *(tool.name for tool in tools)]
    if choice not in known:
        raise bad("tool_choice", f"no tool {given!r}", f"one of {', '.join(known)}")
    return str(choice)


_SHAPED = ("name", "strict", "description")


def parse_format(given: Any) -> ResponseFormat | None:
    """A typed response format from one, an OpenAI-style dict, a JSON Schema, or ``"json"``."""
    if given is None or isinstance(given, ResponseFormat):
        return given
    if given in ("text", "json"):
        return ResponseFormat(type=given)
    if isinstance(given, Mapping):
        kind = given.get("type")
        if kind == "json_object" and isinstance(given.get("schema"), Mapping):
            return ResponseFormat(type="json_schema", schema=given["schema"])
        if kind in ("json_object", "text"):
            return ResponseFormat(type="text" if kind == "text" else "json")
        inner = given.get("json_schema", given)
        if kind != "json_schema" and not {"type", "$ref", "properties"}.isdisjoint(given):
            return ResponseFormat(type="json_schema", schema=given)
        if isinstance(inner, Mapping) and isinstance(inner.get("schema"), Mapping):
            _nothing_more("response_format", inner, ("type", "schema", *_SHAPED))
            told = {k: inner[k] for k in _SHAPED if inner.get(k) not in (None, "")}
            return ResponseFormat(type="json_schema", schema=inner["schema"], **told)
    raise bad("response_format", "not understood", 'pass "json", a JSON Schema or a ResponseFormat')


OPTIONS = (
    "system tools tool_choice response_format attachments provider_options timeout metadata strict"
).split()


_KINDS: Mapping[str, tuple[type, str]] = {
    "metadata": (Mapping, "give a table"),
    "strict": (bool, "give True or False"),
}


def check_options(options: Mapping[str, Any], params: Sequence[str]) -> None:
    """Refuse options that no call has, with a hint at what was meant, and ones of the wrong kind."""
    for name, value in options.items():
        if name in OPTIONS:
            kind, fix = _KINDS.get(name, (object, ""))
            if value is not None and not isinstance(value, kind):
                raise bad(name, f"{type(value).__name__} is the wrong kind", fix)
            continue
        if name in params:
            raise bad(name, "is a parameter, not an option", f'pass parameters={{"{name}": …}}')
        near = difflib.get_close_matches(name, OPTIONS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(OPTIONS)}"
        raise bad(name, "is not an option", hint)
