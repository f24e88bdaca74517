"""Hugging Face's own ways: addresses, loading, tokens' vectors, services that agree or do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ConfigError,
    EmbeddingRequest,
    InvalidRequestError,
    LLMError,
    MediaPart,
    ModelInfoRequest,
    OverloadedError,
    ProviderError,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    UnsupportedOperationError,
    create_provider,
    fold,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.drivers.virtual import Scripted, VirtualDriver
from jackfield.flow import HTTPRequest
from jackfield.operations import (
    CompletionRequest,
    DetokenizeRequest,
    ImageRequest,
    RerankRequest,
    TokenizeRequest,
    TranscriptionRequest,
)
from jackfield.params import parse_params
from jackfield_huggingface import HuggingFaceProvider, TaskRequest

KEY = {"api_key": "made-up-key-1234", "retry": {"attempts": 1}}
OWN = {**KEY, "base_url": "https://mine.endpoints.example"}
ROUTER = "https://router.huggingface.co"
PIXEL = MediaPart("image/png", b"\x89PNG\r\n\x1a\n-")
SOUND = MediaPart("audio/wav", b"RIFF\0\0\0\0WAVE")


def answered(body: Any, config: Any = KEY, status: int = 200, **headers: str) -> Any:
    """A provider that is answered with *body* once."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {n.replace("_", "-"): v for n, v in headers.items()}
    driver = ReplayDriver([Recorded(status=status, headers=named, chunks=[payload])])
    return create_provider("huggingface", config, driver=driver)


def sent(provider: Any) -> HTTPRequest:
    (request,) = provider._driver.transport.requests
    return request  # type: ignore[no-any-return]  # the driver's


EMBED = EmbeddingRequest(model="org/m", inputs=["a", "b"])
RANK = RerankRequest(model="org/m", query="q", documents=["x", "y"])
WRITE = CompletionRequest(model="org/m", prompt="Once")
CHAT: Any = ("org/m", "Hi")


@pytest.mark.parametrize(
    ("config", "chat", "write", "embed", "rank"),
    [
        ({}, f"{ROUTER}/v1/chat/completions", f"{ROUTER}/hf-inference/models/org/m",
         f"{ROUTER}/hf-inference/models/org/m/pipeline/feature-extraction",
         f"{ROUTER}/hf-inference/models/org/m/pipeline/sentence-similarity"),
        ({"base_url": f"{ROUTER}/novita/v3/openai"}, f"{ROUTER}/novita/v3/openai/chat/completions",
         f"{ROUTER}/hf-inference/models/org/m",
         f"{ROUTER}/hf-inference/models/org/m/pipeline/feature-extraction",
         f"{ROUTER}/hf-inference/models/org/m/pipeline/sentence-similarity"),
        ({"base_url": "https://mine.example"}, "https://mine.example/v1/chat/completions",
         "https://mine.example", "https://mine.example/embed", "https://mine.example/rerank"),
        ({"base_url": "https://mine.example/v1/", "server": "tasks"},
         "https://mine.example/v1/chat/completions",
         "https://mine.example", "https://mine.example", "https://mine.example"),
        ({"base_url": "https://mine.example", "tasks_url": "https://other.example/{model}/"},
         "https://mine.example/v1/chat/completions", "https://other.example/org/m",
         "https://other.example/org/m/pipeline/feature-extraction",
         "https://other.example/org/m/pipeline/sentence-similarity"),
    ],
)  # fmt: skip
def test_each_operation_goes_where_it_is(
    config: dict[str, Any], chat: str, write: str, embed: str, rank: str
) -> None:
    provider = create_provider("hf", {**KEY, **config})
    assert provider.explain(*CHAT).url == chat
    assert [provider.explain(r).url for r in (WRITE, EMBED, RANK)] == [write, embed, rank]


