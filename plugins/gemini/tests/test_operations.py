"""Batches, files, pictures, counts and models: what is asked for, and what is no answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ChatRequest,
    ContentFilterError,
    EmbeddingRequest,
    InvalidRequestError,
    LLMError,
    MediaPart,
    Message,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
    TextPart,
    TokenCountRequest,
    Tool,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.operations import BatchItem, BatchResultsRequest, ImageRequest, JobStatus
from jackfield_gemini import GeminiProvider
from jackfield_gemini.operations.images import EDGES, RATIOS
from jackfield_gemini.operations.results import RPC

MODEL = "gemini-2.5-flash"
ROOT = "https://generativelanguage.googleapis.com"
SAID = {"candidates": [{"content": {"parts": [{"text": "Nila"}]}, "finishReason": "STOP"}]}


def batch(state: str, **more: Any) -> dict[str, Any]:
    return {"name": "batches/1", "metadata": {"state": f"BATCH_STATE_{state}"}, **more}


def ended(*items: Any) -> dict[str, Any]:
    output = {"inlinedResponses": {"inlinedResponses": list(items)}}
    return batch("SUCCEEDED", response={"output": output})


def chat(text: str = "Hi", model: str = MODEL) -> ChatRequest:
    return ChatRequest(model=model, messages=[Message("user", text)])


def vector(*texts: str) -> EmbeddingRequest:
    return EmbeddingRequest(model=MODEL, inputs=texts)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [chat(), chat(model="another")],
        [chat(), vector("a")],
        [vector("a", "b")],
        [TokenCountRequest(model=MODEL, messages=[Message("user", "Hi")])],
    ],
    ids=["nothing", "two models", "two kinds", "two texts", "a count"],
)
def test_what_is_no_batch_is_refused_before_anything_is_sent(stand: Any, items: list[Any]) -> None:
    made = stand()
    with pytest.raises(InvalidRequestError, match="batch") as caught:
        made.provider.create_batch(items)
    assert caught.value.param == "items"
    assert made.sent == []


def test_a_compromise_of_one_request_is_an_error_for_a_strict_batch(stand: Any) -> None:
    made, odd = stand(), Message("user", [TextPart("Hi"), MediaPart("image/*", b"?")])
    item = BatchItem(custom_id="odd", request=ChatRequest(model=MODEL, messages=[odd]))
    with pytest.raises(InvalidRequestError, match="odd: image"):
        made.provider.create_batch([item], strict=True)
    assert made.sent == []


def test_a_batch_is_called_what_the_caller_says(stand: Any) -> None:
    made = stand(batch("PENDING"))
    own = {"gemini": {"displayName": "Birds", "priority": "3"}}
    made.provider.create_batch([chat()], provider_options=own)
    (body,) = made.bodies()
    assert (body["batch"]["displayName"], body["batch"]["priority"]) == ("Birds", "3")
    assert body["batch"]["inputConfig"]["requests"]["requests"][0]["metadata"] == {
        "key": "request-0"
    }


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "UNSPECIFIED", "OF_TOMORROW"])
def test_results_that_are_not_there_yet_are_told(stand: Any, state: str) -> None:
    with pytest.raises(InvalidRequestError, match="ended"):
        stand(batch(state)).provider.batch_results("batches/1")


def test_a_batch_that_failed_as_a_whole_says_why(stand: Any) -> None:
    told = batch("FAILED", error={"code": 7, "message": "Not yours."})
    with pytest.raises(PermissionDeniedError, match="Not yours"):
        stand(told).provider.batch_results("batches/1")
    job = stand(told).provider.get_batch("batches/1")
    assert (job.status, job.error) == (JobStatus.FAILED, "Not yours.")


def test_a_success_without_results_is_no_answer(stand: Any) -> None:
    with pytest.raises(ResponseFormatError, match="no results"):
        stand(batch("SUCCEEDED")).provider.batch_results("batches/1")
    assert stand(batch("CANCELLED")).provider.batch_results("batches/1") == []


KINDS: dict[str, type[LLMError]] = {
    "INVALID_ARGUMENT": InvalidRequestError,
    "DEADLINE_EXCEEDED": ServerError,
    "NOT_FOUND": NotFoundError,
    "ALREADY_EXISTS": InvalidRequestError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "RESOURCE_EXHAUSTED": RateLimitError,
    "INTERNAL": ServerError,
    "UNAVAILABLE": OverloadedError,
    "DATA_LOSS": ServerError,
    "UNAUTHENTICATED": AuthenticationError,
}


@pytest.mark.parametrize(("word", "kind"), KINDS.items())
def test_an_error_inside_of_a_batch_has_its_class(
    stand: Any, word: str, kind: type[LLMError]
) -> None:
    """The service tells it by a number, or by the word, too."""
    number = {"code": RPC.index(word), "message": "No."}
    named = {"code": 999, "message": "No.", "status": word}
    for error in (number, named):
        (found,) = stand(ended({"error": error})).provider.batch_results("batches/1")
        assert type(found.error) is kind
        assert (found.error.message, found.error.code) == ("No.", word)
        assert (found.error.provider, found.response) == ("gemini", None)


def test_a_result_that_cannot_be_read_is_its_error_and_spoils_no_other(stand: Any) -> None:
    lines = [{"response": SAID}, {"response": {"candidates": 7}}, {"metadata": {"key": "c"}}]
    first, second, third = stand(ended(*lines)).provider.batch_results("batches/1")
    assert first.response.text == "Nila"
    assert isinstance(second.error, ResponseFormatError)
    assert isinstance(third.error, ProviderError)
    assert [r.custom_id for r in (first, second, third)] == ["request-0", "request-1", "c"]


def test_results_without_names_are_those_of_the_items_in_their_order(stand: Any) -> None:
    items = [BatchItem(custom_id=name, request=chat()) for name in ("hen", "gull")]
    told = ended({"response": SAID}, {"response": SAID})
    request = BatchResultsRequest(model="", job_id="batches/1", items=items)
    assert [r.custom_id for r in stand(told).provider.run(request)] == ["hen", "gull"]


def test_results_in_a_file_are_fetched_from_the_same_server() -> None:
    line = json.dumps({"key": "gull", "response": SAID}).encode()
    job = batch("SUCCEEDED", response={"responsesFile": "files/batch-1"})
    driver = ReplayDriver(
        [Recorded(chunks=[json.dumps(job).encode()]), Recorded(chunks=[line + b"\n\n"])]
    )
    provider = GeminiProvider({"api_key": "made-up"}, driver=driver)
    (found,) = provider.batch_results("batches/1")
    assert (found.custom_id, found.response.text) == ("gull", "Nila")
    url = driver.transport.requests[1].url
    assert url == f"{ROOT}/v1beta/files/batch-1:download?alt=media"


@pytest.mark.parametrize(
    "output",
    [
        {"responsesFile": 7},
        {"inlinedResponses": []},
        {"inlinedResponses": [7]},
        {"inlinedResponses": {"inlinedResponses": {"a": 1}}},
        {"inlinedResponses": {"inlinedResponses": [7]}},
    ],
)
def test_results_of_another_shape_are_typed_errors(stand: Any, output: Any) -> None:
    with pytest.raises(ResponseFormatError):
        stand(batch("SUCCEEDED", response=output)).provider.batch_results("batches/1")


@pytest.mark.parametrize("verb", ["list_files", "list_batches", "list_models"])
def test_a_list_that_comes_round_again_is_no_answer(stand: Any, verb: str) -> None:
    page = {"nextPageToken": "again"}
    with pytest.raises(ResponseFormatError, match="round again"):
        getattr(stand(page, page).provider, verb)()


def upload(place: str) -> GeminiProvider:
    """A provider whose service wants the bytes of a file at *place*."""
    headers = {"x-goog-upload-url": place} if place else {}
    answers = [
        Recorded(headers=headers, chunks=[b"{}"]),
        Recorded(chunks=[b'{"file": {"name": "files/1"}}']),
    ]
    return GeminiProvider({"api_key": "made-up-key"}, driver=ReplayDriver(answers))


def test_a_file_goes_to_its_own_server_or_nowhere() -> None:
    assert upload(f"{ROOT}/upload/1").upload_file(b"Hello", "a.txt").id == "files/1"
    with pytest.raises(ResponseFormatError, match="another server"):
        upload("https://elsewhere.example/upload").upload_file(b"Hello", "a.txt")
    with pytest.raises(ResponseFormatError, match="no place"):
        upload("").upload_file(b"Hello", "a.txt")


def test_a_purpose_is_dropped_aloud() -> None:
    with pytest.raises(InvalidRequestError, match="purpose"):
        upload(f"{ROOT}/upload/1").upload_file(b"Hello", "a.txt", purpose="batch", strict=True)


def test_a_kept_file_goes_into_a_message_by_its_address(stand: Any) -> None:
    uri = f"{ROOT}/v1beta/files/abc"
    made = stand({"name": "files/abc", "uri": uri, "mimeType": "application/pdf"})
    file = made.provider.get_file("files/abc")
    part = MediaPart(file.media_type, url=file.uri)
    asked = ChatRequest(model=MODEL, messages=[Message("user", part)])
    (content,) = made.provider.explain(asked).body["contents"]
    assert content["parts"] == [{"fileData": {"mimeType": "application/pdf", "fileUri": uri}}]


@pytest.mark.parametrize("name", ["abc", "files/abc"])
def test_a_file_may_be_named_either_way(stand: Any, name: str) -> None:
    made = stand({"name": "files/abc"}, {})
    made.provider.get_file(name)
    made.provider.delete_file(name)
    assert [r.url for r in made.sent] == [f"{ROOT}/v1beta/files/abc"] * 2


@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    model=st.sampled_from(
        ["gemini-2.5-flash-image", "gemini-3-pro-image", "gemini-3.1-flash-image"]
    ),
)
def test_a_picture_has_the_nearest_measures_and_that_is_told(
    stand: Any, width: int, height: int, model: str
) -> None:
    plan = stand().provider.explain(
        ImageRequest(model=model, prompt="A pelican", size=f"{width}x{height}")
    )
    config = plan.body["generationConfig"]["imageConfig"]
    shapes = {name: abs(value - width / height) for name, value in RATIOS.items()}
    assert shapes[config.pop("aspectRatio")] == min(shapes.values())
    edges = {name: abs(edge - max(width, height)) for name, edge in EDGES.items()}
    assert [edges[edge] for edge in config.values()] == (
        [] if "2.5" in model else [min(edges.values())]
    )
    assert [(w.kind, w.subject) for w in plan.warnings] == [("emulated", "size")]


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"promptFeedback": {"blockReason": "IMAGE_SAFETY"}}, ContentFilterError),
        ({"candidates": [{"finishReason": "IMAGE_SAFETY"}]}, ContentFilterError),
        ({"candidates": [{"finishReason": "NO_IMAGE"}]}, ResponseFormatError),
        (SAID, ResponseFormatError),
    ],
)
def test_no_picture_is_an_error_that_says_why(
    stand: Any, told: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        stand(told).provider.generate_image(MODEL, "A pelican")


def test_what_is_counted_is_what_a_chat_would_send(stand: Any) -> None:
    said = [Message("system", "Be kind."), Message("user", "Hi")]
    tools = [Tool("add", "Adds.")]
    provider = stand().provider
    counted = provider.explain(TokenCountRequest(model=MODEL, messages=said, tools=tools)).body
    sent = provider.explain(ChatRequest(model=MODEL, messages=said, tools=tools)).body
    assert counted == {"generateContentRequest": {"model": f"models/{MODEL}", **sent}}
    plain = provider.explain(TokenCountRequest(model=MODEL, messages=said[1:])).body
    assert plain == provider.explain(ChatRequest(model=MODEL, messages=said[1:])).body


@pytest.mark.parametrize(
    "told", [{}, {"error": {"message": "No."}}, {"embedding": {}}, {"id": "a"}]
)
def test_an_answer_that_tells_no_count_is_not_zero(stand: Any, told: Any) -> None:
    with pytest.raises(ResponseFormatError):
        stand(told).provider.count_tokens(MODEL, "Hi")
    nothing = {"promptTokensDetails": [{"modality": "TEXT"}]}
    assert stand(nothing).provider.count_tokens(MODEL, "Hi").input_tokens == 0
