"""Recorded truth: what real clients sent and what we send for the same call is the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from claude import traffic
from claude.meaning import explained, meaning
from claude.reading import parsed, read
from claude.replays import asked, each, replaying
from claude.typed import UnsayableError, chat_request, count_request
from jackfield import (
    ChatRequest,
    InvalidRequestError,
    LLMError,
    Message,
    ModelInfoRequest,
    ModelListRequest,
    Request,
    TokenCountRequest,
)
from jackfield_claude.facts import MAX_TOKENS
from support.recordings import Turn

pytestmark = pytest.mark.wire

Q = TypeVar("Q", bound=Request[Any])
CHATS = [t for t in traffic.of(traffic.CHAT) if isinstance(t.body, dict)]
COUNTS = [t for t in traffic.of(traffic.COUNT) if isinstance(t.body, dict)]
ANSWERED = [t for t in traffic.of(traffic.CHAT) if read(t).answered]
FAILED = [t for t in traffic.of(traffic.COUNT, traffic.MODELS, traffic.MODEL) if t.status >= 300]
LISTS = [t for t in traffic.of(traffic.MODELS) if t.status < 300]


def sent(turn: Turn, request: Request[Any]) -> Any:
    """What the plugin puts on the wire for *request*, as the recording answers it."""
    base_url = turn.request["url"].partition("/v1/")[0]
    provider = replaying(turn.recorded(), base_url=base_url, allow_insecure_http=True)
    try:
        if turn.body.get("stream"):
            provider.stream(request).drain()
        else:
            provider.run(request)
    except LLMError:
        pass
    driver: Any = provider._driver
    return driver.transport.requests[0]


def sayable(turn: Turn, typed: Callable[[Any], Q]) -> Q | None:
    """The request of *turn*, unless we refuse to send it: then the service did not take it either."""
    try:
        request = typed(turn.body)
        replaying().explain(request)
    except (InvalidRequestError, UnsayableError):
        assert turn.status >= 400, "the service took what we refuse"
        return None
    return request


@each(CHATS)
def test_the_same_chat_is_sent(turn: Turn) -> None:
    request = sayable(turn, chat_request)
    if request is None:
        return
    leave = explained(replaying().explain(request).warnings)
    http = sent(turn, request)
    assert (http.method, http.url.partition("?")[0]) == (
        "POST",
        turn.request["url"].partition("?")[0].rstrip("/"),
    )
    said = {k: v for k, v in turn.body.items() if v is not None}
    # The API wants a length: ours stands in where a client said none.
    wire = meaning({"max_tokens": MAX_TOKENS, **said}, leave)
    assert meaning(json.loads(http.body), leave) == wire


@each(COUNTS)
def test_the_same_count_is_asked_for(turn: Turn) -> None:
    request = sayable(turn, count_request)
    if request is None:
        return
    http = sent(turn, request)
    assert (http.method, http.url.partition("?")[0]) == (
        "POST",
        turn.request["url"].partition("?")[0].rstrip("/"),
    )
    assert meaning(json.loads(http.body)) == meaning(turn.body)


@each([t for t in traffic.of(traffic.COUNT) if t.status < 300])
def test_a_count_is_the_wires(turn: Turn) -> None:
    request = TokenCountRequest(model="a-model", messages=[Message("user", "Hi")])
    wire = json.loads(turn.payload)
    counted = replaying(turn.recorded()).run(request)
    assert (counted.input_tokens, counted.estimated) == (wire["input_tokens"], False)


@each(LISTS)
def test_a_list_of_models_is_the_wires(turn: Turn) -> None:
    wire = json.loads(turn.payload)
    last: dict[str, Any] = {"data": [{"id": "the-last"}], "has_more": False}
    rest = turn.recorded([json.dumps(last).encode()])
    models = replaying(turn.recorded(), rest).run(ModelListRequest())
    listed = [*wire["data"], *(last["data"] if wire.get("has_more") else [])]
    assert [(m.id, m.display_name) for m in models] == [
        (w["id"], w.get("display_name") or "") for w in listed
    ]
    for model, said in zip(models, listed, strict=True):
        assert model.provider_metadata["claude"] == said
        assert model.context_window == said.get("max_input_tokens")
        assert model.max_output_tokens == said.get("max_tokens")


@each([t for t in traffic.of(traffic.MODEL) if t.status < 300])
def test_one_model_is_the_wires(turn: Turn) -> None:
    request = ModelInfoRequest(model=turn.path.rpartition("/")[2])
    assert replaying(turn.recorded()).run(request).id == json.loads(turn.payload)["id"]


@each(FAILED)
def test_what_failed_is_an_error_with_its_status(turn: Turn) -> None:
    requests: dict[str, Request[Any]] = {
        traffic.COUNT: TokenCountRequest(model="a-model", messages=[Message("user", "Hi")]),
        traffic.MODELS: ModelListRequest(),
        traffic.MODEL: ModelInfoRequest(model="a-model"),
    }
    with pytest.raises(LLMError) as caught:
        replaying(turn.recorded()).run(requests[traffic.scope(turn) or ""])
    assert caught.value.status == turn.status


@each(ANSWERED)
def test_an_answer_goes_back_as_it_came(turn: Turn) -> None:
    provider = replaying(turn.recorded())
    request = asked(turn)
    answer = provider.stream(request).drain() if turn.streamed else provider.run(request)
    history = [Message("user", "Hi"), answer.message, Message("user", "Go on")]
    plan = provider.explain(ChatRequest(model="a-model", messages=history))
    came = [returnable(b) for b in read(turn).blocks if says(b)]
    kept = [b for b in came if b["type"] != "thinking" or b.get("signature")]
    told = {w.subject for w in plan.warnings}
    calls = [b for b in came if b["type"] == "tool_use"]
    cut = {f"call of {b['name']}" for b in calls if b["input"].keys() == {"arguments"}}
    assert told <= {"reasoning", "messages[1]", *cut}
    assert ("reasoning" in told) == (kept != came)
    wire = {"messages": [{"role": "assistant", "content": kept}]} if kept else {}
    messages = [m for m in plan.body["messages"] if m["role"] == "assistant"]
    assert meaning({"messages": messages}) == meaning(wire)


def says(block: dict[str, Any]) -> bool:
    """Whether *block* says anything: the API refuses blank text, and empty thinking is none."""
    match block:
        case {"type": "text", "text": text}:
            return bool(text.strip())
        case {"type": "thinking"}:
            return bool(block.get("thinking") or block.get("signature"))
    return True


def returnable(block: dict[str, Any]) -> dict[str, Any]:
    """*block* as requests have it: citations do not name the file, and an input is an object."""
    if block["type"] == "tool_use":
        given = block.get("input", {})
        cut = isinstance(given, str) and parsed(given) == given
        text = given if cut else json.dumps(given)
        return {**block, "input": given if isinstance(given, dict) else {"arguments": text}}
    cited = block.get("citations")
    if not cited:
        return {k: v for k, v in block.items() if k != "citations"}
    return {**block, "citations": [{k: v for k, v in c.items() if k != "file_id"} for c in cited]}
