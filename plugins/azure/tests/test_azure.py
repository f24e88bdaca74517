"""Azure's own ways: addresses of three surfaces, keys in a header of its own, tokens that are renewed."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ConfigError,
    ContentFilterError,
    EmbeddingRequest,
    LLMError,
    Message,
    create_provider,
)
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import HTTPRequest
from jackfield_azure import AzureProvider
from jackfield_dialect_openai import testing as t

BASE = "https://made-up.openai.azure.com"
KEY, SECRET, TOKEN = "made-up-key-1234", "made-up-secret-5678", "made-up-token-9012"
CLIENT = {"tenant_id": "my-tenant", "client_id": "me", "client_secret": SECRET}
ASKED = ChatRequest(model="my-deployment", messages=[Message("user", "Hi")])
ANSWER = json.dumps(t.whole({"content": "Hello"})).encode()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY", raising=False)


def azure(**config: Any) -> AzureProvider:
    return AzureProvider({"base_url": BASE, "api_key": KEY, **config})


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({}, "/openai/v1/chat/completions"),
        ({"api_version": "preview"}, "/openai/v1/chat/completions?api-version=preview"),
        ({"api": "responses"}, "/openai/v1/responses"),
        (
            {"surface": "deployments", "api_version": "2024-12-01-preview"},
            "/openai/deployments/my-deployment/chat/completions?api-version=2024-12-01-preview",
        ),
        (
            {"surface": "deployments", "api": "responses", "api_version": "2025-04-01-preview"},
            "/openai/responses?api-version=2025-04-01-preview",
        ),
        (
            {"surface": "models", "api_version": "2024-05-01-preview"},
            "/models/chat/completions?api-version=2024-05-01-preview",
        ),
    ],
    ids=str,
)
def test_each_surface_has_its_addresses(config: dict[str, Any], url: str) -> None:
    assert azure(**config).explain(ASKED).url == BASE + url


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1))
def test_a_deployments_name_stays_one_segment_of_the_path(name: str) -> None:
    asked = EmbeddingRequest(model=name, inputs="Hi")
    path = azure(surface="deployments").explain(asked).url.removeprefix(BASE).partition("?")[0]
    assert path.split("/")[1:3] == ["openai", "deployments"]
    assert path.count("/") == 4


def test_the_key_goes_in_azures_header_and_the_limit_under_the_newer_name() -> None:
    driver = ReplayDriver([Recorded(chunks=[ANSWER])])
    config = {"base_url": BASE, "api_key": KEY}
    answer = create_provider("azure-openai", config, driver=driver).execute(
        "d", "Hi", {"max_tokens": 5}
    )
    (sent,) = driver.transport.requests
    assert answer.text == "Hello"
    assert sent.headers["api-key"] == KEY
    assert "authorization" not in sent.headers
    assert json.loads(sent.body or b"")["max_completion_tokens"] == 5


def test_model_inference_has_the_older_name_of_the_limit() -> None:
    plan = azure(surface="models").explain("m", "Hi", {"max_tokens": 5})
    assert plan.body["max_tokens"] == 5
    assert "max_completion_tokens" not in plan.body


class Cloud:
    """Entra ID and a resource, in virtual time; tokens last an hour."""

    def __init__(self) -> None:
        self.tokens: list[float] = []
        self.sent: list[HTTPRequest] = []

    def __call__(self, request: HTTPRequest, at: float) -> Scripted:
        self.sent.append(request)
        if request.url.startswith("https://login.microsoftonline.com/"):
            self.tokens.append(at)
            body = {"access_token": f"{TOKEN}-{len(self.tokens)}", "expires_in": 3600}
            return Scripted(pieces=((0.1, json.dumps(body).encode()),))
        return Scripted(pieces=((0.1, ANSWER),))


def test_a_token_is_fetched_kept_and_renewed_before_it_runs_out() -> None:
    cloud = Cloud()
    provider = AzureProvider({"base_url": BASE, **CLIENT})
    driver = VirtualDriver(cloud)
    starts = [0.0, 10.0, 3400.0, 3500.0, 7000.0]
    answers = driver.run_all([(at, provider.call(ASKED)) for at in starts])
    assert [a.text for a in answers] == ["Hello"] * 5
    assert cloud.tokens == [0.0, 3500.0, 7000.0]
    resource = [r for r in cloud.sent if r.url.startswith(BASE)]
    assert [r.headers["authorization"][-1] for r in resource] == ["1", "1", "1", "2", "3"]
    (first, *_) = cloud.sent
    assert first.url == "https://login.microsoftonline.com/my-tenant/oauth2/v2.0/token"
    form = {name: values[0] for name, values in parse_qs((first.body or b"").decode()).items()}
    assert form == {
        "client_id": "me",
        "client_secret": SECRET,
        "grant_type": "client_credentials",
        "scope": "https://cognitiveservices.azure.com/.default",
    }


def test_a_refused_client_is_an_authentication_error_that_shows_no_secret() -> None:
    body = {"error": "invalid_client", "error_description": f"AADSTS7000215: {SECRET} is wrong"}
    refused = Recorded(status=401, chunks=[json.dumps(body).encode()])
    config = {"base_url": BASE, "retry": {"attempts": 1}, **CLIENT}
    driver, loop = ReplayDriver([refused]), AsyncReplayDriver([refused])
    provider = create_provider("azure", config, driver=driver, async_driver=loop)
    for call in (partial(provider.run, ASKED), partial(anyio.run, provider.arun, ASKED)):
        with pytest.raises(AuthenticationError) as caught:
            call()
        assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.__dict__}"


def test_a_token_of_ones_own_is_sent_as_it_is() -> None:
    driver = ReplayDriver([Recorded(chunks=[ANSWER])])
    provider = create_provider("azure", {"base_url": BASE, "entra_token": TOKEN}, driver=driver)
    assert provider.run(ASKED).text == "Hello"
    assert driver.transport.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in repr(provider.config)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"api_key": None}, "there are no credentials"),
        ({"api_key": None, "tenant_id": "t", "client_id": "c"}, "client_secret"),
        ({"base_url": f"{BASE}/openai/v1"}, "without a path"),
        ({"authority": "http://login.example.com"}, "https"),
        ({"surface": "v2"}, "v1, deployments, models"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_work_says_what_to_do(
    config: dict[str, Any], problem: str
) -> None:
    given = {k: v for k, v in {"base_url": BASE, "api_key": KEY, **config}.items() if v is not None}
    with pytest.raises(ConfigError, match=problem):
        create_provider("azure", given).run(ASKED)


def test_what_the_filter_says_is_kept_and_what_it_stops_is_its_error() -> None:
    told = {"hate": {"filtered": False, "severity": "safe"}}
    body = t.whole({"content": "Hello"}, prompt_filter_results=[{"content_filter_results": told}])
    driver = ReplayDriver([Recorded(chunks=[json.dumps(body).encode()])])
    config = {"base_url": BASE, "api_key": KEY, "retry": {"attempts": 1}}
    answer = create_provider("azure", config, driver=driver).run(ASKED)
    assert (
        answer.provider_metadata["azure"]["prompt_filter_results"][0]["content_filter_results"]
        == told
    )

    stopped = {
        "error": {"message": "The prompt was filtered", "code": "content_filter", "status": 400}
    }
    driver = ReplayDriver([Recorded(status=400, chunks=[json.dumps(stopped).encode()])])
    with pytest.raises(ContentFilterError):
        create_provider("azure", config, driver=driver).run(ASKED)


def test_what_belongs_to_the_resource_has_no_deployment_in_its_address() -> None:
    page = Recorded(chunks=[b'{"data": [], "has_more": false}'])
    driver = ReplayDriver([page])
    config = {
        "base_url": BASE,
        "api_key": KEY,
        "surface": "deployments",
        "api_version": "2024-10-21",
    }
    assert list(create_provider("azure", config, driver=driver).list_files()) == []
    assert (
        driver.transport.requests[0].url == f"{BASE}/openai/files?limit=100&api-version=2024-10-21"
    )


def test_no_error_shows_a_token_that_the_service_repeats() -> None:
    body = json.dumps({"error": {"message": f"Bearer {TOKEN} is too old"}}).encode()
    driver = ReplayDriver([Recorded(status=401, chunks=[body])])
    config = {"base_url": BASE, "entra_token": TOKEN, "retry": {"attempts": 1}}
    with pytest.raises(LLMError) as caught:
        create_provider("azure", config, driver=driver).run(ASKED)
    assert TOKEN not in str(caught.value)
