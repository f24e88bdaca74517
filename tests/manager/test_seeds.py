"""The usage examples of the programs that Jackfield replaces run as they were written, over real sockets."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import pytest

from jackfield import (
    AuthenticationError,
    Finish,
    LLMProvider,
    ProviderError,
    ProviderManager,
    RateLimitError,
    ServerError,
    StreamEvent,
    StreamInterruptedError,
    TextDelta,
    create_provider,
    fold,
)
from jackfield.manager import (
    ChatCompletionRequest,
    ChatMessage,
    LLMManager,
    ProviderConfig,
    ProviderType,
)
from jackfield.routing import Balance, Fallback, StreamFailed, with_errors
from jackfield.testing import Answer, ScriptedProvider
from jackfield.testing.faults import FaultServer

KEYS = {"OPENAI_API_KEY": "sk-made-up-for-tests", "ANTHROPIC_API_KEY": "sk-ant-made-up-for-tests"}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)


# The TOML manager.


def test_a_toml_file_makes_a_client_object_for_every_provider(
    server: FaultServer, tmp_path: Path
) -> None:
    config = tmp_path / "provider.config.toml"
    config.write_text(
        f"""
[provider.cloud.openai]
api_key = "OPENAI_API_KEY"
base_url = "{server.url("openai", "ok")}"
models = ["gpt-4-vision", "gpt-4"]

[providers.custom.ollama]
api_key = "CUSTOM_KEY"
base_url = "{server.url("ollama", "ok")}"
fetch_models = true

