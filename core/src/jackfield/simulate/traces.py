"""Traces: the calls that a simulation makes, from a file or made up from a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any, NoReturn

import msgspec
from attrs import frozen

from ..errors import ConfigError
from ..middleware.rates import parse_rate
from ..types import ConfigIssue
from .scenario import LONGEST, parse_duration

TOKENS = 10_000_000
"""The most tokens that a prompt or answer of a trace has."""

_TOLD = 20
_NORMAL = NormalDist()
_Tokens = Annotated[int, msgspec.Meta(ge=1, le=TOKENS)]


class Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call: *at* so many seconds; *model* is whom it means, be it a route; *max_tokens* is what it asks for.

    Calls with the same *prompt*, a name, ask the same; without one each asks something of its own. *tags* are what
    budgets go by.

    A line of a trace file is one of these as JSON.
    """

    at: Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
    model: str = ""
    input_tokens: _Tokens
    output_tokens: _Tokens
    max_tokens: _Tokens | None = None
    stream: bool = False
    prompt: str | None = None
    tags: tuple[str, ...] = ()


@frozen
class Trace:
    """Calls in the order of their times, as often as they are asked for; they end by *span* seconds."""

    source: str
    span: float
    make: Callable[[], Iterator[Call]]

    def __iter__(self) -> Iterator[Call]:
        return self.make()


def read_trace(text: str, seed: int = 0) -> Trace:
    """The trace that *text* names: a file of JSON lines, or made-up traffic (see `GENERATORS`).

    Raises:
        ConfigError: there is none; every mistake is listed, at most twenty of a file.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind in GENERATORS:
        return _made_up(text, kind, rest, seed)
    path = Path(text).expanduser()
    if not path.is_file():
        fix = f"name a file, or write {' or '.join(f'{k}:…' for k in GENERATORS)}"
        raise ConfigError("there is no trace:", [ConfigIssue(text, "is no file", fix)])
    return _of_file(path)


def _of_file(path: Path) -> Trace:
    """The trace in the file at *path*, once all of it was checked."""
    issues: list[ConfigIssue] = []
    wrong, count, last = 0, 0, 0.0
    for number, found in _lines(path):
        problem, fix = found if isinstance(found, tuple) else ("", "")
        if isinstance(found, Call):
            count += 1
            if found.at < last:
                problem, fix = f"is earlier than the call before it, at {last:g} s", "sort the file"
            last = max(last, found.at)
        if problem:
            wrong += 1
            if wrong <= _TOLD:
                issues.append(ConfigIssue(f"{path}:{number}", problem, fix))
    if wrong > _TOLD:
        issues.append(ConfigIssue(str(path), f"{wrong - _TOLD} more lines are wrong"))
    if not count and not issues:
        issues.append(ConfigIssue(str(path), "holds no call", f"write lines such as {_EXAMPLE}"))
    if issues:
        raise ConfigError(f"{path} has problems:", issues)
    return Trace(str(path), last, lambda: (c for _, c in _lines(path) if isinstance(c, Call)))


_EXAMPLE = '{"at": 0.5, "input_tokens": 800, "output_tokens": 200}'


def _lines(path: Path) -> Iterator[tuple[int, Call | tuple[str, str]]]:
    """The number of each line that is not empty, and its call, or its problem and fix."""
    decoder = msgspec.json.Decoder(Call)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield number, decoder.decode(line)
            except msgspec.ValidationError as error:
                yield number, (f"is no call: {error}", f"write lines such as {_EXAMPLE}")
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield number, ("is not JSON", f"write lines such as {_EXAMPLE}")


def _per_second(text: str) -> float:
    if "/" in text:
        rate = parse_rate(text)
        return rate.amount / rate.seconds
    return _within(text, 1e-9, 1e5)


def _within(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise ValueError(f"must be a number from {least:g} to {most:g}, not {text[:40]!r}: mend it")
    return value


def _seconds(text: str) -> float:
    if not (seconds := parse_duration(text)):
        raise ValueError("is no time: write 1h")
    return seconds


_WORDS: Mapping[str, Callable[[str], Any]] = {
    "rate": _per_second,
    "peak": _per_second,
    "duration": _seconds,
    "input": lambda text: _within(text, 1, 1e6),
    "output": lambda text: _within(text, 1, 1e6),
    "spread": lambda text: _within(text, 0, 3),
    "stream": lambda text: _within(text, 0, 1),
    "repeat": lambda text: _within(text, 0, 1),
    "prompts": lambda text: _within(text, 1, 1e6),
    "night": lambda text: _within(text, 0, 1),
    "weekend": lambda text: _within(text, 0, 1),
    "model": str,
}

_SHARED = {
    "input": 800.0,
    "output": 200.0,
    "spread": 0.6,
    "stream": 0.5,
    "model": "",
    "repeat": 0.0,
    "prompts": 100.0,
}
GENERATORS: Mapping[str, Mapping[str, Any]] = {
    "poisson": {"rate": None, "duration": 3600.0, **_SHARED},
    "week": {"peak": None, "night": 0.1, "weekend": 0.4, "duration": 604_800.0, **_SHARED},
}
"""Made-up traffic, and what each kind may be told, with its defaults.

