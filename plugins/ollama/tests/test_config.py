"""Where the server is, whose key it gets, and what a configuration must hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ConfigError, create_provider
from jackfield_ollama import OllamaProvider, server_url

FORMS = [
    ("", "http://127.0.0.1:11434"),
    ("  ", "http://127.0.0.1:11434"),
    ("gpu-box", "http://gpu-box:11434"),
    ("gpu-box:8080", "http://gpu-box:8080"),
    ("gpu-box/", "http://gpu-box:11434"),
    (":8080", "http://127.0.0.1:8080"),
    ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104  # nothing is bound
    ("0.0.0.0:8080", "http://127.0.0.1:8080"),
    ("[::]:8080", "http://[::1]:8080"),
    ("::1", "http://[::1]:11434"),
    ("[::1]", "http://[::1]:11434"),
    ("http://gpu-box", "http://gpu-box"),
    ("https://gpu-box", "https://gpu-box"),
    ("https://gpu-box:8443/proxied/", "https://gpu-box:8443/proxied"),
    ("gpu-box/proxied", "http://gpu-box:11434/proxied"),
    ("http://localhost:11434/api", "http://localhost:11434"),
    ("https://ollama.com/api/", "https://ollama.com"),
    ("ollama.com", "https://ollama.com"),
    ('"gpu-box:8080"', "http://gpu-box:8080"),
]


@pytest.mark.parametrize(("form", "url"), FORMS)
def test_every_form_of_the_hosts_variable_is_understood(
    form: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", form)
    assert OllamaProvider().config.base_url == url
    assert OllamaProvider({"base_url": form}).config.base_url == url


def test_without_the_variable_the_server_is_this_machines() -> None:
    assert OllamaProvider().config.base_url == "http://127.0.0.1:11434"


def test_a_configured_address_beats_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "elsewhere")
    assert OllamaProvider({"base_url": "here:1"}).config.base_url == "http://here:1"


@given(st.text())
def test_any_text_is_an_address_or_a_typed_error(text: str) -> None:
    try:
        url = create_provider("ollama", {"base_url": text}).config.base_url
    except ConfigError as error:
        assert {issue.path for issue in error.issues} == {"base_url"}  # noqa: PT017  # either is right
    else:
        assert url.startswith(("http://", "https://"))


@given(st.sampled_from([url for _, url in FORMS]))
def test_a_base_url_is_its_own_form(url: str) -> None:
    assert server_url(url) == url


@pytest.mark.parametrize("form", ["gpu-box:port", "http://", "ftp://gpu-box", "me:pass@gpu-box"])
def test_what_is_no_address_is_told_with_its_path(form: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        create_provider("ollama", {"base_url": form})


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        create_provider("ollama", {"base_url": "http://me:hunter2@gpu-box"})
    assert "hunter2" not in str(caught.value)


def test_the_address_of_the_other_api_is_told_apart() -> None:
    (issue,) = OllamaProvider({"base_url": "http://localhost:11434/v1"}).validate_config()
    assert issue.path == "base_url"
    assert "remove /v1" in issue.fix


@pytest.mark.parametrize("kept", [None, 0, -1, 2.5, "30m", "1h30m", "0", "-1s", "500ms"])
def test_durations_are_taken_as_ollama_takes_them(kept: Any) -> None:
    assert OllamaProvider({"keep_alive": kept}).validate_config() == []


@pytest.mark.parametrize("kept", ["", "for ever", "5", "5 m", True, ["5m"]])
def test_what_is_no_duration_is_told_before_a_call(kept: Any) -> None:
    provider = OllamaProvider({"keep_alive": kept})
    assert [i.path for i in provider.validate_config()] == ["keep_alive"]
    with pytest.raises(ConfigError, match="keep_alive"):
        provider.execute("any", "Hi")


def authorization(provider: OllamaProvider) -> str | None:
    return provider.explain("any", "Hi").headers.get("authorization")


@pytest.mark.parametrize(
    ("host", "goes"),
    [
        ("https://ollama.com", True),
        ("http://127.0.0.1:11434", True),
        ("https://gpu-box", True),
        ("http://gpu-box:11434", False),
    ],
)
def test_the_environments_key_never_travels_in_the_clear(
    host: str, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "made-up")
    provider = OllamaProvider({"base_url": host})
    assert provider.validate_config() == []
    assert (authorization(provider) is not None) is goes


def test_a_configured_key_in_the_clear_is_refused_unless_allowed() -> None:
    given = {"base_url": "http://gpu-box:11434", "api_key": "made-up"}
    assert [i.path for i in OllamaProvider(given).validate_config()] == ["base_url"]
    allowed = OllamaProvider({**given, "allow_insecure_http": True})
    assert allowed.validate_config() == []
    assert authorization(allowed) is not None


def test_no_key_is_needed() -> None:
    provider = OllamaProvider()
    assert provider.validate_config() == []
    assert authorization(provider) is None