@pytest.mark.parametrize(
    ("url", "wants"), [(None, True), ("https://mine.example", False), ("http://127.0.0.1:1", False)]
)
def test_the_router_wants_a_key_and_an_endpoint_of_ones_own_may_not(
    url: str | None, wants: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    config = {"base_url": url} if url else {}
    keyless = create_provider("huggingface", config).validate_config()
    assert [issue.path for issue in keyless] == (["api_key"] if wants else [])
    assert not create_provider("huggingface", {**KEY, **config}).validate_config()


@pytest.mark.parametrize("name", ["tasks_url", "hub_url"])
def test_a_key_does_not_go_in_the_clear(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        create_provider("huggingface", {**KEY, name: "http://far.example.com/{model}"}).run(WRITE)
    create_provider("huggingface", {**KEY, name: "http://127.0.0.1:1/{model}"}).explain(WRITE)


def test_a_model_that_is_loading_is_waited_for_as_long_as_it_says() -> None:
    body = json.dumps({"error": "Model m is currently loading", "estimated_time": 20.5}).encode()
    ready = json.dumps([{"generated_text": " upon"}]).encode()
    answers = [Scripted(status=503, pieces=((0.0, body),)), Scripted(pieces=((0.0, ready),))]
    driver = VirtualDriver(lambda _request, _at: answers.pop(0))
    provider = HuggingFaceProvider({"api_key": "made-up-key-1234"})
    assert driver.run(provider.call(WRITE)).text == " upon"
    assert driver.now >= 20.5


@given(
    st.one_of(
        st.none(), st.booleans(), st.text(), st.just(-1.0), st.just(float("inf")), st.just([])
    )
)
def test_an_estimate_that_is_none_is_no_estimate(told: Any) -> None:
    body = json.dumps({"error": "loading", "estimated_time": told}).encode()
    with pytest.raises(OverloadedError) as caught:
        answered(body, status=503).run(WRITE)
    assert caught.value.retry_after is None
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("status", "word", "kind"),
    [
        (422, "validation", InvalidRequestError),
        (413, "Validation", InvalidRequestError),
        (424, "generation", ServerError),
        (424, "Backend", ServerError),
        (429, "overloaded", OverloadedError),
        (503, "Unhealthy", OverloadedError),
    ],
)
def test_the_inference_servers_words_have_their_classes(
    status: int, word: str, kind: type[LLMError]
) -> None:
    with pytest.raises(kind) as caught:
        answered({"error": "No.", "error_type": word}, status=status).run(WRITE)
    assert (caught.value.code, caught.value.message) == (word, "No.")


def test_several_errors_are_told_by_the_first() -> None:
    with pytest.raises(InvalidRequestError, match="inputs is missing"):
        answered({"error": ["inputs is missing", "and more"]}, status=400).run(WRITE)


VECTOR = st.lists(
    st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 3)), min_size=2, max_size=2
)


@given(st.lists(VECTOR, min_size=2, max_size=4))
def test_vectors_come_in_the_order_of_the_texts(vectors: list[list[float]]) -> None:
    asked = EmbeddingRequest(model="m", inputs=["x"] * len(vectors))
    answer = answered(vectors).run(asked)
    assert answer.vectors == tuple(map(tuple, vectors))
    assert answer.warnings == ()


@pytest.mark.parametrize("shape", ["v", "[v]", "[[v]]", "[[[v]]]"])
def test_one_text_is_answered_in_lists_of_any_depth(shape: str) -> None:
    body = json.loads(shape.replace("v", "[0.5, 1.5]"))
    answer = answered(body).run(EmbeddingRequest(model="m", inputs="x"))
    assert (answer.vectors, answer.warnings) == (((0.5, 1.5),), ())


def test_vectors_of_tokens_become_their_mean_with_a_warning_unless_strict() -> None:
    tokens = [[[0.0, 2.0], [1.0, 4.0]], [[5.0, 5.0]]]
    answer = answered(tokens).run(EMBED)
    assert answer.vectors == ((0.5, 3.0), (5.0, 5.0))
    assert [w.subject for w in answer.warnings] == ["embeddings"]
    strict = EmbeddingRequest(model="m", inputs=["a", "b"], strict=True)
    with pytest.raises(ResponseFormatError, match="token"):
        answered(tokens).run(strict)


