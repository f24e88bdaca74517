"""One manager knows providers by name, whom a model's name means, and how all of them stand."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from core_backends import Backend, ask, during
from core_toy import BACKENDS, aio
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatResponse,
    ConfigError,
    LLMError,
    NotFoundError,
    Pricing,
    ProviderManager,
    RateLimitError,
    ServerError,
    UnknownProviderError,
    hookimpl,
)
from jackfield.drivers.sync import SyncDriver
from jackfield.manager import ManagerExplanation
from jackfield.routing import Keys


def scripted(answer: str, **more: Any) -> dict[str, Any]:
    return {"provider": "scripted", "answers": [answer], **more}


def managed(**providers: Any) -> ProviderManager:
    return ProviderManager({"providers": providers})


# By name.


def test_providers_are_added_called_and_removed_at_run_time() -> None:
    manager = ProviderManager()
    manager.add_provider("one", scripted("I am one"))
    manager.add_provider("two", scripted("I am two"))
    assert manager.execute("one", "m", "Hi").text == "I am one"
    assert "".join(map(str, manager.stream_execute("two", "m", "Hi"))) == "I am two"
    manager.remove_provider("one")
    with pytest.raises(UnknownProviderError, match=r"no provider 'one'; it has two"):
        manager.execute("one", "m", "Hi")
    assert list(manager) == ["two"]


def test_a_provider_of_ones_own_may_be_added_and_gets_the_managers_middleware() -> None:
    manager = ProviderManager()
    manager.add_provider("mine", Backend("x", latency=0.0), priority=3)
    assert manager.execute("mine", "m", "Hi").text == "mine"
    assert manager.get_cost_analysis().calls == 1
    assert manager.settings.providers["mine"].priority == 3


def test_adding_a_name_again_exchanges_the_provider() -> None:
    manager = managed(a=scripted("old"))
    manager.add_provider("a", scripted("new"))
    assert manager.execute("a", "m", "Hi").text == "new"


def test_a_provider_that_a_route_needs_is_not_removed() -> None:
    manager = ProviderManager(
        {"providers": {"a": scripted("x")}, "routes": {"main": {"targets": ["a/m"]}}}
    )
    with pytest.raises(ConfigError, match=r"routes.main.targets\[0\]: there is no provider"):
        manager.remove_provider("a")
    assert manager.execute("main", "main", "Hi").text == "x"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        managed(a={"provider": "scripted", "thn": "x"}, b={"provider": "nobody"})
    assert {issue.path for issue in caught.value.issues} == {
        "providers.a.thn",
        "providers.b.provider",
    }


def test_no_key_shows_in_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-very-secret-and-long-0123456789"

    def shown(make: Callable[[], object]) -> str:
        with pytest.raises(ConfigError) as caught:
            make()
        stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [f for f in stack.stack if "jackfield" in f.filename and "tests" not in f.filename]
        return "".join(str(f.locals) for f in ours) + str(caught.value)

    table = {"provider": "scripted", "api_key": key, "answers": ["x"]}
    assert key not in shown(lambda: managed(a=table))
    assert key not in shown(lambda: ProviderManager().add_provider("a", table))
    assert key not in shown(lambda: ProviderManager().add_provider("a", api_key=key))


# By a model's name.


NAMED = {
    "aliases": {"quick": "small-1", "same": "quick"},
    "providers": {
        "a": scripted("a", models=["small-1", "shared"], priority=1),
        "b": scripted("b", models=["big-*", "shared"], priority=2),
        "c": scripted("c", models=["twin"]),
        "d": scripted("d", models=["twin"]),
    },
    "routes": {"main": {"targets": ["b/big-9", "a/small-1"]}},
}


@pytest.mark.parametrize(
    ("asked", "answers", "model"),
    [
        ("small-1", "a", "small-1"),
        ("quick", "a", "small-1"),
        ("same", "a", "small-1"),
        ("big-7", "b", "big-7"),
        ("shared", "a", "shared"),
        ("d/twin", "d", "twin"),
        ("d/anything/else", "d", "anything/else"),
        ("main", "b", "big-9"),
    ],
)
def test_a_models_name_means_whoever_serves_it(asked: str, answers: str, model: str) -> None:
    answer = ProviderManager(NAMED).auto_execute(asked, "Hi")
    assert (answer.text, answer.model) == (answers, model)


def test_what_several_serve_alike_is_an_error_that_lists_them() -> None:
    with pytest.raises(
        NotFoundError, match=r"'twin' is served by c, d: write c/twin, or give them"
    ):
        ProviderManager(NAMED).auto_execute("twin", "Hi")


def test_what_nobody_serves_is_an_error_with_the_nearest_names() -> None:
    with pytest.raises(NotFoundError, match="did you mean small-1"):
        ProviderManager(NAMED).auto_execute("small-2", "Hi")


def test_what_nobody_is_called_is_an_error_that_says_so() -> None:
    for asked, said in [
        ("zz/x", "there is no provider or route 'zz': have a, b"),
        ("mein/large-7", r"there is no provider or route 'mein': did you mean main/large-7\?"),
    ]:
        with pytest.raises(NotFoundError, match=f"nobody serves the model '{asked}', and {said}"):
            ProviderManager(NAMED).auto_execute(asked, "Hi")


def test_a_routes_target_may_be_an_alias_of_a_provider_or_a_route() -> None:
    routes = {"near": {"targets": ["quick"]}, "far": {"targets": ["nearest"]}}
    aliases = {"quick": "a/small-1", "nearest": "near"}
    manager = ProviderManager({**NAMED, "aliases": aliases, "routes": routes})
    assert manager.auto_execute("far", "Hi").model == "small-1"


def test_who_lists_no_models_is_asked_for_them_once() -> None:
    manager = managed(a=scripted("a"), b=scripted("b"))
    backend = manager.providers["b"]
    for _ in range(3):
        with pytest.raises(NotFoundError, match="write PROVIDER/MODEL"):
            manager.auto_execute("something-else", "Hi")
    assert len(backend.requests) == 1  # type: ignore[attr-defined]  # the scripted provider's


def test_the_only_provider_is_asked_for_any_model() -> None:
    assert managed(a=scripted("a")).auto_execute("whatever", "Hi").text == "a"


def test_without_a_model_the_default_is_meant() -> None:
    manager = ProviderManager({**NAMED, "default_model": "quick"})
    assert manager.auto_execute("", "Hi").text == "a"
    with pytest.raises(NotFoundError, match="there is no default_model"):
        ProviderManager(NAMED).auto_execute("", "Hi")


def test_explaining_tells_how_a_name_was_understood_and_who_else_was_considered() -> None:
    manager = ProviderManager(NAMED)
    told = manager.explain("shared", "Hi")
    assert (told.provider, told.how, told.passed_over) == ("a", "exact", ("b",))
    told = manager.explain("main", "Hi")
    assert isinstance(told, ManagerExplanation)
    considered = told.route.considered  # type: ignore[union-attr]  # a route is meant
    assert [c.target for c in considered] == ["b/big-9", "a/small-1"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_call_has_its_twin_for_event_loops(backend: str) -> None:
    async def main() -> None:
        async with ProviderManager(NAMED) as manager:
            assert (await manager.aexecute("a", "m", "Hi")).text == "a"
            assert (await manager.astream_execute("a", "m", "Hi").drain()).text == "a"
            assert (await manager.aauto_execute("quick", "Hi")).text == "a"
            stream = await manager.aauto_stream("main", "Hi")
            assert (await stream.drain()).text == "b"
            assert (await manager.arun(ask("big-1"))).text == "b"
            models = await manager.alist_models()
            assert [m.id for m in models["a"]] == ["small-1", "shared"]
            assert all((await manager.acheck_health()).values())
            outcome = await manager.abatch([ask("big-1"), ask("nobody's")])
            assert [type(r.error).__name__ for r in outcome] == ["NoneType", "NotFoundError"]
            compared = await manager.acompare("Hi", ["quick", "big-1"])
            assert [t.response.text for t in compared.trials if t.response] == ["a", "b"]

    aio(main, backend)


# All of them.


def down(*_: Any) -> LLMError:
    return ServerError("it is down")


def test_models_are_listed_by_provider_with_failures_beside_them() -> None:
    manager = managed(a=scripted("a"))
    manager.add_provider("b", Backend("b"))
    listed = manager.list_models()
    assert [m.id for m in listed["a"]] == ["scripted"]
    assert listed["a"].error is None
    assert list(listed["b"]) == []
    assert isinstance(listed["b"].error, LLMError)


def test_the_status_of_all_tells_who_is_ready_and_what_was_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = managed(a=scripted("a", models=["x"], priority=4))
    manager.add_provider("b", Backend("b", down, latency=0.0, config={"retry": {"attempts": 1}}))
    for _ in range(3):
        with pytest.raises(ServerError):
            manager.execute("b", "m", "Hi")
    status = manager.status()
    assert status["a"].ready
    assert (status["a"].priority, status["a"].models) == (4, ("x",))
    assert status["b"].health.state == "down"
    assert "it is down" in status["b"].health.last_error


# What stands around calls.


class Prices:
    """Two dollars for a million tokens of anything."""

    @hookimpl
    def price_model(self, provider: str, model: str) -> Pricing | None:
        return Pricing(input=Decimal(2), output=Decimal(2))


def test_limits_hold_for_routes_and_direct_calls_together() -> None:
    limits = {"requests": "2/minute", "wait": 0}
    manager = ProviderManager(
        {
            "providers": {"a": scripted("a", limits=limits), "b": scripted("b")},
            "routes": {"main": {"targets": ["a/m", "b/m"]}},
        }
    )
    assert manager.execute("a", "m", "Hi").text == "a"
    answers = [manager.auto_execute("main", "Hi").text for _ in range(3)]
    assert answers == ["a", "b", "b"]
    with pytest.raises(RateLimitError) as caught:
        manager.execute("a", "m", "Hi")
    assert caught.value.code == "local_limit"


def test_a_cache_answers_the_second_time_and_the_backend_is_asked_once() -> None:
    manager = ProviderManager({"providers": {"a": scripted("a")}, "cache": {}})
    first, second = (manager.execute("a", "m", "Hi") for _ in range(2))
    assert second.text == first.text
    assert len(manager.providers["a"].requests) == 1  # type: ignore[attr-defined]  # the scripted provider's


def test_a_ledger_remembers_costs_beyond_the_manager(tmp_path: Path) -> None:
    config = {"providers": {"a": scripted("a")}, "ledger": {"path": str(tmp_path / "ledger.db")}}
    for _ in range(2):
        with ProviderManager(config) as manager:
            manager.execute("a", "m", "Hi")
    with ProviderManager(config) as manager:
        assert manager.get_cost_analysis().calls == 2


def test_the_programs_own_middleware_sees_calls_and_the_cache_does_not_hide_them() -> None:
    seen: list[str] = []

    class Spy:
        @hookimpl
        def wrap_call(self, provider: Any, request: Any) -> Any:
            seen.append(provider.name)

    config = {"providers": {"a": scripted("a")}, "cache": {}}
    manager = ProviderManager(config, middleware=[Spy()])
    for _ in range(3):
        manager.execute("a", "m", "Hi")
    assert seen == ["a"] * 3


def test_several_keys_become_one_provider_that_uses_them_in_turn() -> None:
    pytest.importorskip("jackfield_openai")
    made = managed(openai={"api_keys": ["sk-one-0123456789", "sk-two-0123456789"]})["openai"]
    assert isinstance(made, Keys)
    assert made.name == "openai"
    assert made.get_info().name == "openai"


@given(st.lists(st.sampled_from(["ok", "down"]), min_size=1, max_size=6))
def test_a_managers_route_answers_as_long_as_one_target_does(kinds: list[str]) -> None:
    manager = ProviderManager(driver=SyncDriver(sleep=lambda _: None))
    for i, kind in enumerate(kinds):
        failing = during(0, float("inf"), down) if kind == "down" else None
        manager.add_provider(f"p{i}", Backend(f"p{i}", failing, latency=0.0))
    routed = ProviderManager(
        {"providers": {f"p{i}": scripted("") for i in range(len(kinds))},
         "routes": {"main": {"targets": [f"p{i}/m" for i in range(len(kinds))]}}},
        driver=SyncDriver(sleep=lambda _: None),
    )  # fmt: skip
    for name, provider in manager.providers.items():
        routed.add_provider(name, provider)
    try:
        answer: Any = routed.auto_execute("main", "Hi")
    except ServerError as error:
        answer = error
    assert isinstance(answer, ChatResponse) == ("ok" in kinds)


def test_the_end_closes_everything() -> None:
    manager = managed(a=scripted("a"))
    manager.close()
    with pytest.raises(ConfigError, match="closed"):
        manager.execute("a", "m", "Hi")


def test_clients_speak_for_every_provider_and_route_and_stay_the_same() -> None:
    pytest.importorskip("jackfield_dialect_openai")
    manager = ProviderManager(NAMED)
    clients = manager.clients()
    assert list(clients) == [*"abcd", "main"]
    assert clients["a"] is manager.get_client("a")
    message = [{"role": "user", "content": "Hi"}]
    told = Counter(
        clients[name].chat.completions.create(messages=message).choices[0].message.content
        for name in ("a", "main")
    )
    assert told == {"a": 1, "b": 1}
    manager.add_provider("a", scripted("new"))
    assert manager.get_client("a") is not clients["a"]
