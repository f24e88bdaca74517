"""What must not be in a file that others will read: keys, accounts, people; each star stands for a byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from attrs import fields, has

from ..provider import LLMProvider
from ..secret import KEYLIKE, Secret

ACCOUNT_FIELDS = (
    "account account_id api_key api_key_id client_ip creator_user_id email ip_address key_id org org_id "
    "organization organization_id owner_id project project_id project_number safety_identifier "
    "subscription_id team_id tenant_id user user_id user_email workspace_id"
).split()
"""Fields of JSON whose texts and numbers say whose account, or which person, it is."""

KEPT_HEADERS = ("content-type", "retry-after", "request-id", "x-request-id", "x-should-retry")
"""Headers of a response that a recording keeps, beside those that tell of rate limits."""

ELSEWHERE = "host.invalid"
"""What is written for the host of a server that is not everybody's."""

_FIELD = re.compile(
    r'("(?:{})"\s*:\s*)(?:"((?:[^"\\]|\\.)*)"|(\d+))'.format("|".join(ACCOUNT_FIELDS)),
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:org|proj|user|acct|team|wrkspc)[-_](?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,}\b"
)
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_SHORT = 8
"""Secrets of fewer characters are not looked for in texts: they would be found everywhere."""


def redact(text: str, secrets: Iterable[str | Secret] = ()) -> str:
    """*text* with stars for whatever looks like a key, an account or an address, and for *secrets*.

    It has as many bytes of UTF-8 as before, and is JSON, or a stream of it, if it was.
    """
    for secret in forms(secrets):
        text = text.replace(secret, _stars(secret))
    for pattern in (KEYLIKE, _ACCOUNT, _EMAIL):
        text = pattern.sub(lambda m: _stars(m[0]), text)
    return _FIELD.sub(_field, text)


def redacted(value: Any, secrets: Iterable[str | Secret] = ()) -> Any:
    """Plain data *value* as JSON has it, redacted as its text would be.

    Raises:
        TypeError: something in it is not plain data.
    """
    return json.loads(redact(json.dumps(value, ensure_ascii=False), secrets))


def redacted_bytes(payload: bytes, secrets: Iterable[str | Secret] = ()) -> bytes:
    """A body, redacted; of one that is no text, *secrets* alone."""
    try:
        return redact(payload.decode(), secrets).encode()
    except UnicodeDecodeError:
        for secret in forms(secrets):
            payload = payload.replace(secret.encode(), _stars(secret).encode())
        return payload


def redacted_headers(
    headers: Mapping[str, str], secrets: Iterable[str | Secret] = ()
) -> dict[str, str]:
    """The headers of a response that may be kept: see `KEPT_HEADERS`."""
    kept = ((name.lower(), value) for name, value in headers.items())
    known = {n: v for n, v in kept if n in KEPT_HEADERS or "ratelimit" in n}
    return {name: redact(value, secrets) for name, value in known.items()}


def redacted_url(
    url: str, secrets: Iterable[str | Secret] = (), hosts: Iterable[str] | None = None
) -> str:
    """*url* without user, query and fragment; a host that is not one of *hosts* is not told."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    if hosts is not None and parts.hostname not in {*hosts, "127.0.0.1", "localhost"}:
        place = ELSEWHERE
    return redact(f"{parts.scheme}://{place}{parts.path}", secrets)


def secrets_of(provider: LLMProvider) -> tuple[Secret, ...]:
    """The secrets that *provider* was configured with, or took from the environment."""
    found = list(_secrets(provider.config))
    key = getattr(provider, "key", None)
    return tuple(dict.fromkeys([*found, *([key] if isinstance(key, Secret) else [])]))


def hosts_of(cls: type[LLMProvider]) -> tuple[str, ...]:
    """The hosts that everybody who uses *cls* talks to: those of its settings' defaults."""
    defaults = (f.default for f in fields(cls.Config) if f.name.endswith("url"))
    hosts = (urlsplit(d).hostname for d in defaults if isinstance(d, str))
    return tuple(host for host in hosts if host)


def _secrets(value: Any) -> Iterable[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(item)
    elif has(type(value)):
        for attribute in fields(type(value)):
            yield from _secrets(getattr(value, attribute.name))


def forms(secrets: Iterable[str | Secret]) -> list[str]:
    """*secrets* as they may stand in a text: plain, in JSON, in a URL; the longest first."""
    plain = [s.reveal() if isinstance(s, Secret) else s for s in secrets]
    found = (f for s in plain for f in (s, json.dumps(s)[1:-1], quote(s, safe="")))
    return sorted({form for form in found if len(form) >= _SHORT}, key=len, reverse=True)


def _stars(text: str) -> str:
    return "*" * len(text.encode(errors="surrogatepass"))


def _field(match: re.Match[str]) -> str:
    name, told, number = match.groups()
    if number:
        return name + "1" + "0" * (len(number) - 1)
    return f'{name}"{_stars(told)}"'
