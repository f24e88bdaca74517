"""Health: every attempt is an observation, probes ask, incidents open and close by themselves."""

from __future__ import annotations

import itertools
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from core_toy import BACKENDS, aio
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ConfigError,
    ContentFilterError,
    ContextLengthExceededError,
    InvalidRequestError,
    LLMError,
    Message,
    ModelInfo,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    TransportError,
    hookimpl,
)
from jackfield.drivers.virtual import VirtualDriver
from jackfield.flow import Flow, sleep
from jackfield.manager.health import Health
from jackfield.manager.history import History
from jackfield.manager.observations import (
    Finding,
    Incident,
    Observation,
    Record,
    State,
    find,
    latency,
    percentile,
    state_of,
    success_rate,
)
from jackfield.manager.settings import HealthSettings
from jackfield.plugins import PluginManager
from jackfield.requests import EmbeddingRequest, ModelListRequest
from jackfield.testing import Answer, ScriptedProvider

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ASK = ChatRequest(model="m", messages=[Message("user", "Hi")])
OUTAGE = Answer(error=ServerError("it burns", status=500))
DENIED = Answer(error=AuthenticationError("bad key", status=401))
LIMITED = Answer(error=RateLimitError("slower", status=429))
WRONG = Answer(error=InvalidRequestError("what?", status=400))


class World:
    """A virtual clock, health that reads it, and providers whose attempts it observes."""

    def __init__(self, **settings: Any) -> None:
        self.driver = VirtualDriver()
        self.plugins = PluginManager()
        self.health = Health(HealthSettings(**settings), clock=self.clock)
        self.plugins.register(self.health)
        self.told: list[Incident] = []
        self.health.subscribe(self.told.append)

    def clock(self) -> datetime:
        return EPOCH + timedelta(seconds=self.driver.now)

    def provider(self, *answers: Any, name: str = "work", **config: Any) -> ScriptedProvider:
        given = {"answers": answers, "retry": {"attempts": 1}, **config}
        return ScriptedProvider(given, name=name, hook=self.plugins.hook)

    def ask(
        self, provider: ScriptedProvider, times: int = 1, *, model: str = "m", stream: bool = False
    ) -> None:
        """Ask so many times, whatever comes of it."""
        for _ in range(times):
            request = ChatRequest(model=model, messages=ASK.messages)
            self.driver.run_all([(self.driver.now, provider.call(request, stream=stream))])

    def state(self, name: str = "work") -> State:
        return self.health.status()[name].state


# What an error shows.

BACKEND: dict[Finding | None, list[type[LLMError]]] = {
    Finding.UNAUTHORIZED: [AuthenticationError, PermissionDeniedError, QuotaExceededError],
    Finding.LIMITED: [RateLimitError],
    Finding.DOWN: [
        ServerError,
        OverloadedError,
        TransportError,
        RequestTimeoutError,
        ResponseFormatError,
    ],
    None: [
        InvalidRequestError,
        NotFoundError,
        ContentFilterError,
        ContextLengthExceededError,
        ConfigError,
    ],
}
FOUND = [(kind, finding) for finding, kinds in BACKEND.items() for kind in kinds]


@pytest.mark.parametrize(("kind", "finding"), FOUND)
def test_an_error_shows_what_is_wrong_with_the_backend_or_nothing(
    kind: type[LLMError], finding: Finding | None
) -> None:
    assert find(kind("no")) is finding


@pytest.mark.parametrize("phase", ["limit", "guardrail", "build", "config"])
@pytest.mark.parametrize("kind", [RateLimitError, QuotaExceededError, ContentFilterError, LLMError])
def test_our_own_refusals_show_nothing(kind: type[LLMError], phase: str) -> None:
    assert find(kind("no", phase=phase)) is None


def test_a_wait_for_our_own_connections_shows_nothing() -> None:
    assert find(RequestTimeoutError("all are busy", phase="connect", code="pool")) is None


def test_a_broken_stream_shows_what_broke_it() -> None:
    limited = StreamInterruptedError("broke")
    limited.__cause__ = RateLimitError("slower")
    assert find(limited) is Finding.LIMITED
    assert find(StreamInterruptedError("broke")) is Finding.DOWN


# States.


