"""Providers behind HTTP: each operation is an `Exchange`, and this performs them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import quote, urlsplit

import msgspec
from attrs import evolve

from .config import HTTPConfig, check_key, is_loopback
from .drivers.seam import TLS
from .errors import (
    ConfigError,
    LLMError,
    PluginError,
    ResponseFormatError,
    UnsupportedOperationError,
)
from .exchange import READ_ERRORS, Call, Exchange, Procedure, unreadable
from .failures import make_error, note_exchange, request_id
from .flow import Flow, HTTPRequest, HTTPResponse
from .params import normalize
from .provider import Explanation, LLMProvider
from .requests import Request
from .secret import MASK, Headers, Secret, masked_headers
from .streaming import stream_flow
from .types import ConfigIssue, Cost, Usage

R = TypeVar("R")

Exchanges = Mapping[type[Request[Any]], Exchange[Any, Any] | Procedure[Any, Any]]

USER_AGENT = "jackfield/0.1"


def origin(url: str) -> str:
    """Scheme, host and port of *url*, as it writes them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class HTTPProvider(LLMProvider):
    """A provider spoken to over HTTP. Say who you are, and declare your exchanges."""

    Config = HTTPConfig
    exchanges: ClassVar[Exchanges] = {}
    error_codes: ClassVar[Mapping[str, type[LLMError]]] = {}

    @property
    def operations(self) -> frozenset[type[Request[Any]]]:
        """The request types that have an exchange."""
        return frozenset(self.exchanges)

    # What authors may override.

    def auth_headers(self, key: Secret | None) -> Mapping[str, str]:
        """The headers that carry the key; a bearer token unless overridden."""
        return {"authorization": f"Bearer {key.reveal()}"} if key else {}

    def authorize(self, request: HTTPRequest) -> Flow[HTTPRequest]:
        """Sign *request*. A flow, so that fetching a token is just more effects."""
        yield from ()
        return self.guard.admit(request, self.auth_headers(self.key))

    def exchange_for(self, request: Request[Any]) -> Exchange[Any, Any] | Procedure[Any, Any]:
        """How to perform *request*: its type's exchange, unless overridden."""
        return self.exchanges[type(request)]

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error for a response that is not a success."""
        return make_error(response, self.error_codes)

    # The configuration.

    @cached_property
    def key(self) -> Secret | None:
        """The configured key, or the environment's. Override to say when none applies."""
        if self.config.api_key is not None:
            return cast("Secret", self.config.api_key)
        name = self.info.key_variable
        found = os.environ.get(name or "", "").strip()
        return Secret(found) if found and self.guard.manifest.may_read(name) else None

    @cached_property
    def _prefix(self) -> str:
        return str(self.config.base_url).rstrip("/")

    @cached_property
    def origin(self) -> str:
        """Scheme, host and port of the base URL."""
        return origin(self._prefix)

    @cached_property
    def origins(self) -> tuple[str, ...]:
        """Where requests, and the key with them, may go; override where more is configured."""
        return (self.origin,)

    @cached_property
    def _base_headers(self) -> Headers:
        own = {k.lower(): v.reveal() for k, v in self.config.headers.items()}
        return Headers({"user-agent": USER_AGENT, **own})

    @cached_property
    def _tls(self) -> Any:
        config = self.config
        if not (config.ca_file or config.cert_file):
            return None
        return TLS(config.ca_file, config.cert_file, config.key_file)

    def check_config(self) -> Sequence[ConfigIssue]:
        """A missing key, or one that would travel in the clear."""
        issues = []
        if self.key is None and self.info.api_key_required and self.info.api_key_env:
            fix = f"set api_key in the configuration or {self.info.api_key_env} in the environment"
            issues.append(ConfigIssue("api_key", "there is none", fix))
        elif self.key is not None and self.config.api_key is None:
            issues += check_key(f"{self.info.key_variable} in the environment", self.key.reveal())
        plain = urlsplit(self._prefix).scheme == "http"
        allowed = self.config.allow_insecure_http or is_loopback(self._prefix)
        if self.key and plain and not allowed:
            fix = "use https, or set allow_insecure_http = true"
            problem = "the key would be sent unencrypted to another machine"
            issues.append(ConfigIssue("base_url", problem, fix))
        return issues

    @cached_property
    def _checked(self) -> bool:
        if issues := self.check_config():
            raise ConfigError(f"{self.name} is not ready:", issues, provider=self.name)
        return True

    # The flows.

    def prepare(self, request: Request[Any], stream: bool = False) -> Call[Any]:
        """The call for *request*, its parameters normalized."""
        params = getattr(request, "params", None)
        wire, warnings = normalize(self.params, params) if params is not None else ({}, [])
        options = request.provider_options.get(self.info.name, {})
        return Call(
            request=request,
            provider=self,
            wire=wire,
            warnings=warnings,
            options=options,
            stream=stream,
        )

    def build(self, call: Call[Any]) -> HTTPRequest:
        """The request for *call*, whole but for its credentials.

        Raises:
            InvalidRequestError: it cannot be expressed, or not without a compromise
                although the call is strict.
        """
        exchange = self.exchange_for(call.request)
        if isinstance(exchange, Procedure):
            message = f"{self.name}: a {type(call.request).__name__} is several requests"
            raise UnsupportedOperationError(f"{message}: there is no one to show")
        return self.addressed(call, exchange.build(call))

    def addressed(self, call: Call[Any], built: HTTPRequest) -> HTTPRequest:
        """*built*, a request of *call*, with the base URL, our headers and the call's limits."""
        if type(built) is not HTTPRequest:
            said = (
                f"{self.name} builds a {type(built).__name__} for a {type(call.request).__name__}"
            )
            raise PluginError(f"{said}: return json_request(path, body), or an HTTPRequest")
        self.strictly(call.request, call.warnings)
        timeout, url = call.timeout, built.url
        if "://" in url:
            # What an answer told us to fetch: the key goes to its own origin and nowhere else.
            if origin(url) not in self.origins:
                told = (
                    f"{origin(url)} is another server than {self.origin}, whose key it must not get"
                )
                raise ResponseFormatError(f"{told}: only what a Procedure yields goes elsewhere")
        else:
            url = self._prefix + quote(url, safe="%/:?#[]@!$&'()*+,=")  # names of models, say
        return evolve(
            built,
            url=url,
            headers=Headers({**self._base_headers, **built.headers}),
            tls=self._tls,
            deadline=call.deadline,
            connect=timeout.connect,
            idle=timeout.idle,
        )

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt at *request*."""
        assert self._checked
        exchange = self.exchange_for(request)
        call = self.prepare(request, stream)
        call.timeout, call.deadline = request.timeout or self.config.timeout, deadline
        # No generator of its own: a stream pays for every layer with every event.
        if isinstance(exchange, Procedure):
            return cast("Flow[R]", self._performed(call, exchange))
        built = self.build(call)
        if not stream:
            return cast("Flow[R]", self._whole(call, exchange, built))
        if exchange.stream is None:
            raise UnsupportedOperationError(f"{self.name} cannot stream a {type(request).__name__}")
        return stream_flow(call, exchange, evolve(built, stream=True), call.timeout)

    def _whole(
        self, call: Call[Any], exchange: Exchange[Any, Any], request: HTTPRequest
    ) -> Flow[Any]:
        """Send *request* and read its whole response."""
        response = yield from self._exchanged(request)
        return self.read(call, exchange, response)

    def _performed(self, call: Call[Any], procedure: Procedure[Any, Any]) -> Flow[Any]:
        """Take the steps of *procedure*."""
        try:
            return self.finish(call, (yield from procedure.perform(call)))
        except READ_ERRORS as error:
            raise unreadable(error) from None

    def fetch(self, call: Call[Any], request: HTTPRequest) -> Flow[HTTPResponse]:
        """Send *request*, one of several of *call*; return its whole response, a success.

        Its URL is a path below the base URL, or a whole one of the same `origin`.
        """
        return (yield from self._exchanged(self.addressed(call, request)))

    def _exchanged(self, request: HTTPRequest) -> Flow[HTTPResponse]:
        signed = yield from self.authorize(request)
        response: HTTPResponse = yield signed
        note_exchange(self.name, request, response)
        if response.status == 202:
            response = yield from self.await_answer(signed, response)
        if not 200 <= response.status < 300:
            raise self.make_error(response)
        return response

    def await_answer(self, signed: HTTPRequest, response: HTTPResponse) -> Flow[HTTPResponse]:
        """What comes of a 202, accepted; override to ask again until the answer is there."""
        yield from ()
        return response

    def read(self, call: Call[Any], exchange: Exchange[Any, Any], response: HTTPResponse) -> Any:
        """The result in a whole response, with the call's warnings and cost."""
        try:
            result = exchange.parse(call, response)
        except LLMError as error:
            error.add(status=response.status, request_id=request_id(response.headers))
            raise
        except READ_ERRORS as error:
            raise unreadable(error, response.body) from None
        return self.finish(call, result)

    def finish(self, call: Call[Any], result: Any) -> Any:
        """*result* with the call's warnings, and its cost if that can be known."""
        if call.warnings and hasattr(result, "warnings"):
            told = (w for w in call.warnings if w not in result.warnings)
            result = evolve(result, warnings=(*told, *result.warnings))
        if getattr(result, "cost", None) is not None and result.cost.amount is None:
            cost = self.price(result.model or call.request.model, result.usage)
            result = result if cost is None else evolve(result, cost=cost)
        return result

    def price(self, model: str, usage: Usage) -> Cost | None:
        """The computed cost of *usage*, where a plugin knows the model's price."""
        pricing = self.pricing(model)
        return None if pricing is None else pricing.cost(usage)

    def conceal(self, error: LLMError) -> None:
        """Take the key and secret headers out of *error*: some servers repeat what they were sent."""
        secrets = [s.reveal() for s in (self.key, *self.config.headers.values()) if s]
        for secret in (s for s in secrets if len(s) >= 8):
            link: BaseException | None = error
            while isinstance(link, LLMError):
                link.replace(secret, MASK)
                link = link.__cause__

    def preview(self, request: Request[Any]) -> Explanation:
        """What *request* would send, credentials masked."""
        if type(request) not in self.operations:
            raise UnsupportedOperationError(f"{self.name} has no {type(request).__name__}")
        call = self.prepare(request)
        built = self.build(call)
        auth = self.auth_headers(self.key)
        told = built.headers.get("content-type", "application/json") == "application/json"
        return Explanation(
            provider=self.name,
            model=request.model,
            method=built.method,
            url=built.url,
            headers=masked_headers({**auth, **built.headers}, [*auth, *self.config.headers]),
            body=msgspec.json.decode(built.body) if built.body and told else built.body,
            warnings=tuple(call.warnings),
        )
