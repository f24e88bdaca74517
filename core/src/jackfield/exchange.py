"""Exchanges: an operation over HTTP, declared as pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from attrs import define, field, frozen

from .errors import InvalidRequestError, ResponseFormatError
from .flow import HTTPRequest, HTTPResponse
from .framing import SSE, Frame, Framing
from .requests import Request, Timeout
from .types import CallWarning, WarningKind

if TYPE_CHECKING:
    from .flow import Flow
    from .http import HTTPProvider

Q = TypeVar("Q", bound=Request[Any])
R = TypeVar("R")
S = TypeVar("S")

READ_ERRORS = (
    msgspec.MsgspecError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
"""What a parser meets in an answer of the wrong shape."""
_SHAPE = (msgspec.ValidationError, LookupError, TypeError, AttributeError)

_encode = msgspec.json.Encoder(decimal_format="number").encode


@define(kw_only=True)
class Call(Generic[Q]):
    """One call on its way: the request, its normalized parameters, and what could not be kept.

    *wire* holds the parameters under their wire names; *options* are the
    request's ``provider_options`` for this provider; *stream* says whether
    events were asked for; *deadline* is a time of the driver's clock.
    """

    request: Q
    provider: HTTPProvider
    wire: dict[str, Any]
    warnings: list[CallWarning]
    options: Mapping[str, Any]
    stream: bool = False
    timeout: Timeout = field(factory=Timeout)
    deadline: float = float("inf")
    memo: dict[str, Any] = field(factory=dict)

    @property
    def config(self) -> Any:
        """The provider's configuration."""
        return self.provider.config

    def warn(
        self,
        kind: WarningKind,
        subject: str,
        detail: str = "",
    ) -> None:
        """Report a compromise."""
        warning = CallWarning(kind, subject, detail)
        if warning not in self.warnings:
            self.warnings.append(warning)


class StreamParser(Protocol):
    """Turns the frames of one stream into events; holds that stream's state.

    ``finished`` is set by a finish reason: the stream is whole even if it ends
    without a terminator. ``done`` is set by the terminator: nothing follows.
    """

    finished: bool
    done: bool

    def feed(self, frames: list[Frame], out: list[Any]) -> None:
        """Append the events of *frames* to *out*; raise an `LLMError` for an error event."""
        ...

    def close(self, out: list[Any]) -> None:
        """Append what is due at the end of a whole stream: the `Finish` events."""
        ...


@frozen(kw_only=True)
class Exchange(Generic[Q, R]):
    """How to ask for an operation, and how to read its answer.

    *build* is pure: from a `Call` to an `HTTPRequest` whose URL is a path below
    the base URL. *parse* is pure: from the response's body to the result.
    *stream* makes a parser of the streamed answer.
    """

    build: Callable[[Call[Q]], HTTPRequest]
    parse: Callable[[Call[Q], HTTPResponse], R]
    stream: Callable[[Call[Q]], StreamParser] | None = None
    framing: type[Framing] = SSE


@frozen
class Procedure(Generic[Q, R]):
    """How to perform an operation of several exchanges: polling, pages, uploads in two steps.

    *perform* makes a flow; ``call.provider.fetch(call, request)`` is its next exchange.
    """

    perform: Callable[[Call[Q]], Flow[R]]


def json_request(path: str, body: Any, method: str = "POST") -> HTTPRequest:
    """A request with a JSON *body* to *path* below the base URL."""
    try:
        encoded = _encode(body)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        message = f"the request cannot be written as JSON: {error}"
        raise InvalidRequestError(message, phase="build") from None
    return HTTPRequest(
        method=method, url=path, body=encoded, headers={"content-type": "application/json"}
    )


def get_request(path: str, **query: Any) -> HTTPRequest:
    """A GET of *path* below the base URL; what is None of *query* is left out."""
    given = {name: value for name, value in query.items() if value is not None}
    return HTTPRequest(method="GET", url=path + ("?" + urlencode(given) if given else ""))


def segment(name: str) -> str:
    """*name* as one segment of a path, whatever characters it holds."""
    return quote(name, safe="")


def decode(decoder: msgspec.json.Decoder[S], data: bytes) -> S:
    """*data* decoded, its shape checked.

    Raises:
        ResponseFormatError: not JSON, or a wrong shape; the message has the JSON path.
    """
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, data) from None


def unreadable(error: Exception, data: bytes = b"") -> ResponseFormatError:
    """The error for an answer that cannot be read, with an excerpt that is safe to show."""
    start = data[:200].lstrip()
    if start.lower().startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml")):
        return ResponseFormatError("an HTML page came instead of an answer")
    reason = f"{type(error).__name__}: {error}" if not str(error) else str(error)
    if isinstance(error, KeyError):
        reason = f"the answer lacks {error}"
    if isinstance(error, _SHAPE) or not data:
        return ResponseFormatError(f"the answer has an unexpected shape: {reason}")
    excerpt = ascii(start.decode("utf-8", "replace"))[:200]
    return ResponseFormatError(f"the answer is not JSON ({reason}): {excerpt}")
