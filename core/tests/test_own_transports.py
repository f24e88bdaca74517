"""A provider's own client or driver carries its requests, whoever calls the provider."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from core_toy import BACKENDS, KEY, Toy, aio, make, sent, streamed, whole

from jackfield import LLMProvider, ProviderManager
from jackfield.drivers.concurrent import AsyncDriver
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.drivers.sync import SyncDriver
from jackfield.plugins import plugin_manager
from jackfield.requests import ModelListRequest
from jackfield.routing import Balance, Fallback, Keys, Route

FAILS = Recorded(status=500, chunks=[b"{}"])
ROUTES = pytest.mark.parametrize("kind", [Fallback, Balance, Keys])


def other(text: str) -> dict[str, Any]:
    """Drivers that would answer *text*."""
    recorded = [Recorded(chunks=[whole(text)])] * 4
    return {"driver": ReplayDriver(recorded), "async_driver": AsyncReplayDriver(recorded)}


@ROUTES
def test_a_route_reaches_each_target_over_the_targets_own_transport(kind: type[Route]) -> None:
    answers = whole("plain"), streamed("str", "eam")
    route = kind.of(make(*answers))
    assert route.execute("m", "Hi").text == "plain"
    assert route.stream_execute("m", "Hi").drain().text == "stream"


@ROUTES
@pytest.mark.parametrize("backend", BACKENDS)
def test_and_on_event_loops(kind: type[Route], backend: str) -> None:
    async def main() -> None:
        route = kind.of(make(whole("plain"), streamed("str", "eam")))
        assert (await route.aexecute("m", "Hi")).text == "plain"
        assert (await route.astream_execute("m", "Hi").drain()).text == "stream"

    aio(main, backend)


def test_targets_do_not_share_them() -> None:
    first, second = make(FAILS), make(whole("second"))
    route = Fallback.of(Fallback.of(first), second)
    assert route.execute("m", "Hi").text == "second"
    assert (len(sent(first)), len(sent(second))) == (1, 1)


def test_a_target_without_one_is_reached_over_the_routes() -> None:
    plain = Toy({"base_url": "https://toy.example/v1", "api_key": KEY})
    route = Fallback({"targets": [plain]}, **other("the route's"))
    assert route.execute("m", "Hi").text == "the route's"
    own = Fallback({"targets": [make(whole("its own"))]}, **other("the route's"))
    assert own.execute("m", "Hi").text == "its own"


def test_a_route_lists_the_models_over_them_too() -> None:
    route = Fallback.of(make(b'{"data": [{"id": "m1"}]}'))
    assert [m.id for m in route.run(ModelListRequest())] == ["m1"]


def by_client() -> LLMProvider:
    """A provider over clients that answer by themselves."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=whole("by client")))
    plugins = plugin_manager()
    plugins._classes["toy"] = Toy
    try:
        return plugins.create(
            "toy",
            {"base_url": "https://toy.example/v1", "api_key": KEY},
            client=httpx2.Client(transport=transport),
            async_client=httpx2.AsyncClient(transport=transport),
        )
    finally:
        del plugins._classes["toy"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_client_of_ones_own_is_used_in_routes_and_managers(backend: str) -> None:
    manager = ProviderManager()
    manager.add_provider("own", by_client())
    for asked in (Fallback.of(by_client()), Balance.of(Fallback.of(by_client())), manager["own"]):
        assert asked.execute("m", "Hi").text == "by client"

        async def main(asked: LLMProvider = asked) -> None:
            assert (await asked.aexecute("m", "Hi")).text == "by client"

        aio(main, backend)


def test_what_a_flow_sends_goes_there_whoever_drives_it() -> None:
    provider = make(whole("one"), whole("two"))
    request = provider.chat_request("m", "Hi")
    assert SyncDriver().run(provider.call(request)).text == "one"

    async def main() -> None:
        assert (await AsyncDriver().run(provider.call(request))).text == "one"

    aio(main)
