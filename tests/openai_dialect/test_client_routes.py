"""A client over a route of providers is a client over a provider."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from jackfield import LLMProvider, create_provider
from jackfield.routing import Fallback
from jackfield.testing.faults import FaultServer
from jackfield_dialect_openai.compat import OpenAIClient
from openai_dialect import programs
from openai_dialect.programs import MODEL, PROGRAMS

KEY = "made-up-key-1234"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def provider(server: FaultServer, name: str, fault: str = "", tag: str = "") -> LLMProvider:
    url = server.url("anthropic" if name == "claude" else "openai", fault, tag=tag)
    return create_provider(name, {"base_url": url, "api_key": KEY})


def test_a_route_is_a_provider_like_others(server: FaultServer) -> None:
    targets = [provider(server, "claude", "503"), provider(server, "openai-compatible")]
    official = openai.OpenAI(base_url=server.url("openai"), api_key=KEY, max_retries=0)
    with official, OpenAIClient(Fallback.of(*targets)) as client:
        for program in (p for p in PROGRAMS if p is not programs.models):
            assert program(client) == program(official)


@pytest.mark.parametrize(
    ("names", "sent"), [(["openai", "openai-compatible"], True), (["openai", "claude"], False)]
)
def test_openais_own_fields_go_through_a_route_if_all_targets_take_them(
    server: FaultServer, names: list[str], sent: bool
) -> None:
    tag = "-".join(names)
    route = Fallback.of(*(provider(server, name, tag=tag) for name in names))
    with OpenAIClient(route, model=MODEL) as client:
        answer = client.chat.completions.create(messages=programs.ASKED, user="me")
    (request,) = server.log.requests(tag)
    assert ("user" in request.json) is sent
    assert bool(answer.warnings) is not sent
