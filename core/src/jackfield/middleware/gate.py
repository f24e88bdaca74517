"""The order in which calls start: each scope's in the order in which they came, within its limits."""

from __future__ import annotations

import heapq
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator

from ..flow import Signal
from ..manager.settings import LimitSettings
from .learning import INF, Hold, Told
from .rates import parse_rate
from .windows import Entry, Window

LEAVES = 1024
"""Of so many models at most is remembered what is known of them, when none of their calls is there."""


class Scope:
    """What *settings* limit together: all calls, a provider's, or a model's; *path* is where they stand."""

    def __init__(self, title: str, path: str, settings: LimitSettings) -> None:
        self.title, self.path, self.settings = title, path, settings
        given = {"requests": settings.requests, "tokens": settings.tokens}
        self.windows = {name: Window(parse_rate(r)) for name, r in given.items() if r is not None}
        self.concurrency = settings.concurrency or INF
        self.running = 0

    def times(self, requests: int, tokens: int, now: float) -> Iterator[tuple[float, str]]:
        """When each rate has room for so much more, and its name."""
        for name, window in self.windows.items():
            if amount := requests if name == "requests" else tokens:
                yield window.when(amount, now), name

    def when(self, tokens: int, now: float) -> float:
        """When there is room for a call; infinite while only another call's end can tell."""
        if self.running >= self.concurrency:
            return INF
        return max((at for at, _ in self.times(1, tokens, now)), default=now)


class Leaf:
    """Calls that have all limits in common: those of a model at a provider. They go in their order."""

    __slots__ = ("alive", "hold", "key", "queue", "scopes", "tokens")

    def __init__(self, key: tuple[str, str], scopes: tuple[Scope, ...]) -> None:
        self.key, self.scopes = key, scopes
        self.hold = Hold()
        self.queue: OrderedDict[Ticket, None] = OrderedDict()
        self.tokens = 0
        """Of the calls in the queue."""
        self.alive = 0
        """Calls in the queue or on their way."""


class Ticket:
    """A call's place in its line until the time *until*, and then what it has taken."""

    __slots__ = ("alarm", "answered", "at", "entries", "granted", "leaf", "number", "signal", "started", "tokens", "until")  # fmt: skip

    def __init__(self, leaf: Leaf, number: int, tokens: int, until: float) -> None:
        self.leaf, self.number, self.tokens, self.until = leaf, number, tokens, until
        self.at = INF
        """When there is room, if it is the first in line and nothing else happens."""
        self.signal, self.alarm = Signal(), -INF
        """What wakes it, and when it wakes by itself."""
        self.granted = self.started = self.answered = False
        self.entries: dict[Window, Entry] = {}