[providers.custom.vllm]
base_url = "{server.url("openai", "ok")}"
""",
        "utf-8",
    )
    # Initialize the manager
    manager = ProviderManager(str(config))

    # Get all initialized clients
    clients = manager.clients()
    assert set(clients) == {"cloud.openai", "custom.ollama", "custom.vllm"}

    # Get a specific client
    openai_client = manager.get_client("cloud.openai")
    ollama_client = manager.get_client("custom.ollama")
    assert openai_client is clients["cloud.openai"]  # cached after initialization
    said = {
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello"}]
        ).choices[0].message.content
        for client, model in ((openai_client, "gpt-4"), (ollama_client, "llama3.2"))
    }  # fmt: skip
    assert len(said) == 1
    assert said.pop()


# The managed service.


def configs(server: FaultServer, first: str = "ok") -> list[ProviderConfig]:
    return [
        ProviderConfig(
            provider_type=ProviderType.OPENAI,
            api_key="sk-made-up-openai",
            base_url=server.url("openai", first),
            models=["gpt-3.5-turbo", "gpt-4"],
            cost_multiplier=1.0,
            priority=1,
        ),
        ProviderConfig(
            provider_type=ProviderType.ANTHROPIC,
            api_key="sk-ant-made-up",
            base_url=server.url("anthropic", "ok"),
            models=["claude-3-sonnet-20240229", "claude-3-opus-20240229"],
            cost_multiplier=1.2,
            priority=2,
        ),
        ProviderConfig(
            provider_type=ProviderType.OLLAMA,
            api_key="",  # Not needed for local Ollama
            base_url=server.url("ollama", "ok"),
            models=["llama2", "codellama", "mistral"],
            cost_multiplier=0.1,  # Very low cost for local models
            priority=4,
        ),
    ]


REQUEST = ChatCompletionRequest(
    messages=[ChatMessage(role="user", content="Hello, how are you?")],
    model="gpt-3.5-turbo",
    temperature=0.7,
    max_tokens=100,
)


def test_the_service_answers_and_tells_costs_health_and_models(server: FaultServer) -> None:
    async def main() -> None:
        manager = LLMManager(configs(server))

        # Get completion from any available provider
        response = await manager.chat_completion(REQUEST)
        assert response.content
        assert response.provider == "openai"

        # Get cost information
        costs = manager.get_cost_analysis()
        assert costs.total_cost == sum(costs.provider_costs.values())
        assert set(costs.provider_costs) == {"openai"}

        # Check provider health
        health = await manager.check_provider_health()
        told = {name: "Healthy" if status else "Unhealthy" for name, status in health.items()}
        assert set(told) == {"openai", "claude", "ollama"}

        # Get available models
        models = await manager.list_models()
        assert set(models) == set(told)
        await manager.close()

    anyio.run(main)


def test_the_next_provider_answers_when_one_fails_and_the_response_says_so(
    server: FaultServer,
) -> None:
    async def main() -> None:
        async with LLMManager(configs(server, first="503")) as manager:
            response = await manager.chat_completion(REQUEST)
        assert response.content
        assert (response.provider, response.response.warnings[-1].kind) == ("claude", "emulated")

    anyio.run(main)


@pytest.mark.parametrize(("fault", "kind"), [("429", RateLimitError), ("401", AuthenticationError)])
def test_what_a_service_raises_is_caught_by_the_names_that_programs_know(
    server: FaultServer, fault: str, kind: type[ProviderError]
) -> None:
    async def main() -> None:
        async with LLMManager(configs(server, first=fault)[:1]) as manager:
            with pytest.raises(ProviderError) as caught:
                await manager.chat_completion(REQUEST)
        assert type(caught.value) is kind

    anyio.run(main)


def test_debug_logging_shows_operations_and_no_key(
    server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with LLMManager(configs(server)) as manager:
            await manager.chat_completion(REQUEST)

    with caplog.at_level(logging.DEBUG):
        anyio.run(main)
    assert "gpt-3.5-turbo" in caplog.text
    assert "sk-made-up" not in caplog.text


def test_the_services_own_file_is_read(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = {
        "provider_type": "openai",
        "api_key": "${OPENAI_API_KEY}",
        "base_url": server.url("openai", "ok"),
        "models": ["gpt-4"],
        "priority": 1,
        "cost_multiplier": 1.0,
    }
    Path("llm_studio_config.json").write_text(json.dumps({"providers": {"openai": own}}), "utf-8")

    async def main() -> str:
        async with LLMManager() as manager:
            return (await manager.chat_completion(REQUEST)).content

    assert anyio.run(main)


# The provider module's manager.


def test_many_providers_are_managed_and_a_models_name_finds_its_own(server: FaultServer) -> None:
    manager = ProviderManager()
    manager.add_provider(
        "openai", {"api_key": "sk-made-up-openai", "base_url": server.url("openai", "ok")}
    )
    manager.add_provider(
        "claude", {"api_key": "sk-ant-made-up", "base_url": server.url("anthropic", "ok")}
    )
    manager.add_provider("ollama", {"base_url": server.url("ollama", "ok")})

    # Execute on specific provider
    response = manager.execute("openai", "gpt-4", "Hello!")
    assert response.text

    # Auto-select based on model name
    response = manager.auto_execute("claude-3-opus-20240229", "Hello!")
    assert manager.explain("claude-3-opus-20240229", "Hello!").provider == "claude"
    assert response.text


class AIRouter:
    """The program of the example."""

    def __init__(self, url: str) -> None:
        self.provider_manager = ProviderManager()

        # Add local provider
        self.provider_manager.add_provider("llama-cpp", {"models_dir": "."})

        # Add cloud provider
        self.provider_manager.add_provider(
            "openai", {"api_key": os.getenv("OPENAI_API_KEY"), "base_url": url}
        )

    def route_request(self, prompt: str, use_case: str) -> Any:
        if use_case == "coding":
            return self.provider_manager.execute("llama-cpp", "tiny-demo", prompt)
        return self.provider_manager.execute("openai", "gpt-4", prompt)


def test_a_router_over_a_local_and_a_cloud_provider(server: FaultServer) -> None:
    pytest.importorskip("jackfield_llamacpp")
    router = AIRouter(server.url("openai", "ok"))
    assert set(router.provider_manager.status()) == {"llama-cpp", "openai"}
    assert router.route_request("Hello", "talk").text == server.answer().text
    if not any(map(find_spec, ("xllamacpp", "llama_cpp"))):
        pytest.skip("no llama.cpp engine is installed: pip install 'jackfield-llamacpp[cpu]'")
    local = router.route_request("Hello", "coding")
    assert local.text
    assert (local.model, local.usage.output_tokens > 0) == ("tiny-demo", True)


def test_the_providers_file_is_interpolated(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    tables = {
        "openai": {"api_key": "${OPENAI_API_KEY}", "timeout": 300},
        "claude": {"api_key": "${ANTHROPIC_API_KEY}", "timeout": 300},
        "ollama": {"base_url": "http://localhost:11434"},
    }
    path.write_text(json.dumps(tables), "utf-8")
    manager = ProviderManager(path)
    assert list(manager) == ["openai", "claude", "ollama"]
    assert manager["openai"].config.api_key.reveal() == KEYS["OPENAI_API_KEY"]
    assert manager["claude"].config.timeout.total == 300


# The balanced provider.


def test_a_balanced_provider_takes_turns_passes_over_the_failing_and_is_safe_in_threads() -> None:
    failing = ScriptedProvider({"answers": [Answer(error=ServerError("down"))]}, name="failing")
    names = ("a", "b")
    well = [ScriptedProvider({"answers": [name]}, name=name) for name in names]
    provider = Balance.of(failing, *well, strategy="least_recently_used")
    counted: Counter[str] = Counter()
    lock = threading.Lock()

    def generate() -> None:
        for _ in range(50):
            events = list(provider.stream_execute("m", "Hi"))
            text = "".join(str(e) for e in events if isinstance(e, TextDelta))
            with lock:
                counted[text] += 1

    threads = [threading.Thread(target=generate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted.values()) == 200
    assert set(counted) == set(names)
    assert len(failing.requests) < 50  # it cools down


def test_a_generation_is_cancelled_by_leaving_it() -> None:
    provider = Balance.of(ScriptedProvider({"answers": ["one two three"]}, name="a"))
    with provider.stream_execute("m", "Hi") as events:
        assert next(events.text()) == "one "
    assert provider.explain("m", "Hi").considered[0].reason.endswith("0 calls on their way")  # type: ignore[attr-defined]  # a route's


def generate(provider: LLMProvider, prompt: str) -> Generator[StreamEvent, None, None]:
    """The example's ``Generate``: a channel of events, errors among them."""
    return with_errors(provider.stream_execute("m", prompt))


