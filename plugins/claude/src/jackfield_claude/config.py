"""The settings, and what of a call's own is no field of its body: the headers.

Source: https://docs.claude.com/en/api/versioning and https://docs.claude.com/en/api/beta-headers
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from jackfield import HTTPConfig
from jackfield.exchange import Call
from jackfield.flow import HTTPRequest, with_header

BASE_URL = "https://api.anthropic.com"

FILES_BETA = "files-api-2025-04-14"
"""Switched on in every call about files, or that refers to one."""


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


def with_headers(call: Call[Any], request: HTTPRequest, *betas: str) -> HTTPRequest:
    """*request* with the API's version and the betas: the configuration's, the call's, those in *betas*."""
    asked = call.options.get("betas", ())
    listed = [asked] if isinstance(asked, str) else asked
    betas = tuple(dict.fromkeys([*call.config.betas, *listed, *betas]))
    request = with_header(request, "anthropic-version", call.config.version)
    if not betas:
        return request
    return with_header(request, "anthropic-beta", ",".join(betas))


def needed(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The betas without which the service refuses *body*: that of files, if it refers to one."""
    return (FILES_BETA,) if _refers_to_files(body.get("messages")) else ()


def _refers_to_files(content: Any) -> bool:
    """Whether a file's id is in *content*: messages, or the blocks of one."""
    if not isinstance(content, list):
        return False
    return any(
        block.get("type") == "container_upload"
        or (isinstance(source := block.get("source"), Mapping) and source.get("type") == "file")
        or _refers_to_files(block.get("content"))
        for block in content
        if isinstance(block, Mapping)
    )