``poisson`` has *rate* calls a second (or ``20/minute``), each independent of the others.
``week`` begins on a Monday at midnight: *peak* at four in the afternoon, the share *night* of
that at four in the morning, the share *weekend* of it all on Saturday and Sunday. Prompts and
answers have *input* and *output* tokens in the mean, lognormal with *spread* (its sigma).
The share *stream* of calls is streamed. The share *repeat* asks one of *prompts* that are asked again and
again, the second half as often as the first, the third a third as often, and so on.
"""


def _made_up(text: str, kind: str, rest: str, seed: int) -> Trace:
    told, issues, given = dict(GENERATORS[kind]), list[ConfigIssue](), set[str]()
    for word in filter(None, rest.split(",")):
        name, _, value = word.partition("=")
        if name in given:
            issues.append(ConfigIssue(f"{kind}:{name}", "is given twice", "keep one of the two"))
        given.add(name)
        try:
            told[name] = _WORDS[name](value) if name in told else _nothing(kind)
        except ValueError as error:
            problem, _, fix = str(error).partition(": ")
            issues.append(ConfigIssue(f"{kind}:{name}", problem, fix))
            told[name] = 1.0
    missing = [name for name, value in told.items() if value is None]
    fix = f"write {kind}:{''.join(missing)}=5/minute"
    issues += [ConfigIssue(f"{kind}:{name}", "is required", fix) for name in missing]
    if issues:
        raise ConfigError(f"the trace {text} has problems:", issues)
    return Trace(text, told["duration"], lambda: _arrivals(told, seed))


def _nothing(kind: str) -> NoReturn:
    raise ValueError(f"is nothing of {kind}: there are {', '.join(GENERATORS[kind])}")


def _arrivals(told: Mapping[str, Any], seed: int) -> Iterator[Call]:
    """A Poisson process, thinned to the shape of a week where there is one: a pure function of its seed."""
    chance = random.Random(f"trace/{seed}").random
    rate, at = told.get("peak") or told["rate"], 0.0
    while True:
        at -= math.log(1.0 - chance()) / rate
        if at >= told["duration"]:
            return
        if "peak" in told and chance() >= _shape(at, told["night"], told["weekend"]):
            continue
        prompt, size = None, chance
        if told["repeat"] and chance() < told["repeat"]:
            prompt = f"{told['prompts'] ** chance():.0f}"
            size = random.Random(f"prompt/{seed}/{prompt}").random
        yield Call(
            at=at,
            model=told["model"],
            prompt=prompt,
            input_tokens=_size(told["input"], told["spread"], size()),
            output_tokens=_size(told["output"], told["spread"], size()),
            stream=chance() < told["stream"],
        )


def _shape(at: float, night: float, weekend: float) -> float:
    """The share of the peak's calls that comes at the time *at* of a week."""
    hour, day = at / 3600 % 24, int(at // 86_400) % 7
    share = night + (1 - night) * (0.5 - 0.5 * math.cos(2 * math.pi * (hour - 4) / 24))
    return share * weekend if day >= 5 else share


def _size(mean: float, spread: float, chance: float) -> int:
    """A lognormal number of tokens, at least 1."""
    if not spread:
        return round(mean)
    normal = _NORMAL.inv_cdf(min(max(chance, 1e-12), 1 - 1e-12))
    return min(TOKENS, max(1, round(mean * math.exp(spread * normal - spread**2 / 2))))
