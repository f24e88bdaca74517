"""Keys of kept answers: a digest of all that an answer depends on, from which nothing can be read back."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Any
from weakref import WeakKeyDictionary

import attrs
import msgspec

from ..provider import LLMProvider
from ..requests import Request
from ..secret import Secret

FORMAT = 1
"""Goes up when kept answers are written in another way: those from before are found no more."""

_ASIDE = frozenset({"timeout", "metadata"})
"""What of a request does not change its answer."""

_SETTINGS_ASIDE = frozenset({"timeout", "retry", "breaker", "targets"})
"""What of a configuration does not, or is looked at by itself."""


class Keys:
    """Makes the keys of one store, whose random *salt* goes into each.

    A key covers the tenant (``metadata["tenant"]``), the provider's scope, and every
    field of the request but its timeout and its other metadata. A provider's scope is
    its class and kind, its settings (base URL and secret headers too) and its API
    key; that of a route, the scopes and models of its targets. A provider with a
    method ``cache_scope`` says itself what its answers depend on, beside its class:
    anything that JSON can hold, and for as long as it lives.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._scopes: WeakKeyDictionary[LLMProvider, bytes] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._encode = msgspec.json.Encoder(enc_hook=self._revealed, order="sorted").encode

    def key(self, provider: LLMProvider, request: Request[Any]) -> bytes | None:
        """The key of *request* to *provider*, 32 bytes; None where it holds what no wire can carry."""
        kind: Any = type(request)
        body = {name: getattr(request, name) for name in _names(kind) if name not in _ASIDE}
        if (params := body.get("params")) is not None:
            body["params"] = {name: _number(v) for name, v in _fields(params).items()}
        tenant = request.metadata.get("tenant")
        try:
            told = _ENCODE([FORMAT, kind.__name__, tenant, body])
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            return None
        return self._digest(self.scope(provider) + told)

    def scope(self, provider: LLMProvider) -> bytes:
        """A digest of what *provider*'s answers depend on, whatever it is asked."""
        with self._lock:
            known = self._scopes.get(provider)
        if known is None:
            made = self._scope(provider)
            with self._lock:  # the first to come decides: chance may be in it
                known = self._scopes.setdefault(provider, made)
        return known

    def _scope(self, provider: LLMProvider) -> bytes:
        kind, info = type(provider), provider.info
        own = getattr(provider, "cache_scope", None)
        told = _settings(provider) if own is None else own()
        targets = [(t.provider, t.model) for t in getattr(provider, "targets", ())]
        known = [f"{kind.__module__}.{kind.__qualname__}", info.name, info.contract, told, targets]
        try:
            return self._digest(self._encode(known))
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            return secrets.token_bytes(32)  # functions, say: nobody else's answers are the same

    def _revealed(self, value: Any) -> Any:
        """What stands for *value* before all is digested."""
        if isinstance(value, Secret):
            return value.reveal()
        if isinstance(value, LLMProvider):
            return self.scope(value)
        if isinstance(value, PurePath):
            return str(value)
        raise TypeError(f"a {type(value).__name__} is not data")

    def _digest(self, told: bytes) -> bytes:
        return hashlib.blake2b(told, key=self._salt, digest_size=32).digest()


_ENCODE = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


@lru_cache(maxsize=256)
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind))


def _fields(value: Any) -> Mapping[str, Any]:
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


def _settings(provider: LLMProvider) -> Any:
    """All settings that may change an answer, and the key, which the environment may have given."""
    config = provider.config
    known = _fields(config) if attrs.has(type(config)) else {"config": config}
    told = {name: value for name, value in known.items() if name not in _SETTINGS_ASIDE}
    return [told, getattr(provider, "key", None)]


def _number(value: Any) -> Any:
    """*value*, whole numbers alike: a temperature of 1 is one of 1.0."""
    return int(value) if type(value) is float and value.is_integer() else value
