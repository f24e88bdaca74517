"""What the usage examples promise beside their first lines: clients, services and balance over real sockets."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from jackfield import (
    ChatRequest,
    ChatResponse,
    ConfigError,
    Finish,
    LLMProvider,
    Message,
    ProviderInfo,
    ProviderManager,
    ServerError,
    StreamInterruptedError,
    create_provider,
    fold,
    replay,
)
from jackfield.drivers.sync import SyncDriver
from jackfield.flow import Flow
from jackfield.manager import ChatCompletionRequest, ChatMessage, LLMManager, ProviderConfig
from jackfield.manager.service import ClaudeProvider, OpenAIProvider
from jackfield.requests import Request
from jackfield.routing import Balance, Candidate, RouteTarget
from jackfield.testing.faults import FaultServer

CLIENTS = {
    "cloud.openai": "openai",
    "cloud.gemini": "gemini",
    "custom.ollama": "ollama",
    "custom.vllm": "openai",
}
KINDS = {"openai": "openai", "claude": "anthropic", "gemini": "gemini", "ollama": "ollama"}
HELLO = [{"role": "user", "content": "Hello"}]
KEY = "plover7q2w9e4r"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


# The TOML manager and its clients.


def toml(server: FaultServer, folder: Path, more: str = "") -> ProviderManager:
    """The manager of a file with a provider of each dialect."""
    text = "".join(
        f"[{'provider' if name.startswith('cloud') else 'providers'}.{name}]\n"
        f'api_key = "{KEY}"\nbase_url = "{server.url(dialect)}"\n'
        for name, dialect in CLIENTS.items()
    )
    path = folder / "provider.config.toml"
    path.write_text(text + more, "utf-8")
    return ProviderManager(str(path))


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_chats_streams_embeds_and_lists_models(
    server: FaultServer, tmp_path: Path, name: str
) -> None:
    client = toml(server, tmp_path).get_client(name)
    whole = client.chat.completions.create(model="pelican-1", messages=HELLO)
    assert whole.choices[0].message.content == server.answer().text
    chunks = client.chat.completions.create(model="pelican-1", messages=HELLO, stream=True)
    said = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(said) == server.answer().text
    vectors = client.embeddings.create(model="pelican-1", input=["sea", "sky"])
    assert len(vectors.data) == 2
    assert client.models.list().data


@pytest.mark.parametrize("name", CLIENTS)
def test_and_on_the_event_loop(server: FaultServer, tmp_path: Path, name: str) -> None:
    async def main() -> str:
        client = toml(server, tmp_path).get_async_client(name)
        answer = await client.chat.completions.create(model="pelican-1", messages=HELLO)
        content: str = answer.choices[0].message.content
        return content

    assert anyio.run(main) == server.answer().text


def test_a_new_provider_is_a_table_more(server: FaultServer, tmp_path: Path) -> None:
    more = f'[providers.custom.NewProvider]\napi_key = "{KEY}"\nbase_url = "{server.url()}"\n'
    client = toml(server, tmp_path, more).get_client("custom.NewProvider")
    assert client.chat.completions.create(model="any", messages=HELLO).choices[0].message.content


def test_or_a_class_that_inherits_from_the_client(server: FaultServer) -> None:
    from jackfield_dialect_openai.compat import OpenAIClient

    class NewProvider(OpenAIClient):
        def __init__(self, api_key: str, base_url: str) -> None:
            told = {"api_key": api_key, "base_url": base_url}
            super().__init__(create_provider("openai-compatible", told))

    client = NewProvider(KEY, server.url())
    assert client.chat.completions.create(model="any", messages=HELLO).choices[0].message.content


def test_a_mistaken_file_is_told_of_at_once_with_its_lines(
    server: FaultServer, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        toml(server, tmp_path, "timeuot = 3\n[providers.custom.nobody]\nmodels = 3\n")
    assert len(caught.value.issues) >= 2
    assert all(f"{tmp_path}" in issue.path for issue in caught.value.issues)


def test_the_log_has_the_four_levels(
    server: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = server.url("openai", "500")
    more = f'[providers.custom.bad]\nbase_url = "{bad}"\nretry = {{attempts = 2, initial = 0.01}}\n'
    manager = toml(server, tmp_path, more)
    with caplog.at_level(logging.DEBUG, "jackfield"):
        manager.get_client("cloud.openai").chat.completions.create(model="gpt-4", messages=HELLO)
        with pytest.raises(ServerError):
            manager.execute("custom.bad", "any", "Hello")
    levels = {record.levelname for record in caplog.records}
    assert levels == {"DEBUG", "INFO", "WARNING", "ERROR"}
    assert KEY not in caplog.text


# The managed service.


REQUEST = ChatCompletionRequest(
    messages=[ChatMessage(role="user", content="Hello, how are you?")], model="gpt-3.5-turbo"
)


def config(server: FaultServer, kind: str, fault: str = "ok", **more: Any) -> ProviderConfig:
    url = server.url(KINDS[kind], fault)
    told: dict[str, Any] = {"provider_type": kind, "api_key": KEY, "base_url": url, **more}
    return ProviderConfig(**told)


def test_one_provider_is_a_service_of_its_own(server: FaultServer) -> None:
    async def main() -> None:
        openai_provider = OpenAIProvider(config(server, "openai", models=["gpt-3.5-turbo"]))
        response = await openai_provider.chat_completion(REQUEST)
        assert (response.provider, response.content) == ("openai", server.answer().text)
        assert response.response.warnings == ()

        # The same request: Claude answers with its own model, and says so.
        claude_provider = ClaudeProvider(config(server, "claude", models=["claude-3-opus"]))
        response = await claude_provider.chat_completion(REQUEST)
        assert (response.provider, response.content) == ("claude", server.answer().text)
        assert "gpt-3.5-turbo could not be had" in str(response.response.warnings[0])

    anyio.run(main)


@pytest.mark.parametrize(
    "fault", ["401", "402", "403", "404", "429", "500", "refused", "rst_no_head"]
)
def test_whatever_the_first_three_suffer_the_fourth_answers(
    server: FaultServer, fault: str
) -> None:
    kinds = list(KINDS)
    configs = [
        config(server, kind, "ok" if kind == kinds[-1] else fault, models=[f"{kind}-1"], priority=i)
        for i, kind in enumerate(kinds)
    ]

    async def main() -> None:
        async with LLMManager(configs) as manager:
            response = await manager.chat_completion(REQUEST)
        assert (response.provider, response.content) == (kinds[-1], server.answer().text)

    anyio.run(main)


VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "claude": "ANTHROPIC_API_KEY",
    "gemini": "GOOGLE_API_KEY",
    "ollama": "OLLAMA_BASE_URL",
}


@pytest.mark.parametrize("kind", VARIABLES)
def test_the_environment_is_a_configuration(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*VARIABLES.values(), "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(VARIABLES[kind], server.url("ollama") if kind == "ollama" else KEY)
    made = LLMManager().manager[kind]
    assert made.name == kind
    if kind == "ollama":
        assert made.execute("pelican-1", "Hello").text == server.answer().text
    else:
        assert made.key.reveal() == KEY  # type: ignore[attr-defined]  # of those over HTTP


# The balanced provider.


def several(server: FaultServer, faults: Sequence[str], tag: str) -> list[RouteTarget]:
    """Targets of all dialects in turn, each of which suffers one of *faults*."""
    targets = []
    for i, fault in enumerate(faults):
        kind, dialect = list(KINDS.items())[i % len(KINDS)]
        url = server.url(dialect, fault, tag=f"{tag}{i}")
        told = {"api_key": KEY, "base_url": url, "retry": {"attempts": 1}}
        provider = create_provider(kind, told)
        provider.name = f"{kind}{i}"
        targets.append(RouteTarget(provider, "pelican-1"))
    return targets


def who(answer: ChatResponse) -> str:
    name: str = answer.provider_metadata["jackfield"]["provider"]
    return name


@pytest.mark.parametrize("strategy", ["round_robin", "least_busy", "least_recently_used"])
def test_calls_are_spread_evenly_over_every_dialect(server: FaultServer, strategy: str) -> None:
    provider = Balance.of(*several(server, ["ok"] * 4, strategy), strategy=strategy)
    answers = [provider.execute("any", "Hello") for _ in range(8)]
    assert set(Counter(map(who, answers)).values()) == {2}
    assert {answer.text for answer in answers} == {server.answer().text}


def test_threads_share_it_and_nobody_gets_anothers_answer(server: FaultServer) -> None:
    provider = Balance.of(*several(server, ["ok", "503", "ok", "429"], "threads"))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: provider.execute("any", "Hello"), range(64)))
    assert {who(answer) for answer in answers} == {"openai0", "gemini2"}
    assert {answer.text for answer in answers} == {server.answer().text}
    assert all("with 0 calls on their way" in c.reason for c in kept(provider))


def kept(provider: LLMProvider) -> list[Any]:
    """The targets that would be asked now."""
    told: Any = provider.explain("any", "Hello")
    return [c for c in told.considered if c.kept]


def test_who_failed_cools_down_and_comes_back(server: FaultServer) -> None:
    ahead = [0.0]
    driver = SyncDriver(clock=lambda: time.monotonic() + ahead[0])
    targets = several(server, ["503,503,ok", "ok"], "cooling")
    breaker = {"failures": 2, "cooldown": 30}
    told = {"targets": targets, "breaker": breaker, "strategy": "round_robin"}
    provider = Balance(told, driver=driver)

    def answered() -> list[str]:
        return [who(provider.execute("any", "Hello")) for _ in range(6)]

    assert set(answered()) == {"claude1"}
    assert [c.target for c in kept(provider)] == ["claude1/pelican-1"]
    assert len(server.log.requests("cooling0")) == 2
    ahead[0] = 31.0
    assert set(answered()) == {"openai0", "claude1"}


def test_an_answer_is_events_and_a_failure_ends_them_with_what_there_is(
    server: FaultServer,
) -> None:
    provider = Balance.of(*several(server, ["ok"], "events"))
    events = list(provider.stream_execute("any", "Hello"))
    assert type(events[-1]) is Finish
    broken = Balance.of(*several(server, ["cut_rst"], "broken"))
    seen: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        seen.extend(str(event) for event in broken.stream_execute("any", "Hello"))
    assert "".join(seen) == caught.value.partial_text
    assert seen


def test_cancelling_closes_the_connection(server: FaultServer) -> None:
    provider = Balance.of(*several(server, ["endless"], "cancelled"))
    with provider.stream_execute("any", "Hello") as events:
        next(events)
    assert server.log.wait_gone("cancelled0", 5)
    assert [c.reason for c in kept(provider)] == ["ready, with 0 calls on their way"]


class CustomProvider(LLMProvider):
    """A provider of one's own in a few lines."""

    info: ClassVar = ProviderInfo(name="custom", display_name="Custom", api_key_required=False)
    operations = frozenset({ChatRequest})

    def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
        events = replay(ChatResponse(model=request.model, message=Message("assistant", "custom")))
        yield events
        return fold(events)


class PreferCustom:
    """A strategy of one's own."""

    def choose(self, candidates: Sequence[Candidate], request: Any, chance: float) -> Candidate:
        """The custom provider, where it is well."""
        return min(candidates, key=lambda c: c.target.name != "custom")


def test_providers_and_strategies_of_ones_own_take_part(server: FaultServer) -> None:
    targets = several(server, ["ok"], "own")
    provider = Balance.of(*targets, CustomProvider(), strategy=PreferCustom())
    assert provider.execute("any", "Hello").text == "custom"
    assert "".join(map(str, provider.stream_execute("any", "Hello"))) == "custom"
