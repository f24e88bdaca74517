"""What a manager puts around calls: its middleware, in their order, and their beginning and end."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pluggy

from ..errors import PluginError
from ..middleware.cache import Cache
from ..middleware.ledger import Ledger
from ..middleware.limits import Limits
from ..middleware.logs import Logs
from ..middleware.tally import Tally
from ..middleware.usage import CostAnalysis, cost_analysis
from ..plugins import PluginManager, plugin_manager
from ..provider import LLMProvider
from .guards import guardrails
from .health import Health
from .settings import HealthSettings, LedgerSettings, LimitSettings, ManagerSettings

DIALECT = "jackfield_dialect_openai"


class Around:
    """The middleware of one manager, outside first: installed plugins, logs, guardrails, the program's
    own, cache; and around attempts limits, ledger, health.
    """

    def __init__(self, settings: ManagerSettings, middleware: Sequence[Any] = ()) -> None:
        self.plugins = PluginManager()
        shared = plugin_manager()
        shared.load_plugins()
        for plugin in shared.get_plugins():
            self.plugins.register(plugin, name=shared.get_name(plugin))
        self.logs = Logs(settings.logs)
        if settings.logs is not None:
            self.logs.attach()
        self.cache = None if settings.cache is None else Cache(settings.cache)
        self.limits = Limits(settings.limits)
        self._limits: dict[str, LimitSettings] = {}
        self.ledger = self._ledger(settings)
        self.tally = Tally()
        self.health = Health(settings.health or HealthSettings())
        counted = self.tally if self.ledger is None else self.ledger
        guards = None if settings.guardrails is None else guardrails(settings.guardrails)
        every = (self.logs, guards, *middleware, self.cache, self.limits, counted, self.health)
        for plugin in every:
            if plugin is not None:
                self.plugins.register(plugin)

    @staticmethod
    def _ledger(settings: ManagerSettings) -> Ledger | None:
        if settings.ledger is None and not settings.budgets:
            return None
        return Ledger(settings.ledger or LedgerSettings(), settings.budgets)

    @property
    def hook(self) -> pluggy.HookRelay:
        """What providers call."""
        return self.plugins.hook

    def configure(self, settings: ManagerSettings) -> None:
        """Take in what *settings* say of providers, which come and go."""
        multipliers = {n: p.cost_multiplier for n, p in settings.providers.items()}
        self.tally.multipliers = multipliers
        if self.ledger is not None:
            self.ledger.multipliers = multipliers
        limits = {n: p.limits for n, p in settings.providers.items() if p.limits is not None}
        for name in limits.keys() | self._limits.keys():
            if limits.get(name) != self._limits.get(name):
                self.limits.configure(name, limits.get(name))
        self._limits = limits

    def start(self, providers: Sequence[LLMProvider]) -> None:
        """Begin to probe *providers*, where that was asked for."""
        if self.health.settings.interval is not None:
            self.health.start(providers)

    def costs(self) -> CostAnalysis:
        """What calls cost so far."""
        return self.tally.analysis() if self.ledger is None else cost_analysis(self.ledger.store)

    def close(self) -> None:
        """End what runs, and write what is not written."""
        self.health.stop()
        self.logs.detach()
        if self.cache is not None:
            self.cache.close()
        if self.ledger is not None:
            self.ledger.close()


def client_class(*, asynchronous: bool) -> Any:
    """The class of client objects in OpenAI's form.

    Raises:
        PluginError: the dialect that has them is not installed.
    """
    try:
        compat = import_module(f"{DIALECT}.compat")
    except ModuleNotFoundError as error:
        if error.name != DIALECT:
            raise
        fix = "pip install jackfield-dialect-openai"
        raise PluginError(f"OpenAI-shaped clients come with OpenAI's dialect: {fix}") from None
    return compat.AsyncOpenAIClient if asynchronous else compat.OpenAIClient