@pytest.mark.parametrize(
    ("answer", "state", "truth"),
    [
        (Answer("Hello"), State.HEALTHY, True),
        (OUTAGE, State.DOWN, False),
        (DENIED, State.UNAUTHORIZED, False),
        (LIMITED, State.LIMITED, False),
    ],
)
def test_one_attempt_says_how_a_provider_stands(answer: Answer, state: State, truth: bool) -> None:
    world = World()
    world.ask(world.provider(answer))
    status = world.health.status()["work"]
    assert (status.state, bool(status)) == (state, truth)


def test_a_callers_mistake_says_nothing_of_the_provider() -> None:
    world = World()
    world.ask(world.provider(WRONG), 10)
    assert world.health.status() == {}


def test_failures_among_successes_are_a_degraded_provider() -> None:
    world = World()
    world.ask(world.provider("Hello", "Hello", OUTAGE), 3)
    assert world.state() is State.DEGRADED
    assert world.health.status()["work"].success_rate == pytest.approx(2 / 3)


def test_being_limited_is_not_being_down() -> None:
    world = World()
    world.ask(world.provider("Hello", LIMITED), 2)
    assert world.state() is State.LIMITED
    assert world.health.status()["work"].success_rate == 1


def test_what_was_seen_long_ago_does_not_count() -> None:
    world = World(window=60)
    world.ask(world.provider("Hello"))
    world.driver.run(sleep(61))
    status = world.health.status()["work"]
    assert (status.state, bool(status), status.observations) == (State.UNKNOWN, True, 0)


def test_an_open_incident_is_not_forgotten_with_the_window() -> None:
    world = World(window=60)
    world.ask(world.provider(OUTAGE), 3)
    world.driver.run(sleep(3600))
    assert world.state() is State.DOWN


def test_a_model_that_stands_otherwise_than_its_provider_is_named() -> None:
    world = World()
    provider = world.provider(*["Hello"] * 18, PermissionDeniedError("not for you"), "Hello")
    world.ask(provider, 18)
    world.ask(provider, model="secret")
    world.ask(provider)
    status = world.health.status()["work"]
    assert status.state is State.HEALTHY
    assert status.models == {"secret": State.UNAUTHORIZED}


def test_latencies_are_measured_by_the_drivers_clock_to_the_first_event_and_to_the_end() -> None:
    world = World()
    world.ask(world.provider("one two three", delay=2.0, pause=1.0), stream=True)
    status = world.health.status()["work"]
    assert status.first_event.p50 == pytest.approx(2.0)
    assert status.latency.p95 == pytest.approx(5.0)


def test_every_attempt_is_seen_and_not_only_every_call() -> None:
    world = World(failures=10)
    world.ask(world.provider(OUTAGE, OUTAGE, "Hello", retry={"attempts": 3}))
    status = world.health.status()["work"]
    assert status.observations == 3
    assert status.success_rate == pytest.approx(1 / 3)


def test_a_stream_that_is_left_counts_once_something_came_of_it() -> None:
    world = World()
    provider = world.provider("one two three")
    with provider.stream_execute("m", "Hi") as stream:
        next(stream)
    assert world.state() is State.HEALTHY
    with provider.stream_execute("m", "Hi"):
        pass
    assert world.health.status()["work"].observations == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_asynchronous_calls_are_seen_alike(backend: str) -> None:
    world = World()
    provider = world.provider("Hello", OUTAGE)

    async def main() -> None:
        await provider.aexecute("m", "Hi")
        with pytest.raises(ServerError):
            await provider.astream_execute("m", "Hi").drain()

    aio(main, backend)
    assert world.health.status()["work"].success_rate == pytest.approx(0.5)


def test_the_last_error_is_told_without_keys() -> None:
    world = World()
    world.ask(world.provider(Answer(error=ServerError("of sk-aaaaaaaaaaaaaaaaaaaaaaaa\n no"))))
    said = world.health.status()["work"].last_error
    assert said == "ServerError: of ********** no"


def test_health_reads_as_healthy_or_unhealthy() -> None:
    world = World()
    world.ask(world.provider("Hello", name="good"))
    world.ask(world.provider(OUTAGE, name="bad"))
    health = world.health.status()
    said = [f"{name}: {'Healthy' if status else 'Unhealthy'}" for name, status in health.items()]
    assert said == ["good: Healthy", "bad: Unhealthy"]


# Incidents.