def test_generation_is_a_stream_of_events_and_so_is_its_failure() -> None:
    whole = ScriptedProvider({"answers": ["one two three"]}, name="a")
    events = list(generate(Balance.of(whole), "Hi"))
    assert "".join(map(str, events)) == "one two three"
    assert isinstance(events[-1], Finish)

    cut = ScriptedProvider({"answers": [Answer("one two three", cut_after=2)]}, name="b")
    *before, last = generate(Balance.of(cut), "Hi")
    assert isinstance(last, StreamFailed)
    assert isinstance(last.error, StreamInterruptedError)
    assert last.partial is not None
    assert last.partial.text == "".join(map(str, before)) == "one two "
    assert fold([*before, last]).text == last.partial.text

    down = ScriptedProvider({"answers": [Answer(error=ServerError("down"))]}, name="c")
    (only,) = generate(Fallback.of(down, retry={"attempts": 1}), "Hi")
    assert isinstance(only, StreamFailed)
    assert (type(only.error), only.error.retryable, only.partial) == (ServerError, True, None)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_is_so_on_event_loops_and_leaving_it_cancels_the_generation(backend: str) -> None:
    async def main() -> None:
        answers = ["one two three", Answer("one two three", cut_after=1)]
        provider = Balance.of(ScriptedProvider({"answers": answers}, name="a"))
        async with contextlib.aclosing(with_errors(provider.astream_execute("m", "Hi"))) as events:
            async for event in events:
                if str(event):
                    break
        assert idle(provider)
        *_, last = [e async for e in with_errors(provider.astream_execute("m", "Hi"))]
        assert isinstance(last, StreamFailed)

    anyio.run(main, backend=backend)


def idle(provider: Balance) -> bool:
    """Whether no call of it is on its way."""
    (considered,) = provider.explain("m", "Hi").considered  # type: ignore[attr-defined]  # a route's
    return bool(considered.reason.endswith("0 calls on their way"))


def test_what_nobody_meant_to_raise_is_no_event() -> None:
    broken = ScriptedProvider({"answers": ["one"]}, name="a")
    events = generate(broken, "Hi")
    next(events)
    with pytest.raises(ZeroDivisionError):
        events.throw(ZeroDivisionError)


def test_any_compatible_endpoint_is_a_provider(server: FaultServer) -> None:
    provider = create_provider(
        "openai-compatible",
        {"api_key": os.getenv("OPENAI_API_KEY"), "base_url": server.url("openai", "ok")},
    )
    assert provider.execute("custom-model", "Hi").text
