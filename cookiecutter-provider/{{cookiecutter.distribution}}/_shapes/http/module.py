"""{{ cookiecutter.display_name }} for Jackfield: an API of its own.

The API below is made up, so that all of it runs from the first minute. Put yours in its place from top to bottom:
what is read of an answer, the parameters, a request, an answer, the stream, the models, the provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from attrs import define, field, frozen
from jackfield import (
    ChatRequest,
    ChatResponse,
    ContextLengthExceededError,
    Finish,
    FinishReason,
    HTTPConfig,
    HTTPProvider,
    LLMError,
    Message,
    ModelInfo,
    ModelListRequest,
    NotFoundError,
    Param,
    ProviderInfo,
    ResponseFormatError,
    StreamStart,
    TextDelta,
    TextPart,
    Usage,
    fold,
)
from jackfield.exchange import Call, Exchange, decode, get_request, json_request
from jackfield.failures import event_error
from jackfield.flow import HTTPRequest, HTTPResponse
from jackfield.framing import Frame
from jackfield.http import Exchanges
from jackfield.params import ParamTable
from msgspec import Struct

# What is read of an answer. Declare what you use and no more: fields that you leave out may come and go, and one of the
# wrong kind is a ResponseFormatError that says where it stands.


class Tokens(Struct):
    """How many tokens a call took."""

    read: int | None = None
    written: int | None = None


class Piece(Struct):
    """An answer, or one event of a streamed answer: a whole answer is a stream of one piece."""

    id: str = ""
    model: str = ""
    text: str | None = None
    stop: str | None = None
    tokens: Tokens | None = None
    error: Any = None


class Served(Struct):
    """A model of the list."""

    id: str
    title: str = ""
    window: int | None = None


class Models(Struct):
    """The list of models."""

    models: list[Served]


PIECE = msgspec.json.Decoder(Piece)
MODELS = msgspec.json.Decoder(Models)

# What your API calls things. An end that is not listed is FinishReason.OTHER, with your word in raw_finish_reason.

FINISH_REASONS: Mapping[str, FinishReason] = {
    "end": FinishReason.STOP,
    "limit": FinishReason.LENGTH,
    "blocked": FinishReason.CONTENT_FILTER,
}

# The common parameters that your API takes: their names there, and their limits. Beyond a limit a value is clamped, and
# a parameter without a row is not sent; the caller is told of both.

PARAMS: ParamTable = {
    "max_tokens": Param("max_output", ge=1),
    "temperature": Param("temperature", ge=0, le=2),
    "top_p": Param("top_p", ge=0, le=1),
    "seed": Param("seed"),
    "stop": Param("stop_at", convert=list, most=4),
}

# A request: from what was asked to what is sent. No I/O happens here.


def build_chat(call: Call[ChatRequest]) -> HTTPRequest:
    """POST /chat."""
    request = call.request
    # What cannot be sent is told. If your API has tools or formats, write them into the body instead.
    if request.tools:
        call.warn("unsupported", "tools", "the API has none")
    if request.response_format is not None and request.response_format.type != "text":
        call.warn("unsupported", "response_format", "the API has none")
    body = {
        "model": request.model,
        "messages": [render_message(call, message) for message in request.messages],
        **call.wire,  # the parameters, under the names of the table above
        **call.options,  # the caller's provider_options for you, as they are
        "stream": call.stream,
    }
    return json_request("/chat", body)


def render_message(call: Call[ChatRequest], message: Message) -> dict[str, str]:
    """A message as the API takes it."""
    texts = []
    for part in message.content:
        if isinstance(part, TextPart):
            texts.append(part.text)
        else:
            call.warn("dropped", type(part).__name__, "the API takes text alone")
    return {"role": message.role.value, "text": "".join(texts)}


# An answer: from what came to what the caller gets.


@define
class ChatParser:
    """Reads the pieces of one answer.

    ``finished`` says that the answer is whole, ``done`` that nothing follows. A stream that ends before that is
    an error with what came so far; so set them where your API says it, and nowhere else.
    """

    error_codes: Mapping[str, type[LLMError]]
    finished: bool = False
    done: bool = False
    started: bool = False
    last: Piece = field(factory=Piece)

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames*, each an event's name and its data, to *out*."""
        for _name, data in frames:
            piece = decode(PIECE, data)
            if piece.error is not None:
                raise event_error({"error": piece.error}, self.error_codes)
            self.read(piece, out)

    def read(self, piece: Piece, out: list[Any]) -> None:
        """Append the events of one *piece* to *out*."""
        if not self.started:
            self.started = True
            out.append(StreamStart(id=piece.id, model=piece.model))
        if piece.text:
            out.append(TextDelta(piece.text))
        if piece.stop is not None:
            self.last = piece
            self.finished = self.done = True

    def close(self, out: list[Any]) -> None:
        """Append the end of a whole answer to *out*."""
        tokens = self.last.tokens or Tokens()
        stop = self.last.stop
        out.append(
            Finish(
                finish_reason=FINISH_REASONS.get(stop or "", FinishReason.OTHER),
                raw_finish_reason=stop,
                usage=Usage(input_tokens=tokens.read, output_tokens=tokens.written),
            )
        )


