"""The proxy that the environment names: looked up, parsed, and never shown, as it may hold a password."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from .errors import ConfigError
from .secret import Secret
from .types import ConfigIssue


def environments_proxy(scheme: str, host: str) -> Secret | None:
    """The proxy for *host* and *scheme*, from ``HTTP_PROXY`` and its like; None if there is none."""
    proxies = {} if proxy_bypass(host) else getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    return Secret(found) if found else None


def parsed_proxy(address: Secret) -> dict[str, Any]:
    """What httpcore2 wants to know of the proxy at *address*.

    Raises:
        ConfigError: it is not the address of an HTTP proxy.
    """
    parsed = _parsed(address)
    if parsed is None:
        issue = ConfigIssue("proxy", "is not an http(s) URL", "write http://host:port")
        raise ConfigError("the environment names a proxy that cannot be used:", [issue])
    return parsed


def _parsed(address: Secret) -> dict[str, Any] | None:
    given = address.reveal()
    try:
        parts = urlsplit(given if "://" in given else f"http://{given}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return {"proxy_url": f"{parts.scheme}://{host}:{port}", "proxy_auth": auth}