def test_failures_in_a_row_open_an_incident_and_successes_close_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(failures=3, successes=2)
    provider = world.provider(*[OUTAGE] * 4, "Hello", delay=1.0)
    with caplog.at_level(logging.INFO, "jackfield.health"):
        world.ask(provider, 2)
        assert world.told == []
        world.ask(provider, 2)
        (opened,) = world.told
        assert opened.closed is None
        assert (opened.cause, opened.observations) == (Finding.DOWN, 3)
        world.ask(provider, 1)
        assert world.state() is State.DEGRADED
        world.ask(provider, 1)
    _, closed = world.told
    assert closed.id == opened.id
    assert (closed.opened, closed.closed) == (EPOCH + timedelta(seconds=1), world.clock())
    assert closed.observations == 4
    assert world.health.incidents() == [closed]
    assert [(r.levelname, r.name) for r in caplog.records if r.name == "jackfield.health"] == [
        ("WARNING", "jackfield.health"),
        ("INFO", "jackfield.health"),
    ]


def test_a_subscriber_that_fails_hurts_nobody_and_one_that_has_left_is_not_told() -> None:
    world = World(failures=1)
    told: list[Incident] = []
    leave = world.health.subscribe(told.append)
    leave()

    def broken(incident: Incident) -> None:
        raise ZeroDivisionError(incident)

    world.health.subscribe(broken)
    world.ask(world.provider(OUTAGE))
    assert (len(world.told), told) == (1, [])


FINDINGS = st.lists(st.sampled_from(Finding), max_size=60)
POLICIES = st.builds(HealthSettings, failures=st.integers(1, 5), successes=st.integers(1, 4))


def seen(findings: Sequence[Finding]) -> list[Observation]:
    times = (EPOCH + timedelta(seconds=n) for n in itertools.count())
    return [
        Observation(provider="p", at=at, finding=f, error="" if f is Finding.OK else "no")
        for at, f in zip(times, findings, strict=False)
    ]


@given(POLICIES, FINDINGS)
def test_at_most_one_incident_of_a_provider_and_cause_is_open(
    policy: HealthSettings, findings: list[Finding]
) -> None:
    record, opened = Record("p", policy), dict[Finding, str]()
    for observation in seen(findings):
        for incident in record.observe(observation):
            if incident.closed is None:
                assert incident.cause not in opened
                opened[incident.cause] = incident.id
            else:
                assert opened.pop(incident.cause) == incident.id
                assert incident.opened <= incident.closed
        assert {c: i.id for c, i in record.open.items()} == opened


@given(POLICIES, FINDINGS)
def test_successes_in_a_row_close_everything(
    policy: HealthSettings, findings: list[Finding]
) -> None:
    record = Record("p", policy)
    for observation in seen([*findings, *[Finding.OK] * policy.successes]):
        record.observe(observation)
    assert record.open == {}


@given(POLICIES, FINDINGS, st.sampled_from([f for f in Finding if f is not Finding.OK]))
def test_failures_in_a_row_always_open_one(
    policy: HealthSettings, findings: list[Finding], cause: Finding
) -> None:
    record = Record("p", policy)
    for observation in seen([*findings, *[cause] * policy.failures]):
        record.observe(observation)
    assert cause in record.open


@given(POLICIES, FINDINGS)
def test_an_incident_counts_the_failures_of_its_cause(
    policy: HealthSettings, findings: list[Finding]
) -> None:
    record, over = Record("p", policy), list[Incident]()
    for observation in seen(findings):
        over += [i for i in record.observe(observation) if i.closed]
    for incident in [*over, *record.open.values()]:
        within = [
            o
            for o in seen(findings)
            if o.finding is incident.cause and incident.opened <= o.at <= (incident.closed or o.at)
        ]
        assert incident.observations == len(within) >= policy.failures


@given(POLICIES, FINDINGS, st.randoms())
def test_rates_and_percentiles_do_not_depend_on_the_order_within_the_window(
    policy: HealthSettings, findings: list[Finding], random: Any
) -> None:
    before = seen(findings)
    after = random.sample(before, len(before))
    assert success_rate(after) == success_rate(before)
    values = [random.random() for _ in before]
    assert latency(values) == latency(sorted(values))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(v <= found for v in values) >= share * len(values) - 1e-9


@given(FINDINGS)
def test_a_state_is_unknown_exactly_where_nothing_was_seen(findings: list[Finding]) -> None:
    assert (state_of(seen(findings)) is State.UNKNOWN) == (not findings)


