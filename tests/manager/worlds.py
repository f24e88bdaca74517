"""A manager's whole world in virtual time: a configuration file, and backends that speak real dialects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from faults.cases import KEY, PROVIDERS
from jackfield import ChatRequest, LLMError, ProviderManager
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import NOW, Flow, HTTPRequest
from jackfield.params import GenerationParams
from jackfield.testing.faults.answers import HEALTHY
from jackfield.testing.faults.dialects import find, spoken
from jackfield.testing.faults.reply import Reply
from jackfield.testing.faults.rows_status import STATUSES, failure
from jackfield.testing.faults.shaping import cut
from jackfield.testing.faults.values import Answer

PLAIN = replace(HEALTHY, reasoning=(), tools=())
"""An answer of text alone."""

REPEATABLE = ("408", "409", "429", "500", "502", "503", "504", "529", "broken", "silence")
ELSEWHERE = ("402", "no_money")
NEVER = ("400", "401", "403", "404", "413", "422")

Behaviour = Callable[[float, int], str]
"""From the time and how many came before to a word: ``ok``, a status, ``cut``, ``broken``, …"""


def always(word: str) -> Behaviour:
    """*word*, whenever."""
    return lambda _now, _nth: word


def during(start: float, end: float, word: str) -> Behaviour:
    """*word* from *start* until *end*, and all well otherwise."""
    return lambda now, _nth: word if start <= now < end else "ok"


HEALTHY_ALWAYS = always("ok")


class Place:
    """One backend at https://NAME.example: it notes what it is sent, and behaves."""

    def __init__(
        self, behaviour: Behaviour = HEALTHY_ALWAYS, latency: float = 0.1, answer: Answer = PLAIN
    ) -> None:
        self.behaviour, self.latency, self.answer = behaviour, latency, answer
        self.arrivals: list[float] = []
        self.sent: list[HTTPRequest] = []

    def serve(self, request: HTTPRequest, now: float) -> Scripted:
        """What comes of *request*."""
        word = self.behaviour(now, len(self.arrivals))
        self.arrivals.append(now)
        self.sent.append(request)
        dialect, operation = find(request.method, urlsplit(request.url).path, request.headers)
        answer = replace(self.answer, finish="filter") if word == "filtered" else self.answer
        reply = dialect.reply(operation, request.body or b"", answer)
        if word == "silence":
            return Scripted(status=None, delay=float("inf"))
        if word.isdecimal():
            reply = failure(int(word), STATUSES[int(word)])(reply)
        elif word == "no_money":
            reply = dialect.failure(429, "quota")
        elif word == "cut":
            reply = cut(reply)
        return self._scripted(replace(reply, parts=()) if word == "broken" else reply, word)

    def _scripted(self, reply: Reply, word: str) -> Scripted:
        pieces = tuple((0.0, part) for part in reply.parts)
        return Scripted(
            status=reply.status,
            headers=dict(reply.headers),
            delay=self.latency,
            pieces=pieces,
            cut=word in ("cut", "broken"),
        )


def provider_table(name: str, dialect: str = "openai", url: str = "", **more: Any) -> str:
    """``[providers.NAME]`` in TOML."""
    where = url or f"https://{name}.example{spoken()[dialect].prefix}"
    fields = {"provider": PROVIDERS[dialect], "base_url": where, "api_key": KEY}
    if dialect == "responses":
        fields["api"] = "responses"
    return table(f"providers.{name}", {**fields, **more})


def table(name: str, fields: Mapping[str, Any]) -> str:
    """A table in TOML."""
    lines = "".join(f"{key} = {_toml(value)}\n" for key, value in fields.items())
    return f"[{name}]\n{lines}\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return "'" + str(value) + "'"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value)


def everything(folder: Path) -> str:
    """The tables of a cache, a ledger and health, and wide limits."""
    return "".join(
        [
            table("limits", {"requests": "1000000/minute", "concurrency": 100_000}),
            table("cache", {"store": "memory"}),
            table("ledger", {"path": folder / "ledger.sqlite", "durability": "process"}),
            table("health", {"failures": 3}),
        ]
    )


def made(folder: Path, text: str, **options: Any) -> ProviderManager:
    """The manager of a configuration file that holds *text*."""
    file = folder / "jackfield.toml"
    file.write_text(text)
    return ProviderManager(file, **options)


@frozen
class Ended:
    """How a call ended: an answer or an error, from when to when."""

    outcome: Any
    began: float
    ended: float
    events: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def word(self) -> str:
        """The answer's text, or the error's kind."""
        if isinstance(self.outcome, Exception):
            return type(self.outcome).__name__
        return str(self.outcome.text)

    @property
    def well(self) -> bool:
        """Whether it is an answer."""
        return not isinstance(self.outcome, Exception)

    @property
    def by(self) -> str:
        """Who answered, of a route's targets."""
        return str(self.outcome.provider_metadata["jackfield"]["provider"]) if self.well else ""


def seen(flow: Flow[Any]) -> Flow[Ended]:
    """*flow*, and how it ended; its events are kept, as a caller of a stream would see them."""
    began, events = (yield NOW), []
    outcome: Any
    try:
        step = flow.send(None)
        while True:
            if type(step) is list:
                events += step
            try:
                got = yield step
            except LLMError as error:
                step = flow.throw(error)
            else:
                step = flow.send(got)
    except StopIteration as stop:
        outcome = stop.value
    except LLMError as error:
        outcome = error
    return Ended(outcome, began, (yield NOW), tuple(events))


class World:
    """A manager of a configuration file, and the *places* that its providers lead to by their names."""

    def __init__(self, folder: Path, text: str, **places: Place) -> None:
        self.manager = made(folder, text)
        self.places = places
        self.driver = VirtualDriver(self._serve)
        self.asked = 0

    def _serve(self, request: HTTPRequest, now: float) -> Scripted:
        name, _, _ = (urlsplit(request.url).hostname or "").partition(".")
        return self.places[name].serve(request, now)

    def ask(self, name: str, *, stream: bool = False, **fields: Any) -> Flow[Ended]:
        """A call of *name*, of a prompt that nobody asked before unless *fields* say another."""
        self.asked += 1
        given = {"model": "m", "messages": f"Question {self.asked}", **fields}
        params = given.pop("params", {})
        request = ChatRequest(params=GenerationParams(**params), **given)
        return seen(self.manager[name].call(request, stream=stream))

    def run(self, flows: Iterable[tuple[float, Flow[Any]]]) -> list[Any]:
        """The results of *flows*, that begin at their times, in their order."""
        found = self.driver.run_all(flows)
        for result in found:
            if isinstance(result, Exception):
                raise result
        return found

    def calls(self, name: str, count: int, every: float, **more: Any) -> list[Ended]:
        """How *count* calls of *name* ended, one every so many seconds."""
        start = self.driver.now
        return self.run((start + every * i, self.ask(name, **more)) for i in range(count))

    @property
    def arrivals(self) -> int:
        """How many requests reached a backend."""
        return sum(len(place.arrivals) for place in self.places.values())

    def close(self) -> None:
        """End it."""
        self.manager.close()


TIMEOUT = {"first_chunk": 1.0, "idle": 1.0, "total": 1.0}
"""Of one attempt: that of the call is the route's."""

Make = Callable[..., World]


def tally(ended: list[Ended]) -> Counter[str]:
    return Counter(e.by if e.well else e.word for e in ended)
