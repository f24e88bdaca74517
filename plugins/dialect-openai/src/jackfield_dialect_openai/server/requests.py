"""Bodies of the dialect's requests, parsed into typed requests."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from attrs import frozen

from jackfield import CallWarning, ChatRequest, EmbeddingRequest
from jackfield.params import parse_params
from jackfield.prompts import bad, parse_choice, parse_format, parse_tools

from .catalogue import Encoding
from .fields import COMMON, NEUTRAL, PARAMETERS, Own
from .history import parse_messages

_STREAMED = {"include_usage", "include_obfuscation"}


@frozen(kw_only=True)
class ChatBody:
    """A chat that was asked for, whether as a *stream*, and what of it is not sent on."""

    request: ChatRequest
    stream: bool = False
    include_usage: bool = False
    warnings: tuple[CallWarning, ...] = ()


@frozen(kw_only=True)
class EmbeddingBody:
    """Vectors that were asked for, their *encoding*, and what of it is not sent on."""

    request: EmbeddingRequest
    encoding: Encoding = "float"
    warnings: tuple[CallWarning, ...] = ()


def parse_chat_body(body: Any, passes: Collection[str] = ()) -> ChatBody:
    """The chat in *body*; fields that are OpenAI's alone go to the providers named in *passes*.

    Without such a provider, hints (``user``, ``store``, …) are dropped with a warning, and
    what would change the answer's form (``n``, ``logprobs``, …) is refused.

    Raises:
        InvalidRequestError: something in it is misshapen or unknown; ``param`` says what.
    """
    given, own = _given(body), Own(passes)
    for name, value in given.items():
        if name not in PARAMETERS | COMMON and (passes or NEUTRAL.get(name) != value):
            own.add(name, value)
    tools = parse_tools(_functions(given.get("tools"), own))
    choice = _common("tool_choice", given.get("tool_choice"), own)
    metadata = _table("metadata", given.get("metadata"))
    if metadata and given.get("store") and passes:  # a provider keeps it with what it stores
        own.add("metadata", metadata)
    streamed = _table("stream_options", given.get("stream_options"))
    if extra := streamed.keys() - _STREAMED:
        raise bad(f"stream_options.{min(extra)}", "is unknown", "there is include_usage")
    request = ChatRequest(
        model=_model(given),
        messages=parse_messages(given.get("messages", ()), own.warnings, whole=bool(passes)),
        params=parse_params({n: v for n, v in given.items() if n in PARAMETERS}),
        tools=tools,
        tool_choice=parse_choice(choice, tools),
        response_format=parse_format(_common("response_format", given.get("response_format"), own)),
        provider_options=own.options(),
        metadata=metadata,
    )
    return ChatBody(
        request=request,
        stream=_flag("stream", given.get("stream")),
        include_usage=_flag("stream_options.include_usage", streamed.get("include_usage")),
        warnings=tuple(own.warnings),
    )


def parse_embedding_body(body: Any, passes: Collection[str] = ()) -> EmbeddingBody:
    """The vectors that *body* asks for; *passes* as in `parse_chat_body`.

    Raises:
        InvalidRequestError: something in it is misshapen or unknown; ``param`` says what.
    """
    given, own = _given(body), Own(passes)
    for name, value in given.items():
        if name not in ("model", "input", "dimensions", "encoding_format", "input_type"):
            own.add(name, value)
    encoding = given.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise bad("encoding_format", f"{encoding!r} is unknown", "one of float, base64")
    size = given.get("dimensions")
    if size is not None and (type(size) is not int or size < 1):
        raise bad("dimensions", f"is {size!r}", "give a whole number of at least 1")
    request = EmbeddingRequest(
        model=_model(given),
        inputs=tuple(_inputs(given.get("input"))),
        dimensions=size,
        input_type=given.get("input_type"),
        provider_options=own.options(),
    )
    return EmbeddingBody(request=request, encoding=encoding, warnings=tuple(own.warnings))


def _given(body: Any) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise bad("body", f"a {type(body).__name__} is no request", "send a JSON object")
    return {name: value for name, value in body.items() if value is not None}


def _model(given: Mapping[str, Any]) -> str:
    model = given.get("model")
    if model is None:
        raise bad("model", "is missing", "name one: models.list() has them")
    if not isinstance(model, str) or not model.strip() or not model.isprintable():
        raise bad("model", f"{str(model)[:60]!r} is no model's name", "models.list() has them")
    return model


def _table(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping | None):
        raise bad(name, f"a {type(value).__name__} is no table", "give an object")
    return value or {}


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool | None):
        raise bad(name, f"{value!r} is no flag", "give true or false")
    return bool(value)


_COMMON = ("function", "text", "json_object", "json_schema")


def _common(name: str, value: Any, own: Own) -> Any:
    """*value*, unless its type is a provider's own: then it goes to it as it is."""
    kind = value.get("type", "function") if isinstance(value, Mapping) else "function"
    if kind in _COMMON:
        return value
    if not own.names:
        raise bad(name, f"{kind!r} is a type of one provider's own", "use one of OpenAI's")
    own.add(name, value)
    return None


def _functions(tools: Any, own: Own) -> Any:
    """The functions among *tools*; with tools of a provider's own, all of them go to it as they are."""
    listed = tools if isinstance(tools, list | tuple) else []
    kinds = [t.get("type", "function") if isinstance(t, Mapping) else "function" for t in listed]
    foreign = next((at for at, kind in enumerate(kinds) if kind != "function"), None)
    if foreign is None:
        return tools
    if not own.names:
        problem = f"{kinds[foreign]!r} is a tool of one provider's own"
        raise bad(f"tools[{foreign}].type", problem, "offer functions")
    own.add("tools", list(listed))
    return [tool for tool, kind in zip(listed, kinds, strict=True) if kind == "function"]


def _inputs(given: Any) -> Iterator[str]:
    several = given if isinstance(given, list | tuple) else [given]
    if not several:
        raise bad("input", "there is none", "give a text or a list of texts")
    for at, text in enumerate(several):
        if not isinstance(text, str):
            where = f"input[{at}]" if several is given else "input"
            fix = "give texts: tokens mean something to one model alone"
            raise bad(where, f"a {type(text).__name__} is no text", fix)
        yield text
