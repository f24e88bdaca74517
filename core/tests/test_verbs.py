"""Every verb beside the five performs the request that it is named after, in both colours."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import anyio
import pytest

from jackfield import EmbeddingRequest, InvalidRequestError, LLMProvider, ProviderInfo
from jackfield import operations as op
from jackfield.flow import Flow
from jackfield.requests import Request
from jackfield.verbs import OperationVerbs

CHAT = op.BatchItem(custom_id="a", request=EmbeddingRequest(model="m", inputs="x"))
REQUESTS: dict[str, tuple[tuple[Any, ...], Request[Any]]] = {
    "embed": (("m", "x"), EmbeddingRequest(model="m", inputs=("x",))),
    "rerank": (
        ("m", "q", ["a", "b"]),
        op.RerankRequest(model="m", query="q", documents=("a", "b")),
    ),
    "generate_image": (("m", "a hen"), op.ImageRequest(model="m", prompt="a hen")),
    "speak": (("m", "hello"), op.SpeechRequest(model="m", text="hello")),
    "moderate": (("m", "hello"), op.ModerationRequest(model="m", inputs=("hello",))),
    "complete": (("m", "Once"), op.CompletionRequest(model="m", prompt="Once")),
    "tokenize": (("m", "Once"), op.TokenizeRequest(model="m", text="Once")),
    "detokenize": (("m", [1, 2]), op.DetokenizeRequest(model="m", ids=(1, 2))),
    "upload_file": (
        (b"x", "a.txt"),
        op.FileUploadRequest(data=b"x", name="a.txt", media_type="text/plain"),
    ),
    "list_files": ((), op.FileListRequest()),
    "get_file": (("f",), op.FileInfoRequest(file_id="f")),
    "download_file": (("f",), op.FileContentRequest(file_id="f")),
    "delete_file": (("f",), op.FileDeleteRequest(file_id="f")),
    "create_batch": (([CHAT],), op.BatchCreateRequest(items=(CHAT,))),
    "get_batch": (("b",), op.BatchInfoRequest(job_id="b")),
    "list_batches": ((), op.BatchListRequest()),
    "cancel_batch": (("b",), op.BatchCancelRequest(job_id="b")),
    "delete_batch": (("b",), op.BatchDeleteRequest(job_id="b")),
    "batch_results": (("b",), op.BatchResultsRequest(job_id="b")),
    "create_fine_tune": (("m", "f"), op.FineTuneCreateRequest(model="m", training_file="f")),
    "get_fine_tune": (("t",), op.FineTuneInfoRequest(job_id="t")),
    "list_fine_tunes": ((), op.FineTuneListRequest()),
    "cancel_fine_tune": (("t",), op.FineTuneCancelRequest(job_id="t")),
}
VERBS = [n for n, f in vars(OperationVerbs).items() if callable(f) and not n.startswith(("_", "a"))]


class Echo(LLMProvider):
    """Gives every request back."""

    info = ProviderInfo(name="echo", display_name="Echo", api_key_required=False)

    @property
    def operations(self) -> frozenset[type[Request[Any]]]:
        return frozenset({type(r) for _, r in REQUESTS.values()} | {op.TranscriptionRequest})

    def flow(self, request: Request[Any], *, stream: bool, deadline: float) -> Flow[Any]:
        yield from ()
        return request


def test_every_verb_is_tried_here() -> None:
    assert set(VERBS) == REQUESTS.keys() | {"count_tokens", "transcribe"}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_verb_and_its_twin_perform_its_request(name: str) -> None:
    args, request = REQUESTS[name]
    assert getattr(Echo(), name)(*args) == request
    assert anyio.run(getattr(Echo(), f"a{name}"), *args) == request


@pytest.mark.parametrize("name", REQUESTS)
def test_a_verb_takes_further_fields_of_its_request(name: str) -> None:
    args, _ = REQUESTS[name]
    assert getattr(Echo(), name)(*args, metadata={"a": 1}).metadata == {"a": 1}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_shows_what_it_takes(name: str) -> None:
    shown, twin = (inspect.signature(getattr(Echo(), n)) for n in (name, f"a{name}"))
    assert shown == twin
    assert "args" not in shown.parameters
    assert inspect.getdoc(getattr(Echo, name))


def test_what_is_heard_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVE")
    heard: Any = Echo().transcribe("m", path)
    assert (heard.audio.media_type, heard.audio.data) == ("audio/wav", path.read_bytes())


def test_a_file_to_keep_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}\n")
    sent: Any = Echo().upload_file(path, purpose="batch")
    assert (sent.name, sent.data, sent.purpose) == ("rows.jsonl", b"{}\n", "batch")


@pytest.mark.parametrize("given", ["no/such/file", b"bytes without a name"])
def test_a_file_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"needs a name|No such file"):
        Echo().upload_file(given)
