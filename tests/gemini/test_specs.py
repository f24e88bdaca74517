"""Every body that the plugin builds is as the official description has it, to the last field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemini.described import schema, undeclared
from gemini.replays import answering, asked
from jackfield import (
    ChatRequest,
    EmbeddingRequest,
    GenerationParams,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    Request,
    ResponseFormat,
    TextPart,
    TokenCountRequest,
    Tool,
    ToolCall,
    ToolResult,
)
from jackfield.operations import BatchItem, FileUploadRequest, ImageRequest, SpeechRequest
from jackfield.testing import strategies as jf
from jackfield_gemini.operations.embeddings import MOST, TASKS
from support.specs import needs_specs, request_errors

pytestmark = needs_specs

HOST = "https://generativelanguage.googleapis.com"
MODELS = st.sampled_from(
    [
        "gemini-2.0-flash",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "gemini-3-pro-preview",
        "gemini-3.5-flash",
        "gemini-of-tomorrow",
        "gemma-3-27b-it",
        "models/gemini-2.5-flash",
        "tunedModels/mine",
    ]
)
SIGNED = st.sampled_from([{}, {"gemini": {"thoughtSignature": "c2lnbmVk"}}])
THOUGHT = {"gemini": {"thought": True, "thoughtSignature": "c2lnbmVk"}}
MEDIA = st.builds(
    MediaPart,
    st.sampled_from(
        (
            "image/png image/* image/jpg application/pdf text/csv audio/wav video/mp4 "
            "audio/L16;rate=24000 */*"
        ).split()
    ),
    st.binary(min_size=1, max_size=9) | st.just(b"\x89PNG\r\n\x1a\n"),
    name=st.none() | jf.texts(min_size=1),
)
KEPT = st.builds(
    MediaPart,
    st.sampled_from(["image/png", "video/*"]),
    url=st.sampled_from([f"{HOST}/v1beta/files/abc", "https://youtu.be/abc", "files/abc"]),
)
PARTS = st.one_of(
    st.builds(TextPart, jf.texts(), provider_metadata=SIGNED),
    st.builds(ReasoningPart, jf.texts(), provider_metadata=st.just(THOUGHT)),
    st.builds(ReasoningPart, jf.texts(), st.none() | st.text("abc=", min_size=1)),
    st.builds(RefusalPart, jf.texts()),
    st.builds(ProviderPart, st.just("somebody-else"), jf.json_objects()),
    st.builds(
        ToolCall,
        jf.texts(),
        st.just("add"),
        jf.json_texts() | jf.texts(),
        provider_metadata=SIGNED,
    ),
    MEDIA,
    KEPT,
)
RESULTS = st.builds(
    ToolResult,
    jf.texts(),
    st.lists(st.builds(TextPart, jf.texts() | jf.json_texts()) | MEDIA | KEPT, max_size=3),
    st.booleans(),
)
SAID = st.builds(
    Message, st.sampled_from(["system", "user", "assistant"]), st.lists(PARTS, max_size=4)
).map(lambda message: [message])
CALLED = st.lists(RESULTS, max_size=3).map(
    lambda results: [
        Message("assistant", [ToolCall(r.tool_call_id, "add", "{}") for r in results]),
        Message("tool", results),
    ]
)
STRANGE = st.lists(SAID | CALLED, max_size=4).map(lambda groups: [m for g in groups for m in g])
SERVED = st.sampled_from(
    [
        Tool("search", provider_metadata={"gemini": {"googleSearch": {}}}),
        Tool("run", provider_metadata={"gemini": {"codeExecution": {}}}),
        Tool("read", provider_metadata={"gemini": {"urlContext": {}}}),
        Tool("find", provider_metadata={"gemini": {"fileSearch": {"fileSearchStoreNames": ["a"]}}}),
    ]
)
TOOLS = st.tuples(jf.toolsets(), st.lists(SERVED, max_size=2)).map(
    lambda both: list({t.name: t for t in (*both[0], *both[1], Tool("add", "Adds."))}.values())
)
OPTIONS = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
HI = Message("user", "Go on")


def errors(url: str, name: str, body: Any) -> list[str]:
    """What the description, its schema *name*, says is wrong with *body*, sent to *url*.

    The model stands in the address; the description has it in the body, too.
    """
    path = url.removeprefix(HOST).partition("?")[0]
    assert path != url
    assert "key" not in url
    told = {"model": "models/a-model", **body} if "model" in schema(name)["properties"] else body
    return request_errors("gemini", "POST", path, told) + undeclared(schema(name), body)


def judged(request: Request[Any], name: str) -> list[str]:
    """What is wrong with what is sent for *request*."""
    plan = answering().explain(request)
    return errors(plan.url, name, plan.body)


@OPTIONS
@given(model=MODELS, request=jf.chat_requests(with_media=True))
def test_any_usual_chat_is_as_described(model: str, request: ChatRequest) -> None:
    assert judged(evolve(request, model=model), "GenerateContentRequest") == []


@OPTIONS
@given(
    model=MODELS,
    said=STRANGE,
    params=jf.params(),
    form=st.none() | jf.response_formats(),
    tools=TOOLS,
    choice=st.sampled_from(["auto", "none", "required", "add"]),
)
def test_whatever_is_in_a_conversation_it_is_as_described(
    model: str,
    said: list[Message],
    params: GenerationParams,
    form: ResponseFormat | None,
    tools: list[Tool],
    choice: str,
) -> None:
    request = ChatRequest(
        model=model,
        messages=[*said, HI],
        params=params,
        response_format=form,
        tools=tools,
        tool_choice=choice,
    )
    assert judged(request, "GenerateContentRequest") == []


@OPTIONS
@given(model=MODELS, said=STRANGE, tools=TOOLS)
def test_whatever_is_counted_it_is_as_described(
    model: str, said: list[Message], tools: list[Tool]
) -> None:
    plan = answering().explain(TokenCountRequest(model=model, messages=[*said, HI], tools=tools))
    path = f"{HOST}/v1beta/models/a-model:countTokens"  # those of tuned models are not described
    body = plan.body
    inner = body.get("generateContentRequest")
    assert errors(path, "CountTokensRequest", body) == []
    assert (inner is None) == (body.keys() == {"contents"})
    if inner is not None:
        assert body.keys() == {"generateContentRequest"}
        assert inner["model"].partition("/")[0] in ("models", "tunedModels")


@OPTIONS
@given(
    inputs=st.lists(jf.texts(), min_size=1, max_size=MOST),
    dimensions=st.none() | st.integers(1, 3072),
    kind=st.sampled_from([None, *TASKS, "SEMANTIC_SIMILARITY", "FACT_VERIFICATION"]),
)
def test_whatever_is_embedded_it_is_as_described(
    inputs: list[str], dimensions: int | None, kind: str | None
) -> None:
    request = EmbeddingRequest(
        model="gemini-embedding-001", inputs=inputs, dimensions=dimensions, input_type=kind
    )
    name = "EmbedContentRequest" if len(inputs) == 1 else "BatchEmbedContentsRequest"
    assert judged(request, name) == []


@OPTIONS
@given(
    prompt=jf.texts(),
    n=st.integers(1, 8),
    size=st.none() | st.sampled_from(["1024x1024", "1536x1024", "33x999", "huge", "0x0"]),
    seed=st.none() | st.integers(0, 2**31 - 1),
    images=st.lists(MEDIA | KEPT, max_size=2),
)
def test_whatever_is_drawn_it_is_as_described(
    prompt: str, n: int, size: str | None, seed: int | None, images: list[MediaPart]
) -> None:
    request = ImageRequest(
        model="gemini-2.5-flash-image", prompt=prompt, n=n, size=size, seed=seed, images=images
    )
    assert judged(request, "GenerateContentRequest") == []


@OPTIONS
@given(
    text=jf.texts(),
    voice=st.none() | jf.texts(min_size=1),
    form=st.sampled_from([None, "pcm", "wav", "mp3"]),
    speed=st.none() | st.floats(0.5, 2),
    instructions=st.none() | jf.texts(),
)
def test_whatever_is_spoken_it_is_as_described(
    text: str, voice: str | None, form: str | None, speed: float | None, instructions: str | None
) -> None:
    request = SpeechRequest(
        model="gemini-2.5-flash-preview-tts",
        text=text,
        voice=voice,
        output_format=form,
        speed=speed,
        instructions=instructions,
    )
    assert judged(request, "GenerateContentRequest") == []


JOB = {"name": "batches/1", "metadata": {"state": "BATCH_STATE_PENDING"}}


def handed_in(items: list[BatchItem], name: str) -> list[str]:
    """What is wrong with what is sent for a batch; what stands in the address is wanted, too."""
    made = answering(JOB)
    made.create_batch(items)
    (sent,) = asked(made)
    body = json.loads(sent.body)
    wrong = undeclared(schema(name), body)
    model = {"model": "models/a-model"}
    inner = body["batch"]["inputConfig"]["requests"]["requests"]
    for one in inner:
        one["request"] |= model
    body["batch"] |= model
    assert [one["metadata"]["key"] for one in inner] == [item.custom_id for item in items]
    return wrong + request_errors("gemini", "POST", sent.url.removeprefix(HOST), body)


@OPTIONS
@given(chats=st.lists(jf.chat_requests(with_media=True), min_size=1, max_size=3))
def test_a_batch_of_chats_is_as_described(chats: list[ChatRequest]) -> None:
    chats = [evolve(request, model="gemini-2.5-flash") for request in chats]
    items = [BatchItem(custom_id=f"c{at}", request=chat) for at, chat in enumerate(chats)]
    assert handed_in(items, "BatchGenerateContentRequest") == []


@OPTIONS
@given(
    texts=st.lists(jf.texts(), min_size=1, max_size=3),
    dimensions=st.none() | st.integers(1, 3072),
    kind=st.sampled_from([None, *TASKS]),
)
def test_a_batch_of_texts_is_as_described(
    texts: list[str], dimensions: int | None, kind: str | None
) -> None:
    several = [
        EmbeddingRequest(model="e", inputs=text, dimensions=dimensions, input_type=kind)
        for text in texts
    ]
    items = [BatchItem(custom_id=f"e{at}", request=one) for at, one in enumerate(several)]
    assert handed_in(items, "AsyncBatchEmbedContentRequest") == []


@OPTIONS
@given(data=st.binary(max_size=9), name=jf.texts(min_size=1))
def test_an_upload_is_announced_as_described(data: bytes, name: str) -> None:
    place = {"x-goog-upload-url": f"{HOST}/upload/v1beta/files?upload_id=1"}
    made = answering({}, {"file": {"name": "files/1"}}, headers=place)
    made.run(FileUploadRequest(model="", data=data, name=name, media_type="text/plain"))
    start, sent = asked(made)
    assert start.url == f"{HOST}/upload/v1beta/files"
    body = json.loads(start.body)
    assert errors(f"{HOST}/v1beta/files", "CreateFileRequest", body) == []
    assert sent.body == data


@pytest.mark.parametrize("field", ["topK", "thinkingConfig", "nonsense"])
def test_a_field_in_the_wrong_place_is_seen(field: str) -> None:
    """The judge itself is judged."""
    body = {"contents": [{"parts": [{"text": "Hi", field: 1}]}]}
    found = undeclared(schema("GenerateContentRequest"), body)
    assert found == [f"$.contents[0].parts[0].{field} is not described"]
