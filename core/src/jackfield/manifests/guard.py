"""The host guard: a provider's requests reach its manifest's hosts and its configuration's, and no other."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from attrs import evolve, fields, has

from ..config import is_loopback
from ..errors import HostRefusedError
from ..flow import HTTPRequest
from ..secret import HIDDEN
from .manifest import FILE, manifest_of

if TYPE_CHECKING:
    from ..provider import LLMProvider

PORTS = {"http": 80, "https": 443}


def address(url: str) -> str | None:
    """Host and port that *url* leads to; None where readers of URLs may differ on that."""
    if not url.isascii() or not url.isprintable() or any(c in url for c in ' \\"<>^`{|}'):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in PORTS or not host or "@" in parts.netloc or "%" in parts.netloc:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host.rstrip('.')}:{port}"


def matches(wanted: str, scheme: str, hosts: Iterable[str]) -> bool:
    """Whether one of *hosts*, as a manifest writes them, is *wanted*, a host with its port, over *scheme*."""
    host, _, port = wanted.rpartition(":")
    # Unencrypted, a host is meant only where it is this machine, or with its port.
    usual = port == str(PORTS[scheme]) and (scheme == "https" or is_loopback(f"http://{host}"))
    for entry in hosts:
        name, _, named = ("", "", "") if entry.endswith("]") else entry.rpartition(":")
        name = name or entry
        fits = host.endswith(name[1:]) if name.startswith("*.") else host == name
        if fits and (port == named if name != entry else usual):
            return True
    return False


class Guard:
    """What one party may reach, and what may see its credentials.

    *allowed* are hosts with ports, *hosts* as a manifest writes them; *told* says who
    it is, for the error.
    """

    def __init__(
        self, who: str, section: str, hosts: Iterable[str], allowed: Iterable[str] = ()
    ) -> None:
        self._who, self._section = who, section
        self._hosts, self._allowed = tuple(hosts), frozenset(allowed)
        self._passed: set[str] = set()

    def check(self, url: str) -> None:
        """Let *url* pass, or not.

        Raises:
            HostRefusedError: its host is neither declared nor configured.
        """
        start = "/".join(url.split("/", 3)[:3])
        if start in self._passed:
            return
        wanted = address(start)
        if wanted is None or not self._permits(wanted, urlsplit(start).scheme):
            raise self._refusal(wanted)
        self._passed.add(start)

    def _permits(self, wanted: str, scheme: str) -> bool:
        return wanted in self._allowed or matches(wanted, scheme, self._hosts)

    def _refusal(self, wanted: str | None) -> HostRefusedError:
        host = (wanted or "a host that cannot be made out").removesuffix(":443")
        said = (
            f"{self._who} would reach {host}, which neither its {FILE} nor its configuration names"
        )
        fix = f"its author declares it under hosts of [{self._section}]; you allow it with allow_hosts"
        return HostRefusedError(f"{said}; nothing was sent. If that host is right, {fix}")

    def stamp(
        self,
        request: HTTPRequest,
        auth: Mapping[str, str] | None = None,
        secret: Container[str] = HIDDEN,
    ) -> HTTPRequest:
        """*request* under this guard; what its *auth* and *secret* headers say is out of sight until it is sent."""
        if request.seal is not None:
            return request
        shown, hidden = dict(request.headers), dict(auth or ())
        for name in request.headers:
            if name in hidden or name in secret:
                hidden[name] = shown.pop(name)
        return evolve(request, headers=shown, seal=Seal(self, hidden))


class Seal:
    """What a request was stamped with: the guard of who made it, and its credentials, which do not print."""

    __slots__ = ("__hidden", "guard")

    def __init__(self, guard: Guard, hidden: Mapping[str, str]) -> None:
        self.guard, self.__hidden = guard, hidden

    def __repr__(self) -> str:
        return f"<Seal over {', '.join(self.__hidden) or 'no header'}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a sealed request cannot be pickled: it holds credentials")

    def open(self, request: HTTPRequest) -> HTTPRequest:
        """*request* as it is sent, its credentials in place.

        Raises:
            HostRefusedError: it would go where its maker must not.
        """
        self.guard.check(request.url)
        return evolve(request, headers={**request.headers, **self.__hidden}, seal=None)


class ProviderGuard(Guard):
    """The guard of a provider, from its manifest and its configuration."""

    def __init__(self, provider: LLMProvider) -> None:
        self.manifest = manifest = manifest_of(type(provider))
        extra = getattr(provider.config, "allow_hosts", ())
        super().__init__(
            provider.name,
            f"providers.{provider.info.name}",
            (*manifest.hosts, *extra),
            configured(provider.config, declared=manifest.contract is not None),
        )
        self._provider = provider

    @cached_property
    def _secret(self) -> frozenset[str]:
        """The names of headers that may hold a secret."""
        own = getattr(self._provider.config, "headers", ())
        return HIDDEN.union(name.lower() for name in own)

    def admit(self, request: HTTPRequest, auth: Mapping[str, str] | None = None) -> HTTPRequest:
        """*request* under this guard, with the credentials *auth*."""
        return self.stamp(request, auth, self._secret)


def configured(config: Any, *, declared: bool) -> Iterator[str]:
    """Hosts and ports to which *config* leads by what somebody set, and by its base URL if no manifest *declared* that."""
    for field in fields(type(config)) if has(type(config)) else ():
        value = getattr(config, field.name)
        if value != field.default or (field.name == "base_url" and not declared):
            url = value if isinstance(value, str) and "://" in value else ""
            if found := address("/".join(url.split("/", 3)[:3])):
                yield found
