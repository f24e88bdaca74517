"""Whatever answer the description allows, it is read as what it says, or is a typed error.

Little of files and batches was recorded: here their answers are made after the official description.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemini.described import answers
from gemini.replays import answering, asked
from jackfield import (
    ChatRequest,
    ChatResponse,
    EmbeddingRequest,
    EmbeddingResponse,
    LLMError,
    Message,
    ModelInfoRequest,
    ResponseFormatError,
)
from jackfield.operations import BatchJob, BatchResultsRequest, JobStatus, RemoteFile
from support.specs import needs_specs, response_errors

pytestmark = needs_specs
OPTIONS = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
CHAT = ChatRequest(model="a-model", messages=[Message("user", "Hi")])
ROOT = "https://generativelanguage.googleapis.com"


def moment(text: str | None) -> datetime | None:
    """A time, read in a way of its own: nine digits after the second, of which six count."""
    return (
        None if text is None else datetime.strptime(text[:-4] + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z")
    )


def named(told: Any) -> Any:
    """*told* with a name: the service has one for each thing that it keeps."""
    return {"name": "things/1", **told}


FILES = answers("File").map(named)
BATCHES = answers("BatchGenerateContentOperation").map(named)


def judge_file(file: RemoteFile, wire: Any) -> None:
    """*file* says what *wire* says."""
    assert (file.id, file.name) == (wire["name"], wire.get("displayName", ""))
    assert file.size_bytes == (int(wire["sizeBytes"]) if "sizeBytes" in wire else None)
    assert (file.media_type, file.uri) == (wire.get("mimeType"), wire.get("uri"))
    assert file.status == wire.get("state")
    assert file.created_at == moment(wire.get("createTime"))
    assert file.expires_at == moment(wire.get("expirationTime"))
    assert file.provider_metadata == {"gemini": wire}


def judge_batch(job: BatchJob, wire: Any) -> None:
    """*job* says what *wire* says."""
    about = wire.get("metadata") or {}
    stats = about.get("batchStats", {})
    assert (job.id, job.raw_status) == (wire["name"], about.get("state"))
    word = about.get("state", "").removeprefix("BATCH_STATE_").lower()
    assert job.status == (JobStatus(word) if word in set(JobStatus) else JobStatus.OTHER)
    assert job.created_at == moment(about.get("createTime"))
    assert job.ended_at == moment(about.get("endTime"))
    for name, ours in (("request", job.total), ("successfulRequest", job.succeeded)):
        told = stats.get(f"{name}Count")
        assert ours == (None if told is None else int(told))
    assert job.error == wire.get("error", {}).get("message")


@OPTIONS
@given(wire=answers("GenerateContentResponse"))
def test_a_chats_answer(wire: Any) -> None:
    assert response_errors("gemini", "POST", "/v1beta/models/m:generateContent", wire) == []
    try:
        answer = answering(wire).run(CHAT)
    except LLMError:
        return
    assert isinstance(answer, ChatResponse)
    first = [c for c in wire.get("candidates", ()) if c.get("index", 0) == 0]
    parts = [p for c in first for p in c.get("content", {}).get("parts", ())]
    calls = [p["functionCall"]["name"] for p in parts if "functionCall" in p]
    assert [call.name for call in answer.tool_calls] == calls
    plain = [p for p in parts if not p.get("thought") and "functionCall" not in p]
    assert answer.text == "".join(p.get("text", "") for p in plain)


@OPTIONS
@given(wires=st.lists(answers("GenerateContentResponse"), max_size=3))
def test_a_streams_events(wires: list[Any]) -> None:
    body = b"".join(b"data: " + json.dumps(wire).encode() + b"\n\n" for wire in wires)
    stream = answering(body).stream(CHAT)
    try:
        answer = stream.drain()
    except LLMError:
        return
    assert isinstance(answer, ChatResponse)


@OPTIONS
@given(wire=answers("EmbedContentResponse") | answers("BatchEmbedContentsResponse"))
def test_vectors(wire: Any) -> None:
    found = wire.get("embeddings") or [wire.get("embedding")]
    try:
        answer = answering(wire).embed("m", [str(at) for at in range(max(1, len(found)))])
    except ResponseFormatError:
        assert not all(vector and "values" in vector for vector in found)
        return
    assert answer.vectors == tuple(tuple(map(float, vector["values"])) for vector in found)


@OPTIONS
@given(wire=answers("CountTokensResponse"))
def test_a_count(wire: Any) -> None:
    try:
        found = answering(wire).count_tokens("m", "Hi")
    except ResponseFormatError:
        assert "totalTokens" not in wire
        return
    assert found.input_tokens == wire.get("totalTokens", 0)


@OPTIONS
@given(wire=answers("Model").map(named))
def test_a_model(wire: Any) -> None:
    found = answering(wire).run(ModelInfoRequest(model="m"))
    (listed,) = answering({"models": [wire]}).list_models()
    assert found == listed
    assert (found.id, found.context_window) == (wire["name"], wire.get("inputTokenLimit"))
    assert found.max_output_tokens == wire.get("outputTokenLimit")


@OPTIONS
@given(wire=FILES)
def test_a_file(wire: Any) -> None:
    provider = answering(wire)
    judge_file(provider.get_file("files/1"), wire)
    (sent,) = asked(provider)
    assert (sent.method, sent.url) == ("GET", f"{ROOT}/v1beta/files/1")


@OPTIONS
@given(wire=FILES, data=st.binary(max_size=9))
def test_an_upload(wire: Any, data: bytes) -> None:
    place = {"x-goog-upload-url": f"{ROOT}/upload/v1beta/files?upload_id=1"}
    provider = answering({}, {"file": wire}, headers=place)
    judge_file(provider.upload_file(data, "a.txt"), wire)
    start, sent = asked(provider)
    assert start.headers["x-goog-upload-header-content-length"] == str(len(data))
    assert (sent.url, sent.body) == (place["x-goog-upload-url"], data)


@OPTIONS
@given(pages=st.lists(st.lists(FILES, max_size=3), min_size=1, max_size=3), limit=st.integers(1, 6))
def test_a_list_of_files(pages: list[Any], limit: int) -> None:
    told = [
        {"files": page, **({"nextPageToken": f"t{at}"} if at < len(pages) else {})}
        for at, page in enumerate(pages, 1)
    ]
    provider, wires = answering(*told), [wire for page in pages for wire in page]
    for file, wire in zip(provider.list_files(), wires, strict=True):
        judge_file(file, wire)
    tokens = [request.url.partition("pageToken=")[2] for request in asked(provider)]
    assert tokens == ["", *(f"t{at}" for at in range(1, len(pages)))]
    assert len(answering(*told).list_files(limit=limit)) == min(limit, len(wires))


@OPTIONS
@given(wire=BATCHES)
def test_a_batch(wire: Any) -> None:
    judge_batch(answering(wire).get_batch("batches/1"), wire)
    judge_batch(answering(wire).create_batch([CHAT]), wire)
    (listed,) = answering({"operations": [wire]}).list_batches()
    judge_batch(listed, wire)
    provider = answering({}, wire)
    judge_batch(provider.cancel_batch("batches/1"), wire)
    stop, _ = asked(provider)
    assert (stop.method, stop.url) == ("POST", f"{ROOT}/v1beta/batches/1:cancel")


@OPTIONS
@given(wire=answers("Operation"))
def test_an_operation_whose_batch_is_not_told_is_one_or_a_typed_error(wire: Any) -> None:
    try:
        assert isinstance(answering(wire).get_batch("batches/1"), BatchJob)
    except ResponseFormatError:
        return


ENDED = {"state": "BATCH_STATE_SUCCEEDED"}
ITEMS = st.lists(answers("InlinedResponse"), min_size=1, max_size=3)


def told(items: list[Any], place: str) -> tuple[Any, ...]:
    """What a service answers whose batch has come to *items*, told in one of the places."""
    output = {"inlinedResponses": {"inlinedResponses": items}}
    lines = "\n".join(json.dumps({"key": f"k{at}", **item}) for at, item in enumerate(items))
    answer: dict[str, tuple[Any, ...]] = {
        "batch": ({"metadata": {**ENDED, "output": output}},),
        "answer": ({"metadata": ENDED, "done": True, "response": {"output": output}},),
        "answer itself": ({"metadata": ENDED, "done": True, "response": output},),
        "file": ({"metadata": {**ENDED, "output": {"responsesFile": "files/r"}}}, lines.encode()),
    }
    first, *rest = answer[place]
    return ({"name": "batches/1", **first}, *rest)


PLACES = st.sampled_from(["batch", "answer", "answer itself", "file"])


@OPTIONS
@given(items=ITEMS, place=PLACES)
def test_each_result_is_what_the_single_call_gives(items: list[Any], place: str) -> None:
    found = answering(*told(items, place)).batch_results("batches/1")
    assert len(found) == len(items)
    for result, wire in zip(found, items, strict=True):
        if wire.get("error") or not wire.get("response"):
            assert isinstance(result.error, LLMError)
            assert result.error.message.startswith(wire.get("error", {}).get("message", ""))
            continue
        try:
            alone = answering(wire["response"]).run(CHAT)
        except LLMError as error:
            assert type(result.error) is type(error)  # noqa: PT017  # an error is a right answer, too
        else:
            assert result.response == alone


@OPTIONS
@given(items=st.lists(answers("InlinedEmbedContentResponse"), min_size=1, max_size=3), place=PLACES)
def test_each_vector_is_what_the_single_call_gives(items: list[Any], place: str) -> None:
    texts = [EmbeddingRequest(model="m", inputs="a") for _ in items]
    known = answering(*told(items, place)).run(
        BatchResultsRequest(model="", job_id="batches/1", items=texts)
    )
    for result, wire in zip(known, items, strict=True):
        vector = wire.get("response", {}).get("embedding", {}).get("values")
        if wire.get("error") or vector is None:
            assert isinstance(result.error, LLMError)
        else:
            assert isinstance(result.response, EmbeddingResponse)
            assert result.response.vectors == (tuple(map(float, vector)),)
    unknown = answering(*told(items, place)).batch_results("batches/1")
    for result, same in zip(known, unknown, strict=True):
        both = result.response, same.response
        assert both == (None, None) or both[0].vectors == both[1].vectors
