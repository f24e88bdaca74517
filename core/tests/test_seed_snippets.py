"""The usage examples of the first provider module run as they were written, against scripted answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield import ConfigError, hookimpl, plugin_manager
from jackfield.testing import ScriptedProvider


class Stand:
    """A scripted provider that is found under the name of a service."""

    def __init__(self, *names: str) -> None:
        from attrs import evolve

        made = {"info": None, "__module__": __name__}
        self.classes = [
            type(
                n.title(),
                (ScriptedProvider,),
                {**made, "info": evolve(ScriptedProvider.info, name=n)},
            )
            for n in names
        ]

    @hookimpl
    def register_providers(self) -> list[type[ScriptedProvider]]:
        return self.classes


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scripted providers in the place of services, as if their plugins were installed."""
    manager = plugin_manager()
    before = dict(manager._classes)
    stand = Stand("openai", "claude", "ollama", "llamacpp")
    manager.register(stand)
    yield
    manager.unregister(stand)
    manager._classes.clear()
    manager._classes.update(before)


@pytest.mark.usefixtures("stand_ins")
def test_basic_usage_and_streaming_run_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    from jackfield import create_provider

    # Create provider
    provider = create_provider("openai", {"answers": ["def f(): pass", "Once upon a time"]})

    # Execute model
    response = provider.execute(
        model="gpt-4", prompt="Write a Python function", parameters={"temperature": 0.7}
    )
    assert str(response) == "def f(): pass"

    for chunk in provider.stream_execute("gpt-4", "Write a story"):
        print(chunk, end="", flush=True)  # noqa: T201  # as written there

    assert capsys.readouterr().out == "Once upon a time"


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    "name", ["openai", "claude", "anthropic", "ollama", "llama-cpp", "llamacpp"]
)
def test_every_name_of_the_seed_makes_a_provider(name: str) -> None:
    from jackfield import create_provider

    assert create_provider(name, {"answers": ["Hello"]}).execute("any", "Hello!").text == "Hello"


@pytest.mark.usefixtures("stand_ins")
def test_normalized_parameter_names_run_as_listed() -> None:
    from jackfield import create_provider

    provider = create_provider("openai", {"answers": ["Hello"]})
    for name in ("temperature", "temp", "top_p", "nucleus_sampling"):
        assert provider.execute("gpt-4", "Hi", {name: 0.5}).warnings == ()
    for name in ("max_tokens", "max_length", "context", "context_length", "ctx_size"):
        assert provider.execute("gpt-4", "Hi", {name: 100}).warnings == ()


@pytest.mark.usefixtures("stand_ins")
def test_the_five_verbs_of_the_interface_answer() -> None:
    from jackfield import create_provider

    provider = create_provider("openai", {"answers": ["Hello"], "models": ["gpt-4"]})
    assert [m.id for m in provider.list_models()] == ["gpt-4"]
    assert provider.execute("gpt-4", "Hi").text == "Hello"
    assert "".join(map(str, provider.stream_execute("gpt-4", "Hi"))) == "Hello"
    assert provider.validate_config() == []
    assert provider.validate_config(probe=True) == []
    assert provider.get_info().name == "openai"


@pytest.mark.usefixtures("stand_ins")
def test_configuration_is_validated_before_any_call(tmp_path: Path) -> None:
    from jackfield import create_provider

    with pytest.raises(ConfigError, match="no such setting"):
        create_provider("openai", {"default_threds": 24})