@pytest.mark.parametrize(
    "body",
    [[], [[0.5]], [[0.5], [0.5], [0.5]], [[0.5], []], [[[1.0], [1.0, 2.0]], [1.0]], [[0.5, [1.0]], [2.0]],
     {"data": []}, [["0.5"], [1.0]], [None, [1.0]]],
)  # fmt: skip
def test_what_are_no_vectors_of_the_texts_is_an_error(body: Any) -> None:
    with pytest.raises(ResponseFormatError):
        answered(body).run(EMBED)


def test_dimensions_are_for_servers_that_have_them() -> None:
    asked = EmbeddingRequest(model="m", inputs="x", dimensions=8)
    (warning,) = create_provider("hf", KEY).explain(asked).warnings
    assert warning.subject == "dimensions"
    plan = create_provider("hf", OWN).explain(asked)
    assert (plan.body["dimensions"], plan.warnings) == (8, ())


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2), st.sampled_from([None, 1, 2]))
def test_rankings_are_read_in_both_forms(scores: list[float], best: int | None) -> None:
    asked = RerankRequest(model="m", query="q", documents=["x", "y"], top_n=best)
    ranks = [{"index": i, "score": s} for i, s in enumerate(scores)]
    plain, ranked = answered(scores).run(asked), answered(ranks[::-1], OWN).run(asked)
    assert len(plain.results) == (best or 2)
    assert [r.score for r in plain.results] == sorted(scores, reverse=True)[:best]
    assert [r.score for r in ranked.results] == [r.score for r in plain.results]
    assert all(scores[r.index] == r.score for r in (*plain.results, *ranked.results))
    assert all(asked.documents[r.index] == r.document for r in plain.results)


@pytest.mark.parametrize(
    "body",
    [[0.5], [0.5, 0.25, 0.125], [{"index": 0, "score": 1}, {"index": 0, "score": 1}],
     [{"index": 2, "score": 1}, {"index": 0, "score": 1}], [{"index": -1, "score": 1}], {}, ["x", "y"]],
)  # fmt: skip
def test_scores_that_are_not_the_documents_are_an_error(body: Any) -> None:
    with pytest.raises(ResponseFormatError):
        answered(body).run(RANK)


def test_neutral_values_are_said_as_the_servers_take_them() -> None:
    def parameters(**given: Any) -> Any:
        asked = CompletionRequest(model="m", prompt="x", params=parse_params(given))
        plan = create_provider("hf", KEY).explain(asked)
        assert plan.warnings == ()
        return {n: v for n, v in plan.body["parameters"].items() if n != "return_full_text"}

    assert parameters(temperature=0, top_p=1, top_k=0) == {"do_sample": False}
    assert parameters(temperature=1.0) == {"temperature": 1.0, "do_sample": True}
    assert parameters(max_tokens=3, repeat_penalty=1.5, stop=["."]) == {
        "max_new_tokens": 3,
        "repetition_penalty": 1.5,
        "stop": ["."],
    }


def test_what_text_generation_has_not_is_told() -> None:
    asked = CompletionRequest(
        model="m",
        prompt="x",
        suffix="y",
        params=parse_params({"min_p": 0.5, "presence_penalty": 1, "reasoning_effort": "low"}),
    )
    told = {w.subject for w in create_provider("hf", KEY).explain(asked).warnings}
    assert told == {"suffix", "min_p", "presence_penalty", "reasoning_effort"}


def piece(text: str, special: bool = False, **more: Any) -> bytes:
    token = {"id": 1, "text": text, "logprob": -0.5, "special": special}
    event = {"index": 1, "token": token, "generated_text": None, "details": None, **more}
    return b"data:" + json.dumps(event).encode() + b"\n\n"


END = {"finish_reason": "length", "generated_tokens": 3, "input_length": 5, "seed": 7}


