"""What is public of jackfield.manager.settings; `nox -s api -- --accept` writes it."""
__all__ = ['BudgetSettings', 'CacheSettings', 'HealthSettings', 'LedgerSettings', 'LimitSettings', 'LogSettings']
class BudgetSettings:
    hard: bool
    limit: Decimal
    model: str | None
    per: Literal['hour', 'day', 'month', 'total']
    provider: str | None
    tag: str | None
    unpriced: Literal['allow', 'refuse']
    def __init__(self, *, limit: Decimal, per: Literal['hour', 'day', 'month', 'total'] = 'month', provider: str | None = None, model: str | None = None, tag: str | None = None, hard: bool = True, unpriced: Literal['allow', 'refuse'] = 'allow') -> None: ...
class CacheSettings:
    entries: int
    megabytes: int
    path: Path | None
    store: Literal['memory', 'disk']
    ttl: float
    def __init__(self, *, store: Literal['memory', 'disk'] = 'memory', path: Path | None = None, ttl: float = 3600.0, entries: int = 10000, megabytes: int = 256) -> None: ...
class HealthSettings:
    failures: int
    interval: float | None
    path: Path | None
    successes: int
    timeout: float
    window: float
    def __init__(self, *, interval: float | None = None, timeout: float = 20.0, failures: int = 3, successes: int = 2, window: float = 300.0, path: Path | None = None) -> None: ...
class LedgerSettings:
    assumed_output: int
    durability: Literal['power', 'process']
    path: Path | None
    def __init__(self, *, path: Path | None = None, durability: Literal['power', 'process'] = 'process', assumed_output: int = 4096) -> None: ...
class LimitSettings:
    concurrency: int | None
    learn: bool
    models: Mapping[str, LimitSettings]
    requests: str | None
    tokens: str | None
    wait: float
    def __init__(self, *, requests: str | None = None, tokens: str | None = None, concurrency: int | None = None, wait: float = 60.0, learn: bool = True, models: Mapping[str, LimitSettings] = ...) -> None: ...
class LogSettings:
    format: Literal['text', 'json']
    level: Literal['DEBUG', 'INFO', 'WARNING', 'ERROR']
    path: Path | None
    prompts: bool
    def __init__(self, *, level: Literal['DEBUG', 'INFO', 'WARNING', 'ERROR'] = 'WARNING', format: Literal['text', 'json'] = 'text', path: Path | None = None, prompts: bool = False) -> None: ...
class ManagerSettings:
    aliases: Mapping[str, str]
    budgets: tuple[BudgetSettings, ...]
    cache: CacheSettings | None
    default_model: str | None
    guardrails: GuardrailSettings | None
    health: HealthSettings | None
    ledger: LedgerSettings | None
    limits: LimitSettings | None
    logs: LogSettings | None
    providers: Mapping[str, ProviderSettings]
    routes: Mapping[str, RouteSettings]
    def __init__(self, *, default_model: str | None = None, providers: Mapping[str, ProviderSettings] = ..., aliases: Mapping[str, str] = ..., routes: Mapping[str, RouteSettings] = ..., limits: LimitSettings | None = None, cache: CacheSettings | None = None, ledger: LedgerSettings | None = None, budgets: tuple[BudgetSettings, ...] = ..., health: HealthSettings | None = None, logs: LogSettings | None = None, guardrails: GuardrailSettings | None = None) -> None: ...
