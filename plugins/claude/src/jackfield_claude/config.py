"""The settings, and what of a call's own is no field of its body: the headers.

Source: https://docs.claude.com/en/api/versioning and https://docs.claude.com/en/api/beta-headers
"""

from __future__ import annotations

import re
from typing import Any

from attrs import field, frozen

from jackfield import HTTPConfig
from jackfield.exchange import Call
from jackfield.flow import HTTPRequest, with_header

BASE_URL = "https://api.anthropic.com"


def _root(url: str) -> str:
    """*url* without the version, which the paths bring: people write it both ways."""
    return re.sub(r"(/v1)?/*$", "", url)


@frozen(kw_only=True)
class ClaudeConfig(HTTPConfig):
    """*version* is the API's, by date; *betas* are switched on in every call.

    *bearer* sends the key as a bearer token, as gateways and OAuth want it.
    """

    base_url: str = field(default=BASE_URL, converter=_root)
    version: str = "2023-06-01"
    betas: tuple[str, ...] = ()
    bearer: bool = False


def fields(call: Call[Any]) -> dict[str, Any]:
    """The caller's own fields, but for ``betas``, which are a header."""
    return {key: value for key, value in call.options.items() if key != "betas"}


def with_headers(call: Call[Any], request: HTTPRequest) -> HTTPRequest:
    """*request* with the API's version and the betas of the configuration and the call."""
    asked = call.options.get("betas", ())
    betas = [*call.config.betas, *([asked] if isinstance(asked, str) else asked)]
    request = with_header(request, "anthropic-version", call.config.version)
    if not betas:
        return request
    return with_header(request, "anthropic-beta", ",".join(dict.fromkeys(betas)))
