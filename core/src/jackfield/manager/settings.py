"""What a manager can be told, as data: the tables of its configuration file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from ..config import conceal
from ..requests import Timeout
from ..retrying import RetryPolicy
from ..secret import Secret

StreamContract = Literal["never", "before_first_token", "restart_marked", "continue_prefix"]
Unit = Literal["second", "minute", "hour", "day"]


@frozen(kw_only=True)
class Bounds:
    """A field's ``check``: a number is above *above*, at least *least*, at most *most*; no wrong type's check."""

    above: float | None = None
    least: float | None = None
    most: float

    def __call__(self, value: Any) -> None:
        """Raise ValueError("problem: fix") unless *value* is within."""
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return
        low = value > self.above if self.above is not None else value >= (self.least or 0)
        if not math.isfinite(value) or not low or value > self.most:
            raise ValueError(f"must be {self}")

    def __str__(self) -> str:
        least = (
            f"{self.least or 0:,.13g} or more" if self.above is None else f"above {self.above:g}"
        )
        return f"{least}, and at most {self.most:,.13g}"


class RateForm:
    """A field's ``check``: a rate, as `parse_rate` reads it."""

    pattern = r"^\s*[0-9]+(_[0-9]+)*\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)\s*$"

    def __call__(self, value: Any) -> None:
        """Raise ValueError("problem: fix") unless *value* is one."""
        from ..middleware.rates import parse_rate

        if value is not None:
            parse_rate(value)


def _number(default: Any, **bounds: float) -> Any:
    return field(default=default, metadata={"check": Bounds(**bounds)})


def _as_written(default: Any = None) -> Any:
    """A name or pattern: no ``${NAME}`` in it is replaced."""
    return field(default=default, metadata={"literal": True})


_RATE: Mapping[str, Any] = {"check": RateForm()}
_COUNT, _SECONDS = 10**12, 366 * 86400.0


def _secrets(keys: Sequence[Any]) -> tuple[Secret, ...]:
    return tuple(key if isinstance(key, Secret) else Secret(key) for key in keys)


@frozen(kw_only=True)
class LimitSettings:
    """``[limits]``, ``[providers.NAME.limits]``, ``[providers.NAME.limits.models."MODEL"]``.

    *requests* and *tokens* are rates, ``"100/minute"``; *concurrency* is how many
    calls may be on their way at once. A call waits its turn for at most *wait*
    seconds; with 0 it fails at once. *learn* also obeys what the provider's
    rate-limit headers say. *models* holds further limits by a model's name.
    """

    requests: str | None = field(default=None, metadata=_RATE)
    tokens: str | None = field(default=None, metadata=_RATE)
    concurrency: int | None = _number(None, least=1, most=_COUNT)
    wait: float = _number(60.0, least=0, most=86400)
    learn: bool = True
    models: Mapping[str, LimitSettings] = field(factory=dict)