@given(FINDINGS, FINDINGS, POLICIES)
def test_a_new_process_goes_on_where_the_file_stops(
    earlier: list[Finding], later: list[Finding], policy: HealthSettings
) -> None:
    whole, first, second = (Record("p", policy) for _ in range(3))
    observations = seen([*earlier, *later])
    for observation in observations:
        whole.observe(observation)
    for observation in observations[: len(earlier)]:
        first.observe(observation)
    second.restore(observations[: len(earlier)], first.open.values())
    for observation in observations[len(earlier) :]:
        second.observe(observation)
    assert {c: i.observations for c, i in second.open.items()} == {
        c: i.observations for c, i in whole.open.items()
    }


# Probes.


class Backend(ScriptedProvider):
    """Lists models as *listed* says: a list, an error, or what a function does."""

    listed: Any = ("a", "b")

    def flow(self, request: Any, *, stream: bool, deadline: float) -> Flow[Any]:
        if not isinstance(request, ModelListRequest):
            return (yield from super().flow(request, stream=stream, deadline=deadline))
        if callable(self.listed):
            return (yield from self.listed(deadline))
        if isinstance(self.listed, Exception):
            raise self.listed
        return [ModelInfo(id=name) for name in self.listed]


def backend(world: World, listed: Any, name: str = "work") -> Backend:
    made = Backend({"answers": ["Hello"]}, name=name, hook=world.plugins.hook)
    made.listed = listed
    return made


def test_a_probe_asks_for_the_models() -> None:
    world = World()
    status = world.driver.run(world.health.probe(backend(world, ["a", "b"])))
    assert (status.state, status.model_count, status.observations) == (State.HEALTHY, 2, 1)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (AuthenticationError("no"), State.UNAUTHORIZED),
        (ServerError("no"), State.DOWN),
        (RateLimitError("no"), State.LIMITED),
        (RateLimitError("no", phase="limit"), State.UNKNOWN),
        (KeyError("a bug"), State.DOWN),
    ],
)
def test_a_probe_that_fails_says_how_and_does_not_try_again(error: Exception, state: State) -> None:
    world, asked = World(), []

    def fail(deadline: float) -> Flow[Any]:
        asked.append(deadline)
        yield from sleep(0)
        raise error

    status = world.driver.run(world.health.probe(backend(world, fail)))
    assert (status.state, len(asked)) == (state, 1)


def test_a_probe_has_no_more_patience_than_its_settings() -> None:
    world = World(timeout=7)
    deadlines: list[float] = []

    def slow(deadline: float) -> Flow[Any]:
        deadlines.append(deadline)
        yield from sleep(0)
        return []

    world.driver.run(world.health.probe(backend(world, slow)))
    assert deadlines == [7]


def test_a_provider_that_lists_no_models_has_its_configuration_checked() -> None:
    class Mute(ScriptedProvider):
        issues: Any = ()
        operations = frozenset({EmbeddingRequest})

        def check_config(self) -> Any:
            return self.issues

    world = World()
    mute = Mute({"answers": []}, name="mute")
    assert world.driver.run(world.health.probe(mute)).state is State.UNKNOWN
    mute.issues = ["api_key: there is none (set it)"]
    status = world.driver.run(world.health.probe(mute))
    assert status.state is State.UNAUTHORIZED
    assert "api_key: there is none" in status.last_error


def test_what_wraps_whole_calls_takes_a_probe_for_a_nested_one() -> None:
    class Calls:
        def __init__(self) -> None:
            self.nested: list[bool] = []

        @hookimpl
        def wrap_call(self, nested: bool) -> None:
            self.nested.append(nested)

    world, calls = World(), Calls()
    world.plugins.register(calls)
    world.driver.run(world.health.probe(backend(world, ["a"])))
    assert calls.nested == [True]


def meeting(parties: int) -> Callable[[float], Flow[Any]]:
    """A list of models that comes when so many ask at the same time."""
    barrier = threading.Barrier(parties)

    def listed(_deadline: float) -> Flow[Any]:
        from jackfield.flow import invoke

        yield from invoke(lambda: barrier.wait(20))
        return [ModelInfo(id="a")]

    return listed


def test_probes_run_side_by_side() -> None:
    world, listed = World(), meeting(5)
    providers = [backend(world, listed, f"p{n}") for n in range(5)]
    found = world.health.probe_all(providers)
    assert list(found) == [p.name for p in providers]
    assert all(found.values())