@given(st.lists(st.text(max_size=4), max_size=5), st.integers(1, 50))
def test_a_stream_of_tokens_is_its_text_however_it_is_cut(texts: list[str], size: int) -> None:
    whole = "".join(texts)
    wire = b"".join(map(piece, texts)) + piece("</s>", True, generated_text=whole, details=END)
    chunks = [wire[i : i + size] for i in range(0, len(wire), size)]
    driver = ReplayDriver([Recorded(headers={"content-type": "text/event-stream"}, chunks=chunks)])
    stream = create_provider("hf", KEY, driver=driver).stream(WRITE)
    events = list(stream)
    assert fold(events) == stream.response
    answer = stream.response
    assert (answer.text, answer.raw_finish_reason, answer.finish_reason) == (
        whole,
        "length",
        "length",
    )
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 3)
    assert answer.provider_metadata["huggingface"]["details"] == END
    body = json.loads(sent_by(driver).body or b"")
    assert (body["stream"], body["parameters"]["details"]) == (True, True)


def sent_by(driver: Any) -> HTTPRequest:
    (request,) = driver.transport.requests
    return request  # type: ignore[no-any-return]  # the driver's


def test_a_stream_without_its_last_token_is_broken_and_an_error_in_it_is_typed() -> None:
    broken = answered(piece(" a"), content_type="text/event-stream").stream(WRITE)
    with pytest.raises(StreamInterruptedError) as caught:
        list(broken)
    assert caught.value.partial_text == " a"
    told = b'data:{"error":"Request failed during generation","error_type":"generation"}\n\n'
    failed = answered(piece(" a") + told, content_type="text/event-stream").stream(WRITE)
    with pytest.raises(StreamInterruptedError) as caught:
        list(failed)
    assert isinstance(caught.value.__cause__, ServerError)
    assert caught.value.code == "generation"


def test_further_sequences_are_alternatives() -> None:
    other = {"generated_text": "10-", "finish_reason": "length", "generated_tokens": 1}
    details = {"finish_reason": "eos_token", "generated_tokens": 1, "best_of_sequences": [other]}
    answer = answered([{"generated_text": "5", "details": details}]).run(WRITE)
    assert (answer.text, answer.raw_finish_reason) == ("5", "eos_token")
    assert [(a.message.text, a.raw_finish_reason) for a in answer.alternatives] == [
        ("10-", "length")
    ]


@pytest.mark.parametrize("body", [[], {}, [{}], [[{"generated_text": "x"}]], "x"])
def test_an_answer_without_a_text_is_an_error(body: Any) -> None:
    with pytest.raises(ResponseFormatError):
        answered(body).run(WRITE)


@pytest.mark.parametrize("request_", [WRITE, EMBED, RANK, TaskRequest(model="m", inputs="x")])
def test_an_error_with_a_status_of_success_is_an_error(request_: Any) -> None:
    with pytest.raises(ProviderError, match="worker died"):
        answered({"error": "worker died", "error_type": "backend"}).run(request_)


def test_sound_goes_as_it_is_or_within_json_beside_parameters() -> None:
    asked = TranscriptionRequest(model="org/m", audio=SOUND)
    provider = answered({"text": "Hi"})
    assert provider.run(asked).text == "Hi"
    raw = sent(provider)
    assert (raw.body, raw.headers["content-type"]) == (SOUND.data, "audio/wav")
    timed = TranscriptionRequest(model="org/m", audio=SOUND, timestamps="segment", temperature=0.5)
    provider = answered({"text": "Hi", "chunks": [{"text": "Hi", "timestamp": [1.5, None]}]})
    (segment,) = provider.run(timed).segments
    assert (segment.start, segment.end) == (1.5, 1.5)
    body = json.loads(sent(provider).body or b"")
    assert body["inputs"] == "UklGRgAAAABXQVZF"
    assert body["parameters"] == {
        "return_timestamps": True,
        "generation_parameters": {"temperature": 0.5},
    }


@pytest.mark.parametrize(
    "audio", [MediaPart("audio/wav", url="https://x.example/a"), MediaPart("audio/\r\nx: y", b"x")]
)
def test_sound_that_cannot_be_sent_is_refused(audio: MediaPart) -> None:
    with pytest.raises(InvalidRequestError):
        create_provider("hf", KEY).explain(TranscriptionRequest(model="m", audio=audio))