@frozen(kw_only=True)
class ProviderSettings:
    """What the manager itself takes from ``[providers.NAME]``; *config* is the provider's own.

    *provider* is the installed provider behind NAME. *models* are names or
    patterns (``claude-*``) of what it serves; with *fetch_models* it is asked.
    The lower *priority* comes first; *weight* is its share where calls are balanced.
    *cost_multiplier* is applied to its costs in analyses and choices. *api_keys* are
    several keys, used in turn. *limits* are this provider's own.
    """

    provider: str = field(metadata={"literal": True})
    config: Mapping[str, Any] = field(factory=dict, repr=False, metadata={"rest": True})
    models: tuple[str, ...] = _as_written(())
    fetch_models: bool = False
    priority: int = _number(100, least=-1_000_000, most=1_000_000)
    weight: float = _number(1.0, above=0, most=1_000_000)
    cost_multiplier: Decimal = field(
        default=Decimal(1), metadata={"check": Bounds(least=0, most=1_000_000)}
    )
    api_keys: tuple[Secret, ...] = field(default=(), converter=_secrets)
    limits: LimitSettings | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Those of *models* that are names, and no patterns."""
        return tuple(model for model in self.models if not set(model) & set("*?["))


@frozen(kw_only=True)
class BreakerSettings:
    """``[routes.NAME.breaker]``: when a target is left alone, and for how long.

    It opens after *failures* in a row, or when the share *rate* of at least
    *minimum* calls within *window* seconds failed; *cooldown* seconds later one
    call probes it. Each opening in a row doubles the cooldown, up to *longest*.
    """

    failures: int = _number(5, least=1, most=_COUNT)
    rate: float = _number(0.5, above=0, most=1)
    minimum: int = _number(20, least=1, most=_COUNT)
    window: float = _number(10.0, above=0, most=86400)
    cooldown: float = _number(30.0, above=0, most=86400)
    longest: float = _number(300.0, above=0, most=86400)


@frozen(kw_only=True)
class TargetSettings:
    """One of a route's *targets*: ``"claude/claude-sonnet-4-5"``, or a table.

    *target* is ``PROVIDER``, ``PROVIDER/MODEL`` or a route's name. Without a
    model the call's own is asked for. *weight* is its share of the calls.
    """

    target: str = field(metadata={"literal": True})
    weight: float = _number(1.0, above=0, most=1_000_000)


@frozen(kw_only=True)
class RouteSettings:
    """``[routes.NAME]``: a provider made of providers.

    *kind* is ``fallback`` (*targets* in their order) or ``balance`` (as *strategy*
    says). *retry* and *timeout* are of the whole call, whoever answers it; *breaker*
    is each target's. *stream* is what happens when a stream breaks. *dead_key* says whether
    a target whose keys are all refused fails the call or passes it on. *attempt_timeout* is for how
    many seconds a target may keep a call before it answers (or its stream begins) from others that
    could be asked; without it, for an equal share of the time that is left.
    """

    kind: Literal["fallback", "balance"] = "fallback"
    targets: tuple[TargetSettings, ...] = ()
    strategy: str = _as_written("round_robin")
    stream: StreamContract = "before_first_token"
    dead_key: Literal["fail", "fail_over"] = "fail"
    attempt_timeout: float | None = _number(None, above=0, most=7 * 86400)
    retry: RetryPolicy = field(factory=RetryPolicy)
    breaker: BreakerSettings = field(factory=BreakerSettings)
    timeout: Timeout = field(factory=Timeout)


@frozen(kw_only=True)
class CacheSettings:
    """``[cache]``: answers are kept for *ttl* seconds, in memory or on disk, in a file at *path*.

    *store* says which, ``memory`` or ``disk``.
    At most *entries* of them and *megabytes* are kept, the least recently used go
    first. Without *path* the file is in the state folder.
    """

    store: Literal["memory", "disk"] = "memory"
    path: Path | None = None
    ttl: float = _number(3600.0, above=0, most=_SECONDS)
    entries: int = _number(10_000, least=1, most=_COUNT)
    megabytes: int = _number(256, least=1, most=_COUNT)


@frozen(kw_only=True)
class BudgetSettings:
    """``[[budgets]]``: at most *limit* (US dollars) in each *per*.

    *provider*, *model* (a name or pattern) and *tag* say whose costs count; all, if
    none is given. Hours, days and months are UTC's. A *hard* budget refuses the call
    that could exceed it; a soft one warns. A call whose price nobody knows goes, with
    a warning, unless *unpriced* is ``refuse``.
    """

    limit: Decimal = field(metadata={"check": Bounds(above=0, most=1e9)})
    per: Literal["hour", "day", "month", "total"] = "month"
    provider: str | None = _as_written()
    model: str | None = _as_written()
    tag: str | None = _as_written()
    hard: bool = True
    unpriced: Literal["allow", "refuse"] = "allow"


@frozen(kw_only=True)
class LedgerSettings:
    """``[ledger]``: where each attempt and its cost are written; without *path*, the state folder.

    A row survives the end of the process (*durability* ``process``), or a power cut too
    (``power``): then every attempt waits for the disk. A call that sets no ``max_tokens``
    is reserved for as if it wrote *assumed_output* tokens.
    """

    path: Path | None = None
    durability: Literal["power", "process"] = "process"
    assumed_output: int = _number(4096, least=1, most=_COUNT)


@frozen(kw_only=True)
class HealthSettings:
    """``[health]``: an incident opens after *failures* in a row and closes after *successes*.

    With *interval*, every provider is asked for its models each so many seconds, with
    *timeout* seconds of patience. Rates and latencies are of the last *window* seconds.
    *path* keeps incidents and what the asking found in a file.
    """

    interval: float | None = _number(None, least=1, most=_SECONDS)
    timeout: float = _number(20.0, above=0, most=7 * 86400)
    failures: int = _number(3, least=1, most=_COUNT)
    successes: int = _number(2, least=1, most=_COUNT)
    window: float = _number(300.0, above=0, most=_SECONDS)
    path: Path | None = None


@frozen(kw_only=True)
class LogSettings:
    """``[logs]``: *level* and *format* of the log; *prompts* writes what was asked and answered, too.

    It goes to the file at *path*, or to standard error.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    format: Literal["text", "json"] = "text"
    path: Path | None = None
    prompts: bool = False


@frozen(kw_only=True)
class GuardSettings:
    """``[[guardrails.before]]`` or ``[[guardrails.after]]``: a guard, in the order in which they act.

    *guard* is ``redact``, ``forbid``, ``limit_length`` or the name of an installed one, which takes *options*.
    *patterns* are regular expressions, as they stand; ``forbid`` needs some, and what matches one has
    *replacement* put in its place by ``redact``. A match has at most *longest* characters, so that streams need
    not be held back. *most* is how many characters ``limit_length`` lets pass. *name* is what refusals say.
    """

    guard: str = field(metadata={"literal": True})
    name: str | None = _as_written()
    patterns: tuple[str, ...] = _as_written(())
    replacement: str | None = _as_written()
    longest: int | None = _number(None, least=1, most=_COUNT)
    most: int | None = _number(None, least=0, most=_COUNT)
    options: Mapping[str, Any] = field(factory=dict, converter=conceal, repr=False)


@frozen(kw_only=True)
class GuardrailSettings:
    """``[guardrails]``: guards see every request *before* it is made, and every answer *after* it came."""

    before: tuple[GuardSettings, ...] = ()
    after: tuple[GuardSettings, ...] = ()


@frozen(kw_only=True)
class ManagerSettings:
    """A whole configuration file.

    *default_model* is taken where a call names none: ``PROVIDER/MODEL``, an alias or a
    route. *providers* are tables by the names of instances; *aliases* other names for
    models, ``fast = "claude/claude-haiku-4-5"``; *routes* providers made of providers.
    *limits* are those of all calls together. *cache*, *ledger*, *health*, *logs* and *guardrails*
    are tables of their own, *budgets* a list of them.
    """

    default_model: str | None = _as_written()
    providers: Mapping[str, ProviderSettings] = field(factory=dict)
    aliases: Mapping[str, str] = field(factory=dict, metadata={"literal": True})
    routes: Mapping[str, RouteSettings] = field(factory=dict)
    limits: LimitSettings | None = None
    cache: CacheSettings | None = None
    ledger: LedgerSettings | None = None
    budgets: tuple[BudgetSettings, ...] = ()
    health: HealthSettings | None = None
    logs: LogSettings | None = None
    guardrails: GuardrailSettings | None = None
