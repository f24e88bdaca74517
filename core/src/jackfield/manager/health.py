"""The health of providers: seen in their traffic and by probes, with a history and incidents."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from ..drivers.concurrent import AsyncDriver
from ..drivers.sync import SyncDriver
from ..errors import ConfigError, LLMError
from ..flow import NOW, Flow, Wrapper, invoke
from ..hookspecs import hookimpl
from ..middleware.batch_costs import OWN
from ..middleware.timing import Stopwatch, utc_now
from ..provider import LLMProvider
from ..requests import ModelListRequest, Request, Timeout
from ..retrying import Budget
from ..types import ConfigIssue
from .history import History
from .observations import MOST, Finding, HealthStatus, Incident, Observation, Record, describe, find
from .settings import HealthSettings

LOG = logging.getLogger("jackfield.health")

_PROBE = "jackfield.probe"
_WORKERS = 32

Subscriber = Callable[[Incident], object]
"""Is told of an incident when it opens and when it closes; it must not block."""


def health_issues(path: str, settings: HealthSettings) -> Iterator[ConfigIssue]:
    """What is wrong with *settings*, which stand at *path* of a configuration."""
    for name in ("failures", "successes"):
        given = getattr(settings, name)
        if not isinstance(given, int) or isinstance(given, bool) or given < 1:
            problem = f"must be a whole number from 1 on, not {given!r}"
            yield ConfigIssue(f"{path}.{name}", problem, f"leave it out for {_default(name)}")
    for name in ("interval", "timeout", "window"):
        given = getattr(settings, name)
        number = isinstance(given, int | float) and not isinstance(given, bool)
        if given is None and name == "interval":
            continue
        if not number or not math.isfinite(given) or not 0.1 <= given <= 604800:
            problem = f"must be seconds from 0.1 to a week (604800), not {given!r}"
            yield ConfigIssue(f"{path}.{name}", problem, f"leave it out for {_default(name)}")


def _default(name: str) -> str:
    value = getattr(HealthSettings(), name)
    return "no probes" if value is None else str(value)


class Health:
    """Middleware that observes every attempt; it also probes, and keeps incidents.

    *clock* gives the time of day for windows and incidents; durations are of the
    drivers' clocks. Without a path in *settings* nothing is written. Thread-safe.

    Raises:
        ConfigError: something in *settings* is wrong; every problem is listed.
    """

    def __init__(
        self,
        settings: HealthSettings | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        driver: SyncDriver | None = None,
        async_driver: AsyncDriver | None = None,
    ) -> None:
        self.settings = settings or HealthSettings()
        if issues := list(health_issues("health", self.settings)):
            raise ConfigError("the settings of health have problems:", issues)
        self._clock = clock
        self._driver, self._async_driver = driver or SyncDriver(), async_driver or AsyncDriver()
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._over: deque[Incident] = deque(maxlen=MOST)
        self._subscribers: list[Subscriber] = []
        self._history = History(self.settings.path) if self.settings.path else None
        self._unwritten: list[Incident | Observation] = []
        self._loaded = self._history is None
        self._file = threading.Lock()
        self._earlier: dict[str, list[Observation]] = {}
        self._unclosed: list[Incident] = []
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    # Passive: what traffic shows.

    @hookimpl
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper | None:
        """Observe the attempt's end, unless it is a probe's."""
        if _PROBE in request.metadata:
            return None
        return partial(self._watched, provider, request)

    def _watched(self, provider: LLMProvider, request: Request[Any], flow: Flow[Any]) -> Flow[Any]:
        watch = Stopwatch()
        if not self._loaded:
            yield from invoke(self._load)
        try:
            result = yield from watch.around(flow)
        except LLMError as error:
            provider.conceal(error)
            self._note(provider.name, request.model, find(error), watch, describe(error))
            if self._unwritten:
                yield from invoke(self._write)
            raise
        except GeneratorExit:  # nothing may be yielded here: what is unwritten waits for the next
            if watch.first is not None:
                self._note(provider.name, request.model, Finding.OK, watch)
            raise
        self._note(provider.name, request.model, Finding.OK, watch)
        if self._unwritten:
            yield from invoke(self._write)
        return result

    def _note(
        self, name: str, model: str, finding: Finding | None, watch: Stopwatch, error: str = ""
    ) -> None:
        if finding is not None:
            self._take(
                Observation(
                    provider=name,
                    model=model,
                    at=self._clock(),
                    finding=finding,
                    error=error if finding is not Finding.OK else "",
                    latency=watch.total,
                    first=watch.first,
                )
            )

    def _take(self, seen: Observation, models: int | None = None) -> None:
        """Fold *seen* in, and tell everybody what it changed."""
        with self._lock:
            record = self._record(seen.provider)
            changed = record.observe(seen)
            record.model_count = record.model_count if models is None else models
            self._over.extend(i for i in changed if i.closed)
            if self._history:
                self._unwritten += [*([seen] if seen.probe else ()), *changed]
            told = list(self._subscribers) if changed else []
        for incident in changed:
            _log(incident)
            for subscriber in told:
                try:
                    subscriber(incident)
                except Exception:
                    LOG.exception("a subscriber to incidents failed")

    def _record(self, name: str) -> Record:
        if (record := self._records.get(name)) is None:
            record = self._records[name] = Record(name, self.settings)
            unclosed = [i for i in self._unclosed if i.provider == name]
            record.restore(self._earlier.pop(name, ()), unclosed)
        return record

    # Active: asking.

    def probe(self, provider: LLMProvider) -> Flow[HealthStatus]:
        """Ask *provider* for its models, once, and observe what comes of it.

        Where it has no such operation its configuration is checked alone. Only our own
        refusals (a limit that is reached, say) are no observation.
        """
        if not self._loaded:
            yield from invoke(self._load)
        from .. import transport  # noqa: F401  # loading it is not the time of who is asked first

        started = yield NOW
        error, models = "", None
        finding: Finding | None
        try:
            models = yield from self._ask(provider, started)
            finding = None if models is None else Finding.OK
        except LLMError as caught:
            provider.conceal(caught)
            finding, error = find(caught, probe=True), describe(caught)
        except Exception as bug:  # noqa: BLE001  # of a plugin: it is no use like that
            finding, error = Finding.DOWN, describe(LLMError(repr(bug)))
        took = (yield NOW) - started
        if finding is not None:
            seen = Observation(
                provider=provider.name,
                at=self._clock(),
                finding=finding,
                error=error,
                latency=took,
                probe=True,
            )
            self._take(seen, models)
        if self._unwritten:
            yield from invoke(self._write)
        return self._status(provider.name)

    def _ask(self, provider: LLMProvider, started: float) -> Flow[int | None]:
        """How many models *provider* has; None where it cannot be asked."""
        if issues := provider.check_config():
            raise ConfigError("; ".join(map(str, issues)))
        if ModelListRequest not in provider.operations:
            return None
        patience = self.settings.timeout
        request = ModelListRequest(
            timeout=Timeout(connect=min(5.0, patience), total=patience),
            metadata={_PROBE: True, OWN: True},
        )
        # With another's budget the call does not retry, and what wraps whole calls knows
        # that it is none of a program's.
        return len((yield from provider.call(request, budget=Budget(1, started + patience))))

    async def aprobe(self, provider: LLMProvider) -> HealthStatus:
        """`probe`, on the event loop."""
        return await self._async_driver.run(self.probe(provider))

    def probe_all(self, providers: Iterable[LLMProvider]) -> dict[str, HealthStatus]:
        """Probe *providers* side by side, blocking; their statuses by name, in their order."""
        asked = list(providers)
        waiting, lock = iter(asked), threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    provider = next(waiting, None)
                if provider is None:
                    return
                self._driver.run(self.probe(provider))

        threads = [
            threading.Thread(target=work, daemon=True) for _ in asked[:_WORKERS]
        ]  # daemons, unlike an executor's: a probe that hangs must not keep the program from its end
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {provider.name: self._status(provider.name) for provider in asked}

    async def aprobe_all(self, providers: Iterable[LLMProvider]) -> dict[str, HealthStatus]:
        """`probe_all`, on the event loop."""
        import anyio

        asked = list(providers)
        async with anyio.create_task_group() as group:
            for provider in asked:
                group.start_soon(self.aprobe, provider)
        return {provider.name: self._status(provider.name) for provider in asked}

    def start(self, providers: Collection[LLMProvider]) -> None:
        """Probe *providers*, a collection that may change, now and each *interval* until `stop`.

        Does nothing without an interval, and where it runs already.
        """
        with self._lock:
            if self.settings.interval is None or self._thread is not None:
                return
            self._stopping = threading.Event()
            self._thread = threading.Thread(
                target=self._run,
                args=(providers, self.settings.interval, self._stopping),
                name="jackfield-health",
                daemon=True,
            )
            self._thread.start()

    def _run(
        self, providers: Collection[LLMProvider], interval: float, stopping: threading.Event
    ) -> None:
        while True:
            try:
                self.probe_all(providers)
            except Exception:
                LOG.exception("a round of probes failed")
            if stopping.wait(interval):
                return

    def stop(self) -> None:
        """End the probes and write what is unwritten; waits for a probe under way."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stopping.set()
        if thread is not None:
            thread.join(self.settings.timeout)
        self._write()

    # What is known.

    def status(self) -> dict[str, HealthStatus]:
        """How each provider stands that was seen or probed, by name."""
        now = self._clock()
        with self._lock:
            return {name: record.status(now) for name, record in self._records.items()}

    def _status(self, name: str) -> HealthStatus:
        now = self._clock()
        with self._lock:
            return self._record(name).status(now)

    def incidents(self) -> list[Incident]:
        """The open incidents, of earlier processes too, and those that ended in this one, in the order of their opening."""
        self._load()
        with self._lock:
            found = [*self._over, *(i for r in self._records.values() for i in r.open.values())]
            found += [i for i in self._unclosed if i.provider not in self._records]
        return sorted(found, key=lambda incident: incident.opened)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Have *subscriber* told of incidents that open and close; the result ends that."""
        with self._lock:
            self._subscribers.append(subscriber)
        return partial(self._unsubscribe, subscriber)

    def _unsubscribe(self, subscriber: Subscriber) -> None:
        with self._lock:
            self._subscribers = [s for s in self._subscribers if s is not subscriber]

    # The file. Whoever reads or writes it waits for the others, in a thread that may block.

    def _load(self) -> None:
        """Read where earlier processes stopped; a file that cannot be used is a warning."""
        with self._file:
            if self._loaded or self._history is None:
                return
            try:
                self._earlier = self._history.checks()
                self._unclosed = self._history.unclosed()
            except ConfigError as error:
                LOG.warning("%s", error)
            self._loaded = True

    def _write(self) -> None:
        with self._file:
            with self._lock:
                grown = [i for r in self._records.values() for i in r.grown.values()]
                rows, self._unwritten = [*grown, *self._unwritten], []
                for record in self._records.values():
                    record.grown.clear()
            if rows and self._history is not None:
                try:
                    self._history.write(rows)
                except ConfigError as error:  # calls go on all the same
                    LOG.warning("%s", error)


def _log(incident: Incident) -> None:
    name, cause = incident.provider, incident.cause
    if incident.closed is None:
        said = "%s is %s: %d failures in a row, the last: %s"
        LOG.warning(said, name, cause, incident.observations, incident.last_error)
    else:
        lasted = (incident.closed - incident.opened).total_seconds()
        said = "%s is well again: was %s for %.0f s, %d failures"
        LOG.info(said, name, cause, lasted, incident.observations)
