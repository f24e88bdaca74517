"""The cache: an answer that was given once is given again, and identical calls are made once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from attrs import define, evolve, frozen

from ..errors import ConfigError, InvalidRequestError, LLMError
from ..events import replay
from ..flow import NOW, Flow, Wrapper, invoke
from ..hookspecs import hookimpl
from ..manager.encoding import decode, dumps, encode
from ..manager.settings import CacheSettings
from ..operations.ranking import RerankRequest
from ..provider import LLMProvider
from ..requests import ChatRequest, EmbeddingRequest, Request, Timeout
from ..types import ChatResponse, ConfigIssue, Cost, FinishReason, RefusalPart
from .cache_flights import Flight, within
from .cache_keys import Keys
from .cache_stores import LOG, DiskStore, MemoryStore, Store
from .folders import state_file
from .timing import utc_now

T = TypeVar("T")

KEPT = frozenset({ChatRequest, EmbeddingRequest, RerankRequest})
"""The requests whose answers are kept; what is random by design or changes something is not."""

_STOPPED = frozenset({FinishReason.CONTENT_FILTER, FinishReason.ERROR})
_LEADERS = 2
"""For so many calls that bring nothing one waits; then one asks by oneself."""

_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, LLMError)


@frozen(kw_only=True)
class CacheStatistics:
    """How calls went: *hits* were kept answers, *joined* waited for an identical call, *misses* asked."""

    hits: int = 0
    misses: int = 0
    joined: int = 0
    stored: int = 0


def cache_issues(path: str, settings: CacheSettings) -> Iterator[ConfigIssue]:
    """What is wrong with *settings*, which stand at *path* of a configuration."""
    for name in ("ttl", "entries", "megabytes"):
        if not 0 < (given := getattr(settings, name)) < float("inf"):
            fix = "leave out the cache to keep nothing" if name == "ttl" else "leave it out"
            yield ConfigIssue(f"{path}.{name}", f"must be above 0, not {given!r}", fix)


@define
class _Call:
    """One call on its way through the cache."""

    provider: LLMProvider
    request: Request[Any]
    refresh: bool

    @property
    def timeout(self) -> Timeout:
        timeout: Timeout = self.request.timeout or self.provider.config.timeout
        return timeout


class Cache:
    """Middleware around outermost calls: chats, embeddings and rankings are answered from *settings*' store.

    A kept answer is the first one, but costs nothing: its ``cost`` is 0, and
    ``provider_metadata["jackfield"]`` holds ``"cache"`` (``"hit"``, or ``"joined"`` where
    an identical call was on its way) and ``"saved"``, what it cost at first as text, None
    where that is unknown. Its usage is the first one's. A stream gets it as events.

    Only whole answers are kept: no errors, no answers that a filter or an error
    stopped, no refusals, none whose consumer left. ``metadata={"cache": False}`` goes
    past the cache, ``"refresh"`` asks anew and keeps the answer. *clock* tells the
    age of what is on disk.

    Raises:
        ConfigError: the settings make no sense; all that is wrong with them is listed.
    """

    def __init__(
        self,
        settings: CacheSettings | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        settings = settings or CacheSettings()
        if issues := list(cache_issues("cache", settings)):
            raise ConfigError("the cache has problems:", issues)
        self._clock = clock
        self._store: Store = MemoryStore(settings)
        self._spare = Keys(self._store.salt(0.0) or b"")
        if settings.store == "disk":
            self._store = DiskStore(state_file("cache.sqlite3", settings.path), settings)
        self._keys: Keys | None = None if self._store.blocking else self._spare
        self._flights: dict[bytes, Flight] = {}
        self._landing = threading.RLock()
        self._counts = dict.fromkeys(("hits", "misses", "joined", "stored"), 0)
        self._lock = threading.Lock()

    @property
    def statistics(self) -> CacheStatistics:
        """How calls went so far."""
        with self._lock:
            return CacheStatistics(**self._counts)

    def close(self) -> None:
        """Close the file, where there is one."""
        self._store.close()

    @hookimpl
    def wrap_call(
        self, provider: LLMProvider, request: Request[Any], nested: bool
    ) -> Wrapper | None:
        """Answer *request* from what is kept, or keep its answer.

        Raises:
            InvalidRequestError: its metadata ask for what there is not.
        """
        if nested or type(request) not in KEPT:
            return None
        wanted = request.metadata.get("cache", True)
        if wanted is False:
            return None
        if wanted not in (True, "refresh"):
            message = f"metadata: cache is {wanted!r:.40}: write False, or 'refresh'"
            raise InvalidRequestError(message, param="metadata", phase="build")
        return partial(self._call, _Call(provider, request, wanted == "refresh"))

    # The call.

    def _call(self, call: _Call, flow: Flow[Any]) -> Flow[Any]:
        try:
            key = (yield from self._keyring()).key(call.provider, call.request)
            if key is None:
                LOG.debug("%s: a request holds what has no key: not cached", call.provider.name)
                return (yield from flow)
            if call.refresh:
                return (yield from self._ask(flow, key))[0]
            return (yield from self._shared(call, flow, key))
        finally:
            flow.close()

    def _shared(self, call: _Call, flow: Flow[Any], key: bytes) -> Flow[Any]:
        """Lead or follow; who followed in vain asks within what is left of the call's time."""
        timeout = call.timeout
        deadline = (yield NOW) + timeout.total
        for turn in range(_LEADERS):
            mine = Flight()
            flight = self._flights.setdefault(key, mine)
            if flight is mine:
                own = within(flow, deadline) if turn else flow
                return (yield from self._lead(own, key, mine))
            try:
                ended = yield from flight.follow(deadline, min(timeout.idle, timeout.total / 4))
            except LLMError as error:
                error.add(provider=call.provider.name, model=call.request.model)
                raise
            if flight.kept is not None:
                how = "hit" if flight.found else "joined"
                self._count("hits" if flight.found else "joined")
                return (yield from _given(_read(flight.kept), how))
            if not ended:
                self._landed(key, flight)
        return (yield from self._ask(within(flow, deadline), key))[0]

    def _lead(self, flow: Flow[Any], key: bytes, flight: Flight) -> Flow[Any]:
        """Look for the answer, or ask; whoever follows is told how that ended."""
        try:
            found = yield from self._find(key)
            if found is None:
                response, flight.kept = yield from self._ask(flight.watch(flow), key)
                return response
            flight.found, flight.kept = True, found[0]
        finally:
            self._landed(key, flight)
            flight.ended.set()
        self._count("hits")
        return (yield from _given(found[1], "hit"))

    def _landed(self, key: bytes, flight: Flight) -> None:
        """Have nobody wait for *flight* any more."""
        # Reentrant: a leader that was dropped may be collected in here, and land in its turn.
        with self._landing:
            if self._flights.get(key) is flight:
                self._flights.pop(key, None)

    def _ask(self, flow: Flow[T], key: bytes) -> Flow[tuple[T, bytes | None]]:
        """The answer, and what of it was kept."""
        self._count("misses")
        response = yield from flow
        kept = _written(response)
        if kept is not None and (yield from self._done(partial(self._store.put, key, kept))):
            self._count("stored")
        return response, kept

    # The store.

    def _keyring(self) -> Flow[Keys]:
        """Keys for the store; for this process alone, while its file cannot be used."""
        if self._keys is not None:
            return self._keys
        salt = yield from self._done(self._store.salt)
        return self._spare if salt is None else self._salted(salt)

    def _salted(self, salt: bytes) -> Keys:
        with self._lock:  # the first to come makes them for all
            if self._keys is None:
                self._keys = Keys(salt)
            return self._keys

    def _find(self, key: bytes) -> Flow[tuple[bytes, Any] | None]:
        """What is kept under *key*, as it is and read; None where nothing can be read."""

        def find(now: float) -> tuple[bytes, Any] | None:
            kept = self._store.get(key, now)
            try:
                return None if kept is None else (kept, _read(kept))
            except _UNREADABLE as error:
                LOG.debug("a kept answer cannot be read: %r", error)
                return None

        return (yield from self._done(find))

    def _done(self, act: Callable[[float], T]) -> Flow[T]:
        """What *act* returns for the store's time, off the event loop where it waits for a disk."""
        if self._store.blocking:
            return (yield from invoke(lambda: act(self._clock().timestamp())))
        return act((yield NOW))

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def _written(response: Any) -> bytes | None:
    """*response* as it is kept; None where it is not to be, or holds what cannot be."""
    if isinstance(response, ChatResponse):
        answers: tuple[Any, ...] = (response, *response.alternatives)
        if any(a.finish_reason in _STOPPED for a in answers):
            return None
        if any(isinstance(p, RefusalPart) for a in answers for p in a.message.content):
            return None
    try:
        return dumps(encode(response)).encode()
    except (*_UNREADABLE, RecursionError) as error:
        LOG.debug("an answer is not kept: %s", error)
        return None


def _read(kept: bytes) -> Any:
    return decode(json.loads(kept))


def _given(response: Any, how: str) -> Flow[Any]:
    """*response* once more, marked, and as events for whoever takes them."""
    known: Mapping[str, Any] = response.provider_metadata.get("jackfield") or {}
    saved = None if response.cost.amount is None else str(response.cost.amount)
    mark = {**known, "cache": how, "saved": saved}
    cost = Cost(amount=Decimal(0), currency=response.cost.currency, source="computed")
    metadata = {**response.provider_metadata, "jackfield": mark}
    response = evolve(response, cost=cost, provider_metadata=metadata)
    if isinstance(response, ChatResponse):
        yield replay(response)
    return response
