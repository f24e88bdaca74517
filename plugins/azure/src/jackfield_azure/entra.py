"""Credentials: a token of Entra ID, fetched when needed and renewed before it runs out.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import msgspec
from attrs import define, evolve, field
from msgspec import Struct

from jackfield import AuthenticationError, HTTPProvider, LLMError, ResponseFormatError, Secret
from jackfield.exchange import decode, segment
from jackfield.failures import make_error
from jackfield.flow import NOW, Flow, HTTPRequest, HTTPResponse
from jackfield.secret import MASK, Headers

SCOPE = "https://cognitiveservices.azure.com/.default"
MARGIN = 120.0
"""Seconds before its end at which a token is renewed."""

_CODES: dict[str, type[LLMError]] = {
    "invalid_client": AuthenticationError,
    "unauthorized_client": AuthenticationError,
    "invalid_grant": AuthenticationError,
}


class _Granted(Struct):
    access_token: str
    expires_in: float = 3600.0


_GRANTED = msgspec.json.Decoder(_Granted)


@define
class EntraToken:
    """The token of one configuration; shared by all calls of its provider."""

    config: Any
    value: Secret | None = None
    until: float = field(default=float("-inf"))

    def get(self, request: HTTPRequest) -> Flow[Secret]:
        """A token that is good for *request*, whose limits its fetching keeps.

        Raises:
            AuthenticationError: Entra ID refuses the client.
        """
        given: Secret | None = self.config.entra_token
        if given is not None:
            self.value = given
            return given
        now: float = yield NOW
        if self.value is None or now >= self.until - MARGIN:
            response: HTTPResponse = yield self._request(request)
            if response.status != 200:
                raise make_error(response, _CODES)
            granted = _granted(response)
            self.value, self.until = Secret(granted.access_token), now + granted.expires_in
        return self.value

    def _request(self, request: HTTPRequest) -> HTTPRequest:
        config = self.config
        form = {
            "client_id": config.client_id,
            "client_secret": config.client_secret.reveal(),
            "scope": SCOPE,
            "grant_type": "client_credentials",
        }
        return HTTPRequest(
            url=f"{config.authority.rstrip('/')}/{segment(config.tenant_id)}/oauth2/v2.0/token",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            deadline=request.deadline,
            connect=request.connect,
            idle=request.idle,
            tls=request.tls,
        )


def _granted(response: HTTPResponse) -> _Granted:
    try:
        return decode(_GRANTED, response.body)
    except ResponseFormatError:
        # The body may hold a token: nothing of it is shown.
        raise ResponseFormatError("Entra ID's answer is no token") from None


class Credentials(HTTPProvider):
    """A key in a header of Azure's own, or a token."""

    @cached_property
    def key(self) -> Secret | None:
        """The key, unless tokens are used instead."""
        return None if self._token else super().key

    @cached_property
    def _token(self) -> EntraToken | None:
        config = self.config
        given = config.entra_token or config.client_secret
        return EntraToken(config) if given is not None else None

    def auth_headers(self, key: Secret | None) -> Mapping[str, str]:
        """The resource's key; tokens are fetched when they are needed."""
        return {"api-key": key.reveal()} if key else {}

    def authorize(self, request: HTTPRequest) -> Flow[HTTPRequest]:
        """Sign *request* with the key, or with a token that is still good."""
        if self._token is None:
            return (yield from super().authorize(request))
        token = yield from self._token.get(request)
        bearer = {"authorization": f"Bearer {token.reveal()}"}
        return evolve(request, headers=Headers({**bearer, **request.headers}))

    def conceal(self, error: LLMError) -> None:
        """Take the key, the client's secret and the token out of *error*."""
        super().conceal(error)
        secrets = (self.config.client_secret, self._token and self._token.value)
        for secret in filter(None, secrets):
            error.replace(secret.reveal(), MASK)