def test_images_are_made_in_a_size_or_of_another() -> None:
    made = create_provider("hf", KEY).explain(
        ImageRequest(model="m", prompt="A hen", size="64x32", seed=3, negative_prompt="red")
    )
    assert made.body["parameters"] == {
        "width": 64,
        "height": 32,
        "seed": 3,
        "negative_prompt": "red",
    }
    edit = ImageRequest(model="m", prompt="Bluer", images=[PIXEL], size="64x32")
    body = create_provider("hf", KEY).explain(edit).body
    assert body["inputs"] == "iVBORw0KGgot"
    assert body["parameters"] == {"prompt": "Bluer", "target_size": {"width": 64, "height": 32}}


@pytest.mark.parametrize(
    ("payload", "kind"), [(b"", "image/png"), (b"plain", "text/plain"), (b"{}", "application/json")]
)
def test_what_is_no_image_is_an_error(payload: bytes, kind: str) -> None:
    with pytest.raises(ResponseFormatError):
        answered(payload, content_type=kind).run(ImageRequest(model="m", prompt="x"))


def test_a_task_takes_and_gives_json_or_bytes() -> None:
    asked = TaskRequest(
        model="org/m", inputs={"image": PIXEL, "question": "Who?"}, parameters={"top_k": 2}
    )
    provider = answered([{"answer": "Nila"}])
    assert provider.run(asked).data == [{"answer": "Nila"}]
    body = json.loads(sent(provider).body or b"")
    assert body == {
        "inputs": {"image": "iVBORw0KGgot", "question": "Who?"},
        "parameters": {"top_k": 2},
    }
    provider = answered(PIXEL.data, content_type="image/png")
    assert provider.run(TaskRequest(model="m", inputs=PIXEL, task="depth")).media == PIXEL
    assert sent(provider).body == PIXEL.data
    assert sent(provider).url.endswith("/models/m/pipeline/depth")


def test_an_endpoint_of_ones_own_describes_its_model() -> None:
    wire = {
        "model_id": "org/m",
        "max_input_length": 512,
        "model_type": {"embedding": {"pooling": "cls"}},
    }
    found = answered(wire, OWN).run(ModelInfoRequest(model="any"))
    assert (found.id, found.context_window, found.capabilities.embeddings) == ("org/m", 512, True)
    answers = [Recorded(status=404), Recorded(chunks=[json.dumps(wire).encode()])]
    driver = ReplayDriver(answers)
    (listed,) = create_provider("hf", OWN, driver=driver).list_models()
    assert listed == found
    assert [r.url.partition(".example")[2] for r in driver.transport.requests] == [
        "/v1/models",
        "/info",
    ]


def test_tokens_are_an_endpoints_of_ones_own() -> None:
    told = [{"id": 5, "text": "Hi", "special": False}]
    for body in (told, [told]):
        tokens = answered(body, OWN).run(TokenizeRequest(model="m", text="Hi"))
        assert (tokens.ids, tokens.texts) == ((5,), ("Hi",))
    assert answered(["Hi"], OWN).run(DetokenizeRequest(model="m", ids=[5])) == "Hi"
    with pytest.raises(UnsupportedOperationError, match="endpoint"):
        answered(told).run(TokenizeRequest(model="m", text="Hi"))


def service(**more: Any) -> dict[str, Any]:
    return {"provider": "a", "status": "live", **more}


def listed(*services: Any) -> Any:
    wire = {
        "id": "org/m",
        "object": "model",
        "architecture": {"input_modalities": ["text", "image"]},
    }
    (found,) = answered(
        {"object": "list", "data": [{**wire, "providers": list(services)}]}
    ).list_models()
    return found


def test_a_model_is_what_its_services_agree_on() -> None:
    price = {"input": 0.5, "output": 1.5}
    one = service(context_length=100, supports_tools=True, pricing=price)
    two = service(
        context_length=50, supports_tools=True, supports_structured_output=True, pricing=price
    )
    found = listed(one, two)
    assert found.context_window == 50
    able = found.capabilities
    assert (able.tools, able.structured_output, able.vision) == (True, None, True)
    assert str(found.pricing.input) == "0.5"
    assert listed(one, service(context_length=80)).pricing is None
    assert listed().capabilities.tools is None
