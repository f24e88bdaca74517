"""The exception hierarchy, and the tables that choose from it.

* LLMError
  - ConfigError                 wrong before anything was sent
    · UnknownProviderError      nothing of that name is installed
    · PluginError               a plugin is installed, and broken
      x HostRefusedError        it would reach a host that nobody allowed
  - UnsupportedOperationError   this provider has no such operation
  - ProviderError               the provider answered, and the answer is no
    · AuthenticationError       401
    · PermissionDeniedError     403
    · QuotaExceededError        402: no money, no plan; retrying does not help
    · NotFoundError             404
    · InvalidRequestError       400, 422, 501, and requests we refuse to send
      x ContextLengthExceededError
      x ContentFilterError
    · RateLimitError            429, retryable
    · OverloadedError           503, 529, retryable
    · ServerError               other 5xx, retryable
  - TransportError              no answer arrived, retryable
    · RequestTimeoutError
  - ResponseFormatError         an answer arrived that nobody can read
    · ResponseTooLargeError
  - StreamInterruptedError      the stream broke; carries the *partial* response
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from .secret import mask
from .types import ChatResponse, ConfigIssue, Usage


class LLMError(Exception):
    """Base of everything this library raises on purpose.

    Beside the message: ``provider``, ``model``, ``phase`` (``config``, ``build``,
    ``connect``, ``head``, ``body`` or ``stream``), ``status`` and ``code`` as the
    provider gave them, ``request_id``, ``retry_after`` in seconds, ``retryable``,
    ``attempts`` made, and ``maybe_executed``: the provider may have done the work.
    """

    retryable: bool = False
    http_status: ClassVar[int] = 500
    """The status with which a gateway would report this error."""

    provider: str = ""
    model: str = ""
    phase: str = ""
    status: int | None = None
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    attempts: int = 1
    maybe_executed: bool = False

    def __init__(self, message: str = "", **facts: Any) -> None:
        super().__init__(mask(message))
        self.add(**facts)

    def add(self, **facts: Any) -> Self:
        """Set the facts that are not known yet; return the error."""
        for name, value in facts.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no fact {name!r}")
            if value is not None and name not in self.__dict__:
                setattr(self, name, value)
        return self

    def replace(self, old: str, new: str) -> None:
        """Put *new* for *old* wherever this error says it."""
        said = {n: v.replace(old, new) for n, v in self.__dict__.items() if isinstance(v, str)}
        self.__dict__.update(said)
        self.args = tuple(a.replace(old, new) if isinstance(a, str) else a for a in self.args)

    @property
    def message(self) -> str:
        """What happened, in a sentence, without the facts."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        facts = [str(self.status) if self.status else "", self.code or ""]
        who = "/".join(n for n in (self.provider, self.model) if n)
        note = " ".join(f for f in (who, *facts) if f)
        return f"{self.message} [{note}]" if note else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(kind: type[LLMError], args: tuple[Any, ...], facts: dict[str, Any]) -> LLMError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class ConfigError(LLMError):
    """Wrong before anything was sent; ``issues`` lists every problem at once."""

    http_status = 400
    phase = "config"
    issues: tuple[ConfigIssue, ...] = ()

    def __init__(self, message: str = "", issues: Sequence[ConfigIssue] = (), **facts: Any) -> None:
        listed = "".join(f"\n  - {issue}" for issue in issues)
        super().__init__(message + listed, **facts)
        self.issues = tuple(issues)


class UnknownProviderError(ConfigError):
    """No provider of that name is installed; the message says what is, and what to install."""

    http_status = 404


class PluginError(ConfigError):
    """A plugin is installed but cannot be used; the message names its distribution."""

    http_status = 500


class HostRefusedError(PluginError):
    """A plugin would reach a host that neither its manifest nor the configuration names."""

    phase = "connect"


class UnsupportedOperationError(LLMError):
    """This provider has no such operation."""

    http_status = 501
    phase = "build"


class ProviderError(LLMError):
    """The provider answered, and the answer is no."""

    http_status = 502


class AuthenticationError(ProviderError):
    """401: the key is missing, wrong or revoked."""

    http_status = 401


class PermissionDeniedError(ProviderError):
    """403: the key is good, but not for this."""

    http_status = 403


class QuotaExceededError(ProviderError):
    """402, or a 429 that means money: waiting a little does not help."""

    http_status = 402


class NotFoundError(ProviderError):
    """404: no such model or resource."""

    http_status = 404


class InvalidRequestError(ProviderError):
    """400, 422, or a request refused before sending; ``param`` names the field."""

    http_status = 400


class ContextLengthExceededError(InvalidRequestError):
    """The request does not fit the model's context window."""


class ContentFilterError(InvalidRequestError):
    """The provider's filter refused the request."""


class RateLimitError(ProviderError):
    """429: too fast; ``retry_after`` says for how long, if the provider did."""

    retryable = True
    http_status = 429


class OverloadedError(ProviderError):
    """503, 529: the provider cannot serve anybody right now."""

    retryable = True
    http_status = 503


class ServerError(ProviderError):
    """Any other 5xx."""

    retryable = True


class TransportError(LLMError):
    """No answer arrived; ``maybe_executed`` says whether the request may have."""

    retryable = True
    http_status = 502


class RequestTimeoutError(TransportError):
    """A deadline passed; ``phase`` says which."""

    http_status = 504


class ResponseFormatError(LLMError):
    """An answer arrived that nobody can read; the message has the JSON path."""

    http_status = 502
    phase = "body"


class ResponseTooLargeError(ResponseFormatError):
    """An answer is larger than the limit for bodies or events."""


class StreamInterruptedError(LLMError):
    """A stream broke before its dialect's end.

    ``partial`` is the response so far; ``__cause__`` is the typed reason, if there
    was one beside the silence. Retryable only while nothing had been delivered.
    """

    http_status = 502
    phase = "stream"
    partial: ChatResponse | None = None

    @property
    def partial_text(self) -> str:
        """The text that had arrived."""
        return self.partial.text if self.partial else ""

    @property
    def partial_usage(self) -> Usage:
        """The usage that had been reported."""
        return self.partial.usage if self.partial else Usage()


BY_STATUS: Mapping[int, type[LLMError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: InvalidRequestError,
    409: ServerError,
    408: ServerError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    425: ServerError,
    429: RateLimitError,
    498: AuthenticationError,
    501: InvalidRequestError,
    503: OverloadedError,
    529: OverloadedError,
}


def for_status(
    status: int | None, code: str | None, codes: Mapping[str, type[LLMError]]
) -> type[LLMError]:
    """The class for an answer with *status*; a known *code* of the dialect beats it."""
    if code and code in codes:
        # "Invalid" says less than 402: that there is no money, which others may have.
        poor = status == 402 and codes[code] is InvalidRequestError
        return QuotaExceededError if poor else codes[code]
    if status is None:
        return ProviderError
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status < 400:
        return ProviderError
    return ServerError if status >= 500 else InvalidRequestError
