"""For every recorded request that the common values can say, the plugins send that very request."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import anyio
import pytest

from jackfield import LLMError, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, ReplayDriver
from openai_dialect.asking import InexpressibleError, ask, same_meaning
from openai_dialect.replaying import KEY, answers, config, root, typed
from openai_dialect.scope import BORROWED, OWN, failed, inside, operation, plugin, whole
from support.recordings import WIRE, Turn, turns

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]


def reason(turn: Turn) -> str | None:
    """Why *turn*'s request cannot be said in common values, if it cannot."""
    try:
        ask(turn.body, plugin(turn))
    except InexpressibleError as error:
        return str(error)
    return None


CHATS = inside("chat")
SAID = [t for t in CHATS if reason(t) is None]
PATHS = {"chat": "/chat/completions", "embeddings": "/embeddings", "models": "/models"}


def sent(turn: Turn, *, stream: bool | None = None) -> Any:
    """The request that our call for *turn* sends."""
    driver = ReplayDriver([turn.recorded()])
    provider = create_provider(plugin(turn), config(turn), driver=driver)
    asked = ask(turn.body, plugin(turn))
    wanted = asked.stream if stream is None else stream
    verb = provider.stream_execute if wanted else provider.execute
    try:
        answer = verb(asked.model, asked.prompt, asked.parameters, **asked.options)
        if wanted:
            answer = answer.drain()  # type: ignore[union-attr]  # a stream
        assert answer.warnings == ()  # type: ignore[union-attr]  # a response
    except LLMError:
        assert failed(turn) or turn.streamed != wanted or not whole(turn)
    (request,) = driver.transport.requests
    return request


@pytest.mark.parametrize("turn", SAID, ids=str)
def test_the_body_means_what_the_recorded_one_means(turn: Turn) -> None:
    body = json.loads(sent(turn).body)
    assert same_meaning(body) == same_meaning(turn.body)
    limit = "max_completion_tokens" if plugin(turn) in ("openai", "azure") else "max_tokens"
    assert {"max_tokens", "max_completion_tokens"} & body.keys() <= {limit}
    assert body.get("stream") is (True if turn.body.get("stream") else None)
    if body.get("stream"):
        assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("turn", SAID, ids=str)
def test_method_address_and_headers_are_the_protocols(turn: Turn) -> None:
    request = sent(turn)
    assert request.method == "POST"
    assert request.url.endswith(f"{root(turn)}/chat/completions")
    if plugin(turn) == "openai":
        assert request.url == "https://api.openai.com/v1/chat/completions"
    assert request.headers["content-type"] == "application/json"
    if plugin(turn) == "azure":
        assert request.headers["api-key"] == KEY
    else:
        assert request.headers["authorization"] == f"Bearer {KEY}"
    recorded = {k.lower(): v for k, v in turn.request["headers"].items()}
    assert recorded.get("content-type", "application/json").startswith("application/json")


@pytest.mark.parametrize("turn", SAID[::10], ids=str)
def test_plain_and_streamed_requests_differ_in_the_wish_for_a_stream_alone(turn: Turn) -> None:
    plain, streamed = (json.loads(sent(turn, stream=wish).body) for wish in (False, True))
    assert streamed == {**plain, "stream": True, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize("turn", SAID[::10], ids=str)
def test_both_colours_send_the_same(turn: Turn) -> None:
    request, blocking = anyio.run(sent_async, turn), sent(turn)
    assert request.method == blocking.method
    assert request.url == blocking.url
    assert request.body == blocking.body
    assert request.headers == blocking.headers


async def sent_async(turn: Turn) -> Any:
    """The request that our call for *turn* sends on an event loop."""
    driver = AsyncReplayDriver([turn.recorded()])
    provider = create_provider(plugin(turn), config(turn), async_driver=driver)
    asked = ask(turn.body, plugin(turn))
    try:
        given = (asked.model, asked.prompt, asked.parameters)
        if asked.stream:
            await provider.astream_execute(*given, **asked.options).drain()
        else:
            await provider.aexecute(*given, **asked.options)
    except LLMError:
        assert failed(turn) or not whole(turn)
    (request,) = driver.transport.requests
    return request


def texts(turn: Turn) -> bool:
    """Whether *turn* asks to embed texts, and not tokens."""
    if not isinstance(turn.body, dict):
        return False
    given = turn.body.get("input")
    listed = given if isinstance(given, list) else [given]
    return bool(turn.body.get("model")) and all(isinstance(item, str) for item in listed)


@pytest.mark.parametrize("turn", [t for t in inside("embeddings") if texts(t)], ids=str)
def test_the_body_of_an_embedding_means_what_the_recorded_one_means(turn: Turn) -> None:
    driver = ReplayDriver([turn.recorded()])
    provider = create_provider(plugin(turn), config(turn), driver=driver)
    body = {key: value for key, value in turn.body.items() if value is not None}
    given = body["input"]
    own = {k: v for k, v in body.items() if k not in ("model", "input", "dimensions")}
    try:
        provider.embed(
            body["model"],
            given,
            dimensions=body.get("dimensions"),
            provider_options={plugin(turn): own},
        )
    except LLMError:
        assert failed(turn)
    (request,) = driver.transport.requests
    assert request.url.endswith(f"{root(turn)}/embeddings")
    assert json.loads(request.body or b"") == {
        **body,
        "input": [given] if isinstance(given, str) else given,
    }


@pytest.mark.parametrize("turn", inside("models", "model"), ids=str)
def test_models_are_asked_for_as_recorded(turn: Turn) -> None:
    driver = ReplayDriver(answers(turn))
    provider = create_provider(plugin(turn), config(turn), driver=driver)
    try:
        provider.run(typed(turn))
    except LLMError:
        assert failed(turn)
    request = driver.transport.requests[-1]
    assert request.method == "GET"
    assert request.body is None
    assert request.url.endswith(root(turn) + turn.path[turn.path.index("/models") :])


@pytest.mark.parametrize("providers", [OWN, BORROWED], ids=["own", "borrowed"])
def test_most_requests_can_be_said(providers: tuple[str, ...]) -> None:
    chats = [t for p in providers for t in turns(p) if operation(t) == "chat"]
    rows = Counter(reason(t) or "said, and sent as recorded" for t in chats)
    print(f"\n{', '.join(providers)}: {rows.total()} chats")  # noqa: T201  # the coverage table is for reading
    for row, number in sorted(rows.items()):
        print(f"{number:5} {row}")  # noqa: T201
    said = rows["said, and sent as recorded"]
    assert said >= (0.9 if providers == OWN else 0.8) * rows.total()
