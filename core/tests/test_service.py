"""The asynchronous face: it answers as long as one provider can, by priority, and says who stood in for whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from core_backends import Backend, during
from core_toy import BACKENDS, aio
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ConfigError,
    InvalidRequestError,
    LLMError,
    NotFoundError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    TransportError,
    hookimpl,
)
from jackfield.drivers.concurrent import AsyncDriver
from jackfield.manager import (
    ChatCompletion,
    ChatCompletionRequest,
    ChatMessage,
    LLMManager,
    ProviderConfig,
    ProviderManager,
)
from jackfield.manager.service import single

ELSEWHERE = (
    AuthenticationError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    TransportError,
)
"""After which a provider of other models, with another key, may well answer."""


def timeless() -> AsyncDriver:
    """A driver on whose clock sleeping passes, in no time."""
    elapsed = [0.0]

    async def sleep(seconds: float) -> None:
        elapsed[0] += seconds

    return AsyncDriver(clock=lambda: elapsed[0], sleep=sleep)


def failing(kind: type[LLMError] | None) -> Any:
    return None if kind is None else during(0, float("inf"), lambda: kind("no"))


def managed(
    kinds: Sequence[type[LLMError] | None], tables: Sequence[dict[str, Any]] = ()
) -> LLMManager:
    """Providers p0, p1, … that have the models m0, m1, …, or fail as *kinds* say."""
    driver = timeless()
    manager = ProviderManager(async_driver=driver)
    for i, kind in enumerate(kinds):
        own = {"models": [f"m{i}"], "priority": i, **(tables[i] if tables else {})}
        quick = {"retry": {"attempts": 1}}
        backend = Backend(f"p{i}", failing(kind), latency=0.0, config=quick, async_driver=driver)
        manager.add_provider(f"p{i}", backend, **own)
    return LLMManager(manager)


def asking(model: str = "") -> ChatCompletionRequest:
    return ChatCompletionRequest(messages=[ChatMessage(role="user", content="Hi")], model=model)


def answered(service: LLMManager, request: Any, backend: str = "asyncio") -> ChatCompletion:
    answer: ChatCompletion = aio(lambda: service.chat_completion(request), backend)
    return answer


# Who answers.


@given(st.lists(st.sampled_from([None, *ELSEWHERE]), min_size=1, max_size=5), st.integers(-1, 4))
def test_it_answers_as_long_as_one_provider_can_the_first_by_priority(
    kinds: list[type[LLMError] | None], named: int
) -> None:
    model = f"m{named}" if 0 <= named < len(kinds) else ""
    order = sorted(range(len(kinds)), key=lambda i: (f"m{i}" != model, i))
    able = [i for i in order if kinds[i] is None]
    service = managed(kinds)
    if not able:
        with pytest.raises(LLMError):
            answered(service, asking(model))
        return
    answer = answered(service, asking(model))
    assert (answer.provider, answer.model) == (f"p{able[0]}", f"m{able[0]}")


@given(st.permutations([1, 2, 3, 4]))
def test_the_lowest_priority_number_is_asked_first(priorities: list[int]) -> None:
    service = managed([None] * 4, [{"priority": p} for p in priorities])
    assert answered(service, asking()).provider == f"p{priorities.index(1)}"


def test_the_requests_own_fault_is_told_at_once() -> None:
    service = managed([InvalidRequestError, None])
    with pytest.raises(InvalidRequestError):
        answered(service, asking())


def test_the_error_of_all_tells_what_each_said() -> None:
    service = managed([AuthenticationError, QuotaExceededError])
    with pytest.raises(ProviderError) as caught:
        answered(service, asking("m1"))
    assert isinstance(caught.value, QuotaExceededError)  # the more hopeful one
    assert any("p0/m0: AuthenticationError" in note for note in caught.value.__notes__)


# Whom a model's name means.


NAMED: dict[str, Any] = {
    "aliases": {"quick": "small"},
    "providers": {
        "a": {"provider": "scripted", "answers": ["a"], "models": ["small"], "priority": 2},
        "b": {"provider": "scripted", "answers": ["b"], "models": ["big", "twin"], "priority": 1},
        "c": {"provider": "scripted", "answers": ["c"], "models": ["twin"], "priority": 1},
    },
    "routes": {"main": {"targets": ["c/any", "a/small"]}},
}


@pytest.mark.parametrize(
    ("asked", "provider", "model"),
    [
        ("small", "a", "small"),
        ("quick", "a", "small"),
        ("big", "b", "big"),
        ("twin", "b", "twin"),  # both serve it, and either will do
        ("c/whatever", "c", "whatever"),
        ("main", "c", "any"),
        ("", "b", "big"),
    ],
)
def test_names_mean_what_they_mean_to_the_manager_below(
    asked: str, provider: str, model: str
) -> None:
    answer = answered(LLMManager(NAMED), asking(asked))
    assert (answer.provider, answer.model, answer.content) == (provider, model, provider)
    assert answer.response.warnings == ()


def test_an_answer_of_another_model_than_was_asked_for_says_so() -> None:
    (warning,) = answered(LLMManager(NAMED), asking("nobody-has-this")).response.warnings
    assert str(warning) == "emulated model: nobody-has-this could not be had, big answers"


def test_without_a_model_to_ask_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    two = [{"provider": "scripted", "models": ["x-*"]}] * 2
    service = LLMManager({"providers": dict(zip("ab", two, strict=True))})
    with pytest.raises(NotFoundError, match="a, b list none: give them models"):
        answered(service, asking())
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "OLLAMA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NotFoundError, match="there is none; set a provider's key"):
        answered(LLMManager({"providers": {}}), asking("m"))


# What it takes and gives.


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "request_",
    [
        {"messages": [{"role": "user", "content": "Hi"}], "model": "m0", "temperature": 0.5},
        {"messages": "Hi", "model": "m0", "max_tokens": 5, "strict": False},
        ChatRequest(model="m0", messages="Hi"),
        asking("m0"),
    ],
    ids=["a dict", "a text in a dict", "a typed request", "its own"],
)
def test_requests_come_in_every_form(request_: Any, backend: str) -> None:
    service = managed([None])
    assert answered(service, request_, backend).content == "p0"
    assert service.get_cost_analysis().calls == 1


def test_an_answer_has_its_usage_and_cost() -> None:
    answer = answered(managed([None]), asking())
    assert answer.usage is answer.response.usage
    assert answer.cost is answer.response.cost


def test_what_stands_around_the_managers_calls_stands_around_these_once() -> None:
    seen: list[tuple[str, bool]] = []

    class Spy:
        @hookimpl
        def wrap_call(self, provider: Any, request: Any, nested: bool) -> Any:
            seen.append((provider.name, nested))

    manager = ProviderManager({**NAMED, "cache": {}}, middleware=[Spy()])
    service = LLMManager(manager)
    for _ in range(2):
        assert answered(service, asking("small")).content == "a"
    assert [name for name, nested in seen if not nested] == ["by priority"] * 2
    assert service.get_cost_analysis().calls == 1  # the second time the cache answered


@pytest.mark.parametrize("backend", BACKENDS)
def test_health_and_models_are_told_of_every_provider(backend: str) -> None:
    async def main() -> None:
        async with LLMManager(NAMED) as service:
            assert {n: bool(s) for n, s in (await service.check_provider_health()).items()} == {
                "a": True, "b": True, "c": True,
            }  # fmt: skip
            assert set(await service.list_models()) == {"a", "b", "c"}

    aio(main, backend)


# From where it is made.


def of_kind(kind: str, **more: Any) -> ProviderConfig:
    return ProviderConfig(provider_type=kind, **more)


def test_several_providers_of_one_kind_are_kept_apart() -> None:
    kinds = ["scripted", "openai-compatible", "scripted", "openai-compatible"]
    if "openai-compatible" not in installed():
        kinds = ["scripted", "scripted"]
    local = {"openai-compatible": {"base_url": "http://127.0.0.1:9/v1"}}
    service = LLMManager([of_kind(kind, **local.get(kind, {})) for kind in kinds])
    assert len(service.manager.providers) == len(kinds)


def installed() -> set[str]:
    from jackfield import available_providers

    return {str(name) for name in available_providers()}


@pytest.mark.parametrize(
    "make",
    [lambda config: LLMManager([config]), single("nobody-here")],  # type: ignore[arg-type]  # on purpose
    ids=["in a list", "alone"],
)
def test_a_kind_that_is_not_installed_is_told_with_its_place(make: Callable[[Any], Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        make(of_kind("nobody-here"))
    assert [issue.path for issue in caught.value.issues] == ["providers.nobody-here.provider"]


def test_a_class_of_one_kind_makes_services_with_that_provider_alone() -> None:
    Scripted = single("scripted")  # type: ignore[arg-type]  # noqa: N806  # any kind will do; a class
    service = Scripted(of_kind("whatever it says", models=["m"]))
    assert list(service.manager) == ["scripted"]
    assert answered(service, asking("m")).content == "Hi"


def test_the_file_is_read_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "llm_studio_config.json").write_text(
        '{"providers": [{"provider_type": "scripted", "models": ["m"], "answers": ["filed"]}]}'
    )
    assert answered(LLMManager(), asking()).content == "filed"


def test_a_key_shows_in_no_representation() -> None:
    assert "plover7q2w" not in repr(of_kind("openai", api_key="plover7q2w9e4r"))