@pytest.mark.parametrize("loop", BACKENDS)
def test_also_on_the_event_loop(loop: str) -> None:
    world, listed = World(), meeting(5)
    providers = [backend(world, listed, f"p{n}") for n in range(5)]

    async def main() -> None:
        found = await world.health.aprobe_all(providers)
        assert list(found) == [p.name for p in providers]
        assert all(found.values())

    aio(main, loop)


def test_the_background_thread_probes_until_it_is_stopped() -> None:
    world, rounds = World(interval=0.1), threading.Semaphore(0)

    def listed(_deadline: float) -> Flow[Any]:
        rounds.release()
        yield from sleep(0)
        return []

    providers = [backend(world, listed)]
    world.health.start(providers)
    world.health.start(providers)  # it runs already
    assert all(rounds.acquire(timeout=20) for _ in range(3))
    (thread,) = [t for t in threading.enumerate() if t.name == "jackfield-health"]
    assert thread.daemon
    world.health.stop()
    assert not thread.is_alive()
    world.health.stop()  # once more does no harm


def test_without_an_interval_there_is_no_thread() -> None:
    world = World()
    world.health.start([])
    assert [t for t in threading.enumerate() if t.name == "jackfield-health"] == []


# The file.


def test_incidents_and_checks_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "health.sqlite"
    for turn in range(3):
        world = World(path=path, failures=3, successes=2)
        status = world.driver.run(world.health.probe(backend(world, ServerError("it burns"))))
        assert len(status.incidents) == (turn == 2)
    (opened,) = History(path).incidents()
    assert (opened.closed, opened.observations) == (None, 3)
    world = World(path=path, failures=3, successes=2)
    world.driver.now = 60.0
    world.ask(world.provider("Hello"), 2)
    (closed,) = History(path).incidents()
    assert (closed.id, closed.closed) == (opened.id, world.clock())
    assert [c.finding for c in History(path).checks()["work"]] == [Finding.DOWN] * 3
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_used_is_a_warning_and_no_failed_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "health.sqlite"
    path.write_bytes(b"this is no database" * 100)
    world = World(path=path, failures=1)
    world.ask(world.provider(OUTAGE, "Hello"), 2)
    assert len(world.told) == 1
    assert str(path) in caplog.text
    with pytest.raises(ConfigError, match="choose another path"):
        History(path).incidents()


def test_no_file_is_no_history_and_reading_makes_none(tmp_path: Path) -> None:
    history = History(tmp_path / "none.sqlite")
    assert (history.incidents(), history.checks()) == ([], {})
    assert not history.path.exists()


def test_many_threads_write_one_history(tmp_path: Path) -> None:
    path = tmp_path / "health.sqlite"
    world = World(path=path, failures=1, successes=1)
    names = [f"p{n}" for n in range(8)]

    def work(name: str) -> None:
        provider = world.provider(*[OUTAGE, "Hello"] * 5, name=name, then="cycle")
        for _ in range(5):
            with pytest.raises(ServerError):
                provider.execute("m", "Hi")
            provider.execute("m", "Hi")

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = History(path).incidents()
    assert len(found) == 40
    assert all(i.closed for i in found)
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT count(*) FROM checks").fetchone() == (0,)
    file.close()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"failures": 0}, "health.failures: must be a whole number"),
        ({"successes": True}, "health.successes: must be a whole number"),
        ({"interval": -1}, "health.interval: must be seconds"),
        ({"window": "1m"}, "health.window: must be seconds"),
        ({"timeout": float("nan")}, "health.timeout: must be seconds"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Health(HealthSettings(**wrong))


def test_a_later_process_knows_how_long_an_incident_is_and_lists_it(tmp_path: Path) -> None:
    place = HealthSettings(path=tmp_path / "health.sqlite3")

    def failing(health: Health, times: int) -> None:
        hooks = PluginManager()
        hooks.register(health)
        config = {"answers": [ServerError("no")], "then": "cycle", "retry": {"attempts": 1}}
        provider = ScriptedProvider(config, name="a", hook=hooks.hook)
        for _ in range(times):
            with pytest.raises(ServerError):
                provider.execute("m", "Hi")
        health.stop()

    first, second, third = (Health(place) for _ in range(3))
    failing(first, 7)
    assert [i.observations for i in second.incidents()] == [7]  # before any call
    failing(second, 2)
    assert [(i.provider, i.observations) for i in third.incidents()] == [("a", 9)]
