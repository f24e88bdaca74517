"""The simulation: real routes and limits over simulated backends, on a clock that waits for nobody."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve

from ..config import Config, load_config
from ..drivers.virtual import VirtualDriver
from ..errors import LLMError
from ..flow import NOW, Flow, Wrapper
from ..hookspecs import hookimpl
from ..manager.build import build_routes
from ..manager.names import Names
from ..manager.settings import ManagerSettings, ProviderSettings
from ..middleware.cache import Cache
from ..middleware.limits import Limits
from ..params import GenerationParams
from ..plugins import PluginManager
from ..provider import LLMProvider
from ..requests import ChatRequest, Request
from ..routing import Keys, Route
from ..types import Message, Role, TextPart, Usage
from .backends import VISIT, Attempt, SimulatedProvider, Visit, text_of
from .budgets import Budgets
from .policies import own_config
from .reports import DIGITS, Percentiles, Report, Tally
from .scenario import BackendSettings, Scenario
from .traces import Call, Trace

_TOLD_EVERY = 1000


def run_simulation(
    settings: ManagerSettings,
    scenario: Scenario,
    trace: Trace,
    seed: int = 0,
    *,
    route: str = "",
    name: str = "",
    progress: Callable[[float], object] | None = None,
) -> Report:
    """What becomes of the calls of *trace* under the policy *settings*, where backends behave as in *scenario*.

    All calls go to *route*; without one, each to what its model's name means. The report
    goes by *name*. *progress* is told the time of the simulation now and then.

    Raises:
        ConfigError: *settings* cannot be built.
        NotFoundError: nobody is called *route*, or what a call asks for.
    """
    simulation = _Simulation(settings, scenario, seed, route)
    try:
        simulation.run(trace, progress)
        return simulation.report(name or route or "policy", trace)
    finally:
        if simulation.budgets is not None:
            simulation.budgets.close()


class _Simulation:
    """One policy on its way through a trace."""

    def __init__(
        self, settings: ManagerSettings, scenario: Scenario, seed: int, route: str
    ) -> None:
        self.settings, self.scenario, self.seed = settings, scenario, seed
        self.driver = VirtualDriver(seed=seed)
        self.targets: dict[str, Tally] = defaultdict(Tally)
        self.hours: dict[int, Tally] = defaultdict(Tally)
        self.failures: Counter[str] = Counter()
        self.failovers = self.retries = 0
        self.tags: set[str] = set()
        limits = {n: p.limits for n, p in settings.providers.items() if p.limits is not None}
        self.cached = None if settings.cache is None else 0
        self.budgets = Budgets(settings) if settings.budgets else None
        plugins = PluginManager()
        plugins.register(self)  # outside of the limits, to see who waits for them
        if settings.cache is not None:
            plugins.register(Cache(evolve(settings.cache, store="memory", path=None)))
        plugins.register(Limits(settings.limits, limits))
        if self.budgets is not None:
            plugins.register(self.budgets)
        self.providers = {
            n: self._stand_in(n, p, {"hook": plugins.hook}) for n, p in settings.providers.items()
        }
        self.routes = build_routes(settings, self.providers, plugins.hook)
        self.names = Names(settings, self.providers, self.routes)
        self.known: dict[str, tuple[LLMProvider, str]] = {}
        self.route = route
        if route:
            self._resolve(route)

    def _stand_in(
        self, name: str, own: ProviderSettings, options: Mapping[str, Any]
    ) -> LLMProvider:
        """Who stands for the provider *name*; several keys become `Keys`, as ever."""
        backend = self.scenario.backends.get(name, BackendSettings())
        config = load_config(Config, own_config(own.config))
        who = {"name": name, "kind": own.provider, "seed": self.seed, "seen": self._sent, **options}
        each = [
            SimulatedProvider(backend, config, key=key, **who)
            for key in range(1, 1 + max(1, len(own.api_keys)))
        ]
        if len(each) == 1:
            return each[0]
        return Keys({"targets": each, "retry": config.retry}, name=name, **options)

    def run(self, trace: Iterable[Call], progress: Callable[[float], object] | None) -> None:
        """Make all calls of *trace*."""
        flows = ((call.at, self._call(n, call)) for n, call in enumerate(trace))
        for count, outcome in enumerate(self.driver.play(flows)):
            if isinstance(outcome, Exception):
                raise outcome
            if progress is not None and not count % _TOLD_EVERY:
                progress(self.driver.now)

    def _resolve(self, model: str) -> tuple[LLMProvider, str]:
        """Whom *model* means, and the model to ask for."""
        if (found := self.known.get(model)) is None:
            every = {**self.providers, **self.routes}
            meant = None if model in self.providers else self.names.resolve(model, {})
            found = (every[meant.provider], meant.model) if meant else (every[model], model)
            self.known[model] = found
        return found

    def _call(self, number: int, call: Call) -> Flow[None]:
        """One call, counted."""
        provider, model = self._resolve(self.route or call.model)
        at = int(call.at // 3600)
        visit = Visit(number, call.input_tokens, call.output_tokens, at, tags=call.tags)
        hour = self.hours[at]
        hour.calls += 1
        self.tags.update(call.tags)
        request = ChatRequest(
            model=call.model if self.route and call.model else model,
            messages=(Message(Role.USER, (TextPart(self._prompt(number, call)),)),),
            params=GenerationParams(max_tokens=call.max_tokens),
            metadata={VISIT: visit},
        )
        try:
            answer = yield from provider.call(request, stream=call.stream)
        except LLMError as error:
            self.failures[type(error).__name__] += 1
            return
        hour.total.append(self.driver.now - call.at)
        if self.cached is not None and "cache" in answer.provider_metadata.get("jackfield", {}):
            self.cached += 1
            visit.first = self.driver.now if call.stream else None
        if visit.first is not None:
            hour.first.append(visit.first - call.at)

    def _prompt(self, number: int, call: Call) -> str:
        """The text of *call*: where answers are kept, another one for each prompt."""
        text = text_of(max(0, call.input_tokens - 4))
        if self.cached is None:
            return text
        name = f"#{number:x}:" if call.prompt is None else f"{call.prompt}:"
        return name + text[len(name) :]

    # What backends and limits see.

    @hookimpl
    def wrap_attempt(self, provider: LLMProvider, request: Request[Any]) -> Wrapper:
        """Note when an attempt begins to wait for its turn, and whether it is refused."""
        visit, target = request.metadata[VISIT], f"{provider.name}/{request.model}"

        def around(flow: Flow[Any]) -> Flow[Any]:
            visit.asked = yield NOW
            self.failovers += visit.last not in (None, target)
            self.retries += visit.last == target
            visit.last = target
            try:
                return (yield from flow)
            except LLMError as error:
                if error.code == "local_limit":
                    self.targets[target].refused += 1
                    self.targets[target].waited += self.driver.now - visit.asked
                raise

        return around

    def _sent(self, attempt: Attempt) -> None:
        """Count an attempt that reached a backend, now that it is over."""
        visit, tally = attempt.visit, self.targets[attempt.target]
        hour = self.hours[visit.hour]
        hour.requests += 1
        tally.requests += 1
        tally.waited += attempt.began - visit.asked
        tally.input += attempt.input
        tally.output += attempt.output
        if attempt.pricing is not None:
            usage = Usage(input_tokens=attempt.input, output_tokens=attempt.output)
            own = self.settings.providers[attempt.target.partition("/")[0]]
            visit.spent = attempt.pricing.cost(usage).amount or Decimal(0)
            cost = visit.spent * own.cost_multiplier
            tally.cost += cost
            hour.cost += cost
        elif attempt.input:
            tally.unpriced += 1
        if attempt.error is None:
            tally.answers += 1
        else:
            tally.failures[type(attempt.error).__name__] += 1

    def report(self, name: str, trace: Trace) -> Report:
        """What was counted."""
        hours, targets = sorted(self.hours.items()), sorted(self.targets.items())
        every = [tally for _, tally in targets]
        first, total = ([s for _, h in hours for s in getattr(h, n)] for n in ("first", "total"))
        return Report(
            name=name,
            trace=trace.source,
            seed=self.seed,
            calls=sum(h.calls for _, h in hours),
            successes=len(total),
            failures=dict(sorted(self.failures.items())),
            first=Percentiles.of(first),
            total=Percentiles.of(total),
            input_tokens=sum(t.input for t in every),
            output_tokens=sum(t.output for t in every),
            cost=sum((t.cost for t in every), Decimal(0)),
            unpriced=sum(t.unpriced for t in every),
            requests=sum(t.requests for t in every),
            refused=sum(t.refused for t in every),
            waited=round(sum((t.waited for t in every), 0.0), DIGITS),
            failovers=self.failovers,
            retries=self.retries,
            openings=sum(map(_openings, self.routes.values())),
            cached=self.cached,
            over_budget=None if self.budgets is None else self.budgets.over,
            refused_by_budgets=None if self.budgets is None else self.budgets.refused,
            ended=round(self.driver.now, DIGITS),
            targets={name: tally.of_target(len(total)) for name, tally in targets},
            hours=tuple(tally.of_hour(number) for number, tally in hours),
            warnings=tuple(self._warnings()),
        )

    def _warnings(self) -> Iterator[str]:
        """What of the policy or the scenario the report does not show."""
        backends, asked = self.scenario.backends, {t.partition("/")[0] for t in self.targets}
        for name in sorted(asked - backends.keys()):
            yield f"providers.{name}: the scenario has no backends.{name}: it behaves as by default"
        for name in sorted(backends.keys() - self.settings.providers.keys()):
            near = difflib.get_close_matches(name, self.settings.providers, 1)
            fix = f": did you mean {near[0]}?" if near else ""
            yield f"backends.{name}: stands for no provider of this policy{fix}"
        for n, budget in enumerate(self.settings.budgets):
            if budget.tag is not None and budget.tag not in self.tags:
                yield f"budgets[{n}]: no call of the trace has the tag {budget.tag}"


def _openings(route: LLMProvider) -> int:
    """How often breakers of *route*'s targets opened."""
    states = route._states if isinstance(route, Route) else ()  # noqa: SLF001  # seen from inside
    return sum(state.breaker.times for state in states)