class Gate:
    """Admits calls. Its methods are called from any thread, and wait for nothing.

    A call is admitted when there is room in all of its scopes, and takes all at
    once; so nobody holds one while waiting for another. Nobody passes the first in
    line in the scope that holds it up for longest: calls of one scope start in the
    order in which they came, but for those that a narrower one holds up. Scopes
    form a tree: what is free for the first in line stays free for it.

    Times are of the drivers' clock. A call that is admitted counts as not started
    until it woke up and said when that is.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = -INF
        self._numbers = 0
        self._leaves: dict[tuple[str, str], Leaf] = {}
        self._waiting: dict[Leaf, None] = {}
        self._leaving: deque[Ticket] = deque()

    def enter(
        self, key: tuple[str, str], scopes: tuple[Scope, ...], tokens: int, until: float
    ) -> Ticket:
        """A place at the end of the line of *key*; *scopes* are from the narrowest to the widest."""
        with self._lock:
            leaf = self._leaves.get(key)
            if leaf is None or leaf.scopes != scopes:
                self._prune()
                leaf = self._leaves[key] = Leaf(key, scopes)
            self._numbers += 1
            ticket = Ticket(leaf, self._numbers, tokens, until)
            leaf.queue[ticket] = self._waiting[leaf] = None
            leaf.tokens += tokens
            leaf.alive += 1
        self._wake()
        return ticket

    def turn(self, ticket: Ticket, now: float) -> bool:
        """Whether *ticket* starts at *now*; if not, its signal is to be waited for until its alarm."""
        with self._lock:
            now = self._tick(now)
            woken = [] if ticket.granted else self._pump(now)
            if ticket.granted:
                ticket.started = True
                for window, entry in ticket.entries.items():
                    window.start(entry, now)
            else:
                ticket.signal = Signal()
                ticket.alarm = min(ticket.at, ticket.until)
        self._wake(woken)
        return ticket.granted

    def outlook(self, ticket: Ticket) -> tuple[float, Scope | None, str]:
        """The earliest time for *ticket* as things stand, and what holds it up: a setting of a scope.

        No scope is the provider's own limit. The time is a lower bound where calls
        of other models wait for the same, or an end must be awaited.
        """
        with self._lock:
            now, leaf = self._now, ticket.leaf
            worst: tuple[float, Scope | None, str] = (leaf.hold.when(now), None, "learn")
            for scope in leaf.scopes:
                requests, tokens = self._ahead(scope, leaf)
                for at, name in scope.times(requests, tokens, now):
                    if at > worst[0]:
                        worst = at, scope, name
            if worst[0] <= now:
                full = (s for s in leaf.scopes if s.running >= s.concurrency)
                worst = now, next(full, leaf.scopes[-1] if leaf.scopes else None), "concurrency"
        self._wake()
        return worst

    def _ahead(self, scope: Scope, leaf: Leaf) -> tuple[int, int]:
        """Requests and tokens of *scope* that wait in the line of *leaf*, or surely go in turn with it."""
        requests = tokens = 0
        for other in self._waiting:
            if other is leaf or (
                other.scopes[:1] == (scope,) and other.hold.when(self._now) <= self._now
            ):
                requests += len(other.queue)
                tokens += other.tokens
        return requests, tokens

    def told(self, ticket: Ticket, told: Told | None, now: float) -> None:
        """An answer came for *ticket*, and told something about the provider's limits, or nothing."""
        self._change(ticket, now, lambda hold, at: hold.answer(ticket.number, told, at))

    def refused(self, ticket: Ticket, seconds: float, now: float) -> None:
        """The provider refused *ticket*, and asked for a pause."""
        self._change(ticket, now, lambda hold, at: hold.pause(seconds, at))

    def _change(self, ticket: Ticket, now: float, change: Callable[[Hold, float], None]) -> None:
        with self._lock:
            now, hold = self._tick(now), ticket.leaf.hold
            self._answer(ticket)
            change(hold, now)
            woken = self._pump(now)
        self._wake(woken)

    def settle(self, ticket: Ticket, used: int, now: float) -> None:
        """*ticket* used so many tokens: what it took too much is given back, too little is charged now."""
        more = used - ticket.tokens
        with self._lock:
            now = self._tick(now)
            for scope in ticket.leaf.scopes:
                if (window := scope.windows.get("tokens")) is None:
                    continue
                if more > 0:
                    window.start(window.take(more), now)
                elif (entry := ticket.entries.get(window)) is not None:
                    window.give_back(entry, -more)
        self._wake()

    def forgo(self, ticket: Ticket) -> None:
        """*ticket* was let go and sent nothing: none of it counts. It is still to leave."""
        with self._lock:
            ticket.started = False

    def leave(self, ticket: Ticket) -> None:
        """*ticket* is done, or gives up: what it holds is free."""
        # The garbage collector may end a forgotten call, and so come here, in the middle of any
        # of the methods: then the one that has the lock sees to it.
        self._leaving.append(ticket)
        self._wake()

    def usage(self, scope: Scope, now: float) -> tuple[dict[str, int], int]:
        """What of each limit of *scope* is used, by the setting's name, and how many calls wait."""
        with self._lock:
            used = {name: window.counted(now) for name, window in scope.windows.items()}
            if scope.settings.concurrency is not None:
                used["concurrency"] = scope.running
            waiting = sum(len(leaf.queue) for leaf in self._waiting if scope in leaf.scopes)
        self._wake()
        return used, waiting

    def holds(self, now: float) -> dict[tuple[str, str], float]:
        """Until when providers' own limits hold up models."""
        with self._lock:
            times = {key: leaf.hold.when(now) for key, leaf in self._leaves.items()}
        self._wake()
        return {key: at for key, at in times.items() if at > now}

    def _wake(self, signals: Iterable[Signal] = ()) -> None:
        """Raise *signals*, without the lock, and see to whoever has left."""
        while True:
            for signal in signals:
                signal.set()
            if not self._leaving or not self._lock.acquire(blocking=False):
                return
            try:
                while self._leaving:
                    self._remove(self._leaving.popleft())
                signals = self._pump(self._now)
            finally:
                self._lock.release()

    # All below is done with the lock.

    def _tick(self, now: float) -> float:
        """*now*, or what was read later but told before."""
        self._now = max(self._now, now)
        return self._now

    def _pump(self, now: float) -> list[Signal]:
        """Admit whoever has room, in order; the signals of whoever is to look at the clock."""
        woken: list[Signal] = []
        if not self._waiting:
            return woken
        shut: set[Scope] = set()
        heads = [(next(iter(leaf.queue)).number, leaf) for leaf in self._waiting]
        heapq.heapify(heads)
        while heads:
            _, leaf = heapq.heappop(heads)
            ticket = next(iter(leaf.queue))
            ticket.at = INF
            if not shut.isdisjoint(leaf.scopes):
                continue
            ticket.at, narrow = self._when(ticket, now)
            if ticket.at <= now:
                self._grant(ticket, now)
                woken.append(ticket.signal)
                if leaf.queue:
                    heapq.heappush(heads, (next(iter(leaf.queue)).number, leaf))
                continue
            if narrow is not None:
                shut.add(narrow)
            if ticket.at < ticket.alarm:
                woken.append(ticket.signal)
        return woken

    @staticmethod
    def _when(ticket: Ticket, now: float) -> tuple[float, Scope | None]:
        """When there is room for *ticket*, and the scope that holds it up for longest, if one does.

        In scopes around that one others may pass meanwhile: nobody knows who will be there then.
        """
        at, narrow = max(now, ticket.leaf.hold.when(now)), None
        for scope in ticket.leaf.scopes:
            if (free := scope.when(ticket.tokens, now)) > at:
                at, narrow = free, scope
        return at, narrow

    def _grant(self, ticket: Ticket, now: float) -> None:
        ticket.granted = True
        ticket.leaf.hold.start(ticket.number, now)
        self._unqueue(ticket)
        for scope in ticket.leaf.scopes:
            scope.running += 1
            for name, window in scope.windows.items():
                if amount := 1 if name == "requests" else ticket.tokens:
                    ticket.entries[window] = window.take(amount)

    def _unqueue(self, ticket: Ticket) -> None:
        leaf = ticket.leaf
        del leaf.queue[ticket]
        leaf.tokens -= ticket.tokens
        if not leaf.queue:
            del self._waiting[leaf]

    def _remove(self, ticket: Ticket) -> None:
        leaf = ticket.leaf
        leaf.alive -= 1
        if not ticket.granted:
            self._unqueue(ticket)
        else:
            for scope in leaf.scopes:
                scope.running -= 1
            self._answer(ticket)
        if ticket.granted and not ticket.started:
            leaf.hold.cancel(ticket.number)
            for window, entry in ticket.entries.items():
                window.give_back(entry, entry.amount)
        if not leaf.alive and leaf.hold.blank(self._now):
            self._forget(leaf)

    @staticmethod
    def _answer(ticket: Ticket) -> None:
        if not ticket.answered:
            ticket.answered = True
            ticket.leaf.hold.flying -= 1

    def _prune(self) -> None:
        if len(self._leaves) >= LEAVES:
            for leaf in [leaf for leaf in self._leaves.values() if not leaf.alive]:
                self._forget(leaf)

    def _forget(self, leaf: Leaf) -> None:
        if self._leaves.get(leaf.key) is leaf:
            del self._leaves[leaf.key]
