"""What a manager can be told, as data: the tables of its configuration file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from ..requests import Timeout
from ..retrying import RetryPolicy
from ..secret import Secret

StreamContract = Literal["never", "before_first_token", "restart_marked", "continue_prefix"]
Unit = Literal["second", "minute", "hour", "day"]


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

    requests: str | None = None
    tokens: str | None = None
    concurrency: int | None = None
    wait: float = 60.0
    learn: bool = True
    models: Mapping[str, LimitSettings] = field(factory=dict)


@frozen(kw_only=True)
class ProviderSettings:
    """What the manager itself takes from ``[providers.NAME]``; *config* is the provider's own.

    *provider* is the installed provider behind NAME. *models* are names or
    patterns (``claude-*``) of what it serves; with *fetch_models* it is asked.
    The lower *priority* comes first. *cost_multiplier* is applied to its costs in
    analyses and choices. *api_keys* are several keys, used in turn.
    """

    provider: str
    config: Mapping[str, Any] = field(factory=dict, repr=False)
    models: tuple[str, ...] = ()
    fetch_models: bool = False
    priority: int = 100
    weight: float = 1.0
    cost_multiplier: Decimal = Decimal(1)
    api_keys: tuple[Secret, ...] = field(default=(), converter=_secrets)
    limits: LimitSettings | None = None


@frozen(kw_only=True)
class BreakerSettings:
    """``[routes.NAME.breaker]``: when a target is left alone, and for how long.

    It opens after *failures* in a row, or when the share *rate* of at least
    *minimum* calls within *window* seconds failed; *cooldown* seconds later one
    call probes it. Each opening in a row doubles the cooldown, up to *longest*.
    """

    failures: int = 5
    rate: float = 0.5
    minimum: int = 20
    window: float = 10.0
    cooldown: float = 30.0
    longest: float = 300.0


@frozen(kw_only=True)
class TargetSettings:
    """One of a route's *targets*: ``"claude/claude-sonnet-4-5"``, or a table.

    *target* is ``PROVIDER``, ``PROVIDER/MODEL`` or a route's name. Without a
    model the call's own is asked for.
    """

    target: str
    weight: float = 1.0


@frozen(kw_only=True)
class RouteSettings:
    """``[routes.NAME]``: a provider made of providers.

    *kind* is ``fallback`` (targets in their order) or ``balance`` (as *strategy*
    says). *stream* is what happens when a stream breaks. *dead_key* says whether
    a target whose keys are all refused fails the call or passes it on.
    """

    kind: Literal["fallback", "balance"] = "fallback"
    targets: tuple[TargetSettings, ...] = ()
    strategy: str = "round_robin"
    stream: StreamContract = "before_first_token"
    dead_key: Literal["fail", "fail_over"] = "fail"
    retry: RetryPolicy = field(factory=RetryPolicy)
    breaker: BreakerSettings = field(factory=BreakerSettings)
    timeout: Timeout = field(factory=Timeout)


@frozen(kw_only=True)
class CacheSettings:
    """``[cache]``: answers are kept for *ttl* seconds, in memory or on disk, in a file at *path*.

    At most *entries* of them and *megabytes* are kept, the least recently used go
    first. Without *path* the file is in the state folder.
    """

    store: Literal["memory", "disk"] = "memory"
    path: Path | None = None
    ttl: float = 3600.0
    entries: int = 10_000
    megabytes: int = 256


@frozen(kw_only=True)
class BudgetSettings:
    """``[[budgets]]``: at most *limit* (US dollars) in each *per*.

    *provider*, *model* (a name or pattern) and *tag* say whose costs count; all, if
    none is given. Hours, days and months are UTC's. A *hard* budget refuses the call
    that could exceed it; a soft one warns. A call whose price nobody knows goes, with
    a warning, unless *unpriced* is ``refuse``.
    """

    limit: Decimal
    per: Literal["hour", "day", "month", "total"] = "month"
    provider: str | None = None
    model: str | None = None
    tag: str | None = None
    hard: bool = True
    unpriced: Literal["allow", "refuse"] = "allow"


@frozen(kw_only=True)
class LedgerSettings:
    """``[ledger]``: where each attempt and its cost are written; without *path*, the state folder.

    A row survives a power cut (*durability* ``power``), or the end of the process only
    (``process``), which does not wait for the disk. A call that sets no ``max_tokens``
    is reserved for as if it wrote *assumed_output* tokens.
    """

    path: Path | None = None
    durability: Literal["power", "process"] = "power"
    assumed_output: int = 4096


@frozen(kw_only=True)
class HealthSettings:
    """``[health]``: an incident opens after *failures* in a row and closes after *successes*.

    With *interval*, every provider is asked for its models each so many seconds, with
    *timeout* seconds of patience. Rates and latencies are of the last *window* seconds.
    *path* keeps incidents and what the asking found in a file.
    """

    interval: float | None = None
    timeout: float = 20.0
    failures: int = 3
    successes: int = 2
    window: float = 300.0
    path: Path | None = None


@frozen(kw_only=True)
class LogSettings:
    """``[logs]``: *level* and form of the log; *prompts* writes what was asked and answered, too."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    format: Literal["text", "json"] = "text"
    path: Path | None = None
    prompts: bool = False


@frozen(kw_only=True)
class ManagerSettings:
    """A whole configuration file."""

    default_model: str | None = None
    providers: Mapping[str, ProviderSettings] = field(factory=dict)
    aliases: Mapping[str, str] = field(factory=dict)
    routes: Mapping[str, RouteSettings] = field(factory=dict)
    limits: LimitSettings | None = None
    cache: CacheSettings | None = None
    ledger: LedgerSettings | None = None
    budgets: tuple[BudgetSettings, ...] = ()
    health: HealthSettings | None = None
    logs: LogSettings | None = None
