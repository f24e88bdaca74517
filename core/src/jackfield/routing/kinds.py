"""The routes there are: targets in their order, in balance, and one provider's several keys."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve, field, frozen

from ..manager.settings import BreakerSettings
from ..requests import Request
from ..types import ProviderInfo
from .route import Route, RouteConfig
from .strategies import Strategy, make_strategy
from .targets import TargetState
from .verdicts import Verdict


class Fallback(Route):
    """Asks the first target, and the next one only when that fails."""

    info: ClassVar = ProviderInfo(name="fallback", display_name="Fallback", api_key_required=False)


@frozen(kw_only=True)
class BalanceConfig(RouteConfig):
    """As every route; *strategy* is one's name, or an object that is a `Strategy`."""

    strategy: Any = field(default="round_robin", metadata={"literal": True})


class Balance(Route):
    """Spreads calls over its targets as a strategy says, and asks another when one fails."""

    info: ClassVar = ProviderInfo(name="balance", display_name="Balance", api_key_required=False)
    Config: ClassVar[type[Any]] = BalanceConfig

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config, **options)
        given = self.config.strategy
        self.strategy: Strategy = make_strategy(given) if isinstance(given, str) else given

    def choose(
        self, free: Sequence[TargetState], request: Request[Any], now: float, chance: float
    ) -> TargetState:
        """Whom the strategy chooses."""
        return self._chosen(self.strategy, free, request, now, chance)

    def _chosen(
        self,
        strategy: Strategy,
        free: Sequence[TargetState],
        request: Request[Any],
        now: float,
        chance: float,
    ) -> TargetState:
        priced = getattr(strategy, "priced", False)
        candidates = [s.candidate(request, now, priced) for s in free]
        chosen = strategy.choose(candidates, request, chance)
        return self._states[chosen.index]

    def _order(self, request: Request[Any], now: float) -> list[TargetState]:
        order: list[TargetState] = []
        try:
            strategy, left = copy.deepcopy(self.strategy), list(self._states)
        except Exception:  # noqa: BLE001  # somebody's own strategy holds what cannot be copied, as a lock
            return list(self._states)
        while left:
            order.append(self._chosen(strategy, left, request, now, 0.0))
            left.remove(order[-1])
        return order


_NEVER = BreakerSettings(failures=10**9, minimum=10**9)


class Keys(Route):
    """One provider with several keys, used in turn: a dead or limited one makes way for the next.

    It goes by the name and kind of its targets, which are the same provider with a key each.
    A server that is down is down for every key: that failure is not passed on.
    """

    info: ClassVar = ProviderInfo(name="keys", display_name="Keys", api_key_required=False)
    passes_on: ClassVar = frozenset({Verdict.DEAD_KEY, Verdict.NO_MONEY, Verdict.LIMITED})

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config, **options)
        self._last = -1
        for state in self._states:
            state.breaker.settings = _NEVER

    @property
    def prefill(self) -> Mapping[str, Any] | None:  # type: ignore[override]  # of its targets, not of its class
        """How the provider goes on with a last assistant message, if it can."""
        return self.targets[0].provider.prefill

    def choose(
        self, free: Sequence[TargetState], request: Request[Any], now: float, chance: float
    ) -> TargetState:
        """The next key."""
        chosen = next((s for s in free if s.index > self._last), free[0])
        self._last = chosen.index
        return chosen

    def get_info(self) -> ProviderInfo:
        """Who the provider is whose keys these are."""
        return evolve(self.targets[0].provider.get_info(), operations=self._names())

    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(r.__name__ for r in self.operations))
