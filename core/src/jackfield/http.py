"""Providers behind HTTP: each operation is an `Exchange`, and this performs them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from attrs import evolve

from .config import HTTPConfig, check_key, is_loopback
from .errors import ConfigError, InvalidRequestError, LLMError, UnsupportedOperationError
from .exchange import READ_ERRORS, Call, Exchange, unreadable
from .failures import make_error, note_exchange, request_id
from .flow import Flow, HTTPRequest, HTTPResponse
from .params import normalize
from .provider import Explanation, LLMProvider
from .requests import Request
from .secret import MASK, Headers, Secret, masked_headers
from .streaming import stream_flow
from .types import ChatResponse, ConfigIssue, Cost, Usage

R = TypeVar("R")

USER_AGENT = "jackfield/0.1"


class HTTPProvider(LLMProvider):
    """A provider spoken to over HTTP. Say who you are, and declare your exchanges."""

    Config = HTTPConfig
    exchanges: ClassVar[Mapping[type[Request[Any]], Exchange[Any, Any]]] = {}
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
        key = self.key
        return evolve(request, headers=Headers({**self.auth_headers(key), **request.headers}))

    def make_error(self, response: HTTPResponse) -> LLMError:
        """The typed error for a response that is not a success."""
        return make_error(response, self.error_codes)

    # The configuration.

    @cached_property
    def key(self) -> Secret | None:
        """The configured key, or the environment's. Override to say when none applies."""
        if self.config.api_key is not None:
            return cast("Secret", self.config.api_key)
        found = os.environ.get(self.info.api_key_env or "", "").strip()
        return Secret(found) if found else None

    @cached_property
    def _prefix(self) -> str:
        return str(self.config.base_url).rstrip("/")

    @cached_property
    def _base_headers(self) -> Headers:
        own = {k.lower(): v.reveal() for k, v in self.config.headers.items()}
        return Headers({"user-agent": USER_AGENT, **own})

    @cached_property
    def _tls(self) -> Any:
        config = self.config
        if not (config.ca_file or config.cert_file):
            return None
        from .drivers.seam import TLS

        return TLS(config.ca_file, config.cert_file, config.key_file)

    def check_config(self) -> Sequence[ConfigIssue]:
        """A missing key, or one that would travel in the clear."""
        issues = []
        if self.key is None and self.info.api_key_required and self.info.api_key_env:
            fix = f"set api_key in the configuration or {self.info.api_key_env} in the environment"
            issues.append(ConfigIssue("api_key", "there is none", fix))
        elif self.key is not None and self.config.api_key is None:
            issues += check_key(f"{self.info.api_key_env} in the environment", self.key.reveal())
        plain = urlsplit(self._prefix).scheme == "http"
        allowed = self.config.allow_insecure_http or is_loopback(self._prefix)
        if self.key and plain and not allowed:
            fix = "use https, or set allow_insecure_http = true"
            problem = "the key would be sent unencrypted to another machine"
            issues.append(ConfigIssue("base_url", problem, fix))
        return issues

    @cached_property
    def _checked(self) -> bool:
        issues = self.check_config()
        if issues:
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
        built = self.exchanges[type(call.request)].build(call)
        strict = self.config.strict if call.request.strict is None else call.request.strict
        if strict and call.warnings:
            listed = "; ".join(map(str, call.warnings))
            message = f"{self.name} cannot do this as asked: {listed}"
            raise InvalidRequestError(message, param=call.warnings[0].subject, phase="build")
        headers = Headers({**self._base_headers, **built.headers})
        return evolve(built, url=self._prefix + built.url, headers=headers, tls=self._tls)

    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]:
        """One attempt at *request*."""
        assert self._checked
        exchange = self.exchanges[type(request)]
        call = self.prepare(request, stream)
        timeout = request.timeout or self.config.timeout
        built = evolve(
            self.build(call),
            stream=stream,
            deadline=deadline,
            connect=timeout.connect,
            idle=timeout.idle,
        )
        # No generator of its own: a stream pays for every layer with every event.
        if not stream:
            return cast("Flow[R]", self._whole(call, exchange, built))
        if exchange.stream is None:
            message = f"{self.name} cannot stream a {type(request).__name__}"
            raise UnsupportedOperationError(message)
        return stream_flow(call, exchange, built, timeout)

    def _whole(
        self, call: Call[Any], exchange: Exchange[Any, Any], request: HTTPRequest
    ) -> Flow[Any]:
        """Send *request* and read its whole response."""
        signed = yield from self.authorize(request)
        response: HTTPResponse = yield signed
        note_exchange(self.name, request, response)
        if not 200 <= response.status < 300:
            raise self.make_error(response)
        return self.read(call, exchange, response)

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
            result = evolve(result, warnings=(*call.warnings, *result.warnings))
        if isinstance(result, ChatResponse) and result.cost.amount is None:
            cost = self.price(result.model or call.request.model, result.usage)
            result = result if cost is None else evolve(result, cost=cost)
        return result

    def price(self, model: str, usage: Usage) -> Cost | None:
        """The computed cost of *usage*, where a plugin knows the model's price."""
        if self._hook is None or not self._hook.price_model.get_hookimpls():
            return None
        pricing = self._hook.price_model(provider=self.info.name, model=model)
        return None if pricing is None else cast("Cost", pricing.cost(usage))

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
        exchange = self.exchanges.get(type(request))
        if exchange is None:
            raise UnsupportedOperationError(f"{self.name} has no {type(request).__name__}")
        call = self.prepare(request)
        built = self.build(call)
        auth = self.auth_headers(self.key)
        return Explanation(
            provider=self.name,
            model=request.model,
            method=built.method,
            url=built.url,
            headers=masked_headers({**auth, **built.headers}, [*auth, *self.config.headers]),
            body=msgspec.json.decode(built.body) if built.body else None,
            warnings=tuple(call.warnings),
        )