def chat_parser(call: Call[ChatRequest]) -> ChatParser:
    """A parser for the stream that answers *call*."""
    return ChatParser(call.provider.error_codes)


def parse_chat(call: Call[ChatRequest], response: HTTPResponse) -> ChatResponse:
    """A whole answer, read as a stream of one piece, so that both always agree."""
    piece = decode(PIECE, response.body)
    if piece.text is None or piece.stop is None:
        raise ResponseFormatError("the answer has no text, or does not say how it ended")
    parser, out = chat_parser(call), list[Any]()
    parser.read(piece, out)
    parser.close(out)
    return fold(out)


# The models that there are. Without such a list, take it out of the exchanges below.


def build_models(call: Call[ModelListRequest]) -> HTTPRequest:
    """GET /models."""
    return get_request("/models")


def parse_models(call: Call[ModelListRequest], response: HTTPResponse) -> Sequence[ModelInfo]:
    """The models, as the API describes them."""
    return [
        ModelInfo(id=served.id, display_name=served.title, context_window=served.window)
        for served in decode(MODELS, response.body).models
    ]


# Who you are. The key goes along as "authorization: Bearer …"; override auth_headers where yours goes otherwise.


@frozen(kw_only=True)
class {{ cookiecutter.__stem }}Config(HTTPConfig):
    """Where the API is; *api_key* and the rest are inherited. A setting of your own is one more field."""

    base_url: str = "{{ cookiecutter.base_url }}"


class {{ cookiecutter.__stem }}Provider(HTTPProvider):
    """{{ cookiecutter.display_name }}. {{ cookiecutter.docs_url }}."""

    info = ProviderInfo(
        name="{{ cookiecutter.name }}",
        display_name="{{ cookiecutter.display_name }}",
        docs_url="{{ cookiecutter.docs_url }}",
{% if cookiecutter.api_key_env %}
        api_key_env="{{ cookiecutter.api_key_env }}",
{% endif %}
{% if cookiecutter.__keyless %}
        api_key_required=False,
{% endif %}
    )
    Config = {{ cookiecutter.__stem }}Config
    params: ClassVar[ParamTable] = PARAMS
    # What the codes in your API's errors mean, where their status does not say it.
    error_codes: ClassVar[Mapping[str, type[LLMError]]] = {
        "no_such_model": NotFoundError,
        "too_long": ContextLengthExceededError,
    }
    # One line for each operation. A stream of JSON lines has framing=jackfield.framing.NDJSON.
    exchanges: ClassVar[Exchanges] = {
        ChatRequest: Exchange(build=build_chat, parse=parse_chat, stream=chat_parser),
        ModelListRequest: Exchange(build=build_models, parse=parse_models),
    }
