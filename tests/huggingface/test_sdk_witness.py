"""Hugging Face's official SDK as a witness: for one call, it and we send one request and read one answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from attrs import define, field
from huggingface_hub import InferenceClient
from huggingface_hub.inference._providers.hf_inference import HFInferenceTask

from jackfield import EmbeddingRequest, LLMProvider, MediaPart, create_provider
from jackfield.operations import (
    CompletionRequest,
    ImageRequest,
    RerankRequest,
    TranscriptionRequest,
)
from jackfield.params import parse_params
from jackfield_huggingface import TaskRequest
from openai_dialect.asking import same_meaning
from openai_dialect.recorder import CHAT, events

KEY = "made-up-key-1234"
FLAC = b"fLaC\0\0\0\x22made up"
TOKENS = "".join(
    f"data:{json.dumps(piece)}\n\n"
    for piece in (
        {"index": 1, "token": {"id": 1, "text": " upon", "logprob": -1.0, "special": False},
         "generated_text": None, "details": None},
        {"index": 2, "token": {"id": 2, "text": "</s>", "logprob": -1.0, "special": True},
         "generated_text": " upon", "details": {"finish_reason": "eos_token", "generated_tokens": 2,
                                                "input_length": 1, "seed": None}},
    )
)  # fmt: skip


@define
class Service:
    """Notes what it is asked, and answers what it was told to."""

    url: str = ""
    answer: tuple[str, bytes] = ("", b"")
    seen: list[dict[str, Any]] = field(factory=list)

    def says(self, body: Any, kind: str = "application/json") -> None:
        """Answer with *body* from now on, and forget what was asked."""
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer, self.seen = (kind, encoded), []


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that the library calls
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            kind = self.headers.get("content-type", "")
            said = json.loads(body) if "json" in kind else body
            key = self.headers.get("authorization")
            made.seen.append({"path": self.path, "body": said, "key": key})
            self.send_response(200)
            self.send_header("content-type", made.answer[0])
            self.send_header("content-length", str(len(made.answer[1])))
            self.end_headers()
            self.wfile.write(made.answer[1])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def sdk(service: Service) -> Iterator[InferenceClient]:
    with InferenceClient(model=service.url, token=KEY) as client:
        yield client


@pytest.fixture(scope="module")
def ours(service: Service) -> Iterator[LLMProvider]:
    config = {"api_key": KEY, "base_url": service.url, "server": "tasks"}
    with create_provider("huggingface", config) as provider:
        yield provider


def same(service: Service) -> None:
    """The SDK and we asked for the same, in this order."""
    theirs, mine = service.seen
    if isinstance(theirs["body"], dict) and theirs["body"].get("parameters") == {}:
        del theirs["body"]["parameters"]  # none, said aloud
    assert mine == theirs


@pytest.mark.parametrize(
    "task", ["feature-extraction", "sentence-similarity", "text-generation", ""]
)
def test_the_sdk_and_we_find_a_task_in_the_same_place(task: str) -> None:
    asked: Any = {
        "feature-extraction": EmbeddingRequest(model="org/m", inputs="x"),
        "sentence-similarity": RerankRequest(model="org/m", query="x", documents=["y"]),
        "text-generation": CompletionRequest(model="org/m", prompt="x"),
    }.get(task, TaskRequest(model="org/m", inputs="x"))
    provider = create_provider("huggingface", {"api_key": KEY})
    assert provider.explain(asked).url == HFInferenceTask(task)._prepare_url(KEY, "org/m")


def test_text_generation(service: Service, sdk: Any, ours: LLMProvider) -> None:
    service.says([{"generated_text": " upon"}])
    theirs = sdk.text_generation(
        "Once", max_new_tokens=5, temperature=0.5, do_sample=True, top_p=0.5, top_k=3, seed=7,
        stop=["."], repetition_penalty=1.5, frequency_penalty=0.5, return_full_text=False, stream=False,
    )  # fmt: skip
    params = {"max_tokens": 5, "temperature": 0.5, "top_p": 0.5, "top_k": 3, "seed": 7, "stop": "."}
    more = {"repeat_penalty": 1.5, "frequency_penalty": 0.5}
    mine = ours.complete("m", "Once", {**params, **more})
    assert mine.text == theirs
    theirs_sent, mine_sent = service.seen
    assert theirs_sent["body"].pop("stream") is False  # the default, which we leave out
    assert mine_sent == theirs_sent


def test_streamed_text_generation(service: Service, sdk: Any, ours: LLMProvider) -> None:
    service.says(TOKENS.encode(), "text/event-stream")
    theirs = list(sdk.text_generation("Once", stream=True, details=True, return_full_text=False))
    asked = CompletionRequest(model="m", prompt="Once", params=parse_params({}))
    stream: Any = ours.stream(asked)
    assert "".join(map(str, stream)) == theirs[-1].generated_text
    assert stream.response.raw_finish_reason == theirs[-1].details.finish_reason
    same(service)


def test_vectors_and_similarity(service: Service, sdk: Any, ours: LLMProvider) -> None:
    service.says([[0.5, -0.25], [1.0, 0.0]])
    theirs = sdk.feature_extraction(["a", "b"])
    mine = ours.embed("m", ["a", "b"])
    assert [list(v) for v in mine.vectors] == theirs.tolist()
    same(service)
    service.says([0.25, 0.75])
    scores = sdk.sentence_similarity("q", ["x", "y"])
    ranked = ours.rerank("m", "q", ["x", "y"]).results
    assert {r.index: r.score for r in ranked} == dict(enumerate(scores))
    same(service)


def test_sounds_and_images(service: Service, sdk: Any, ours: LLMProvider) -> None:
    service.says({"text": "Hello"})
    theirs = sdk.automatic_speech_recognition(FLAC)
    asked = TranscriptionRequest(model="m", audio=MediaPart("audio/flac", FLAC))
    assert ours.run(asked).text == theirs.text
    same(service)
    service.says(b"fLaC", "audio/flac")
    assert ours.speak("m", "Hi").audio.data == sdk.text_to_speech("Hi") == b"fLaC"
    theirs_sent, mine_sent = service.seen[::-1]
    assert theirs_sent["body"].pop("parameters", {}) == {}
    assert mine_sent == theirs_sent


def test_tasks_without_a_verb(service: Service, sdk: Any, ours: LLMProvider) -> None:
    service.says([[{"label": "POSITIVE", "score": 0.75}]])
    (theirs,) = sdk.text_classification("Good", top_k=2)
    mine = ours.run(TaskRequest(model="m", inputs="Good", parameters={"top_k": 2})).data
    assert mine == [[{"label": theirs.label, "score": theirs.score}]]
    same(service)


def test_an_image_is_asked_for_in_the_same_words(service: Service, ours: LLMProvider) -> None:
    service.says(b"\x89PNG\r\n\x1a\n-", "image/png")
    # The SDK would open the image with a library of its own: only its request is compared.
    wanted = {"width": 64, "height": 32, "seed": 3, "negative_prompt": "red"}
    payload = HFInferenceTask("text-to-image")._prepare_payload_as_dict("A hen", wanted, None)  # type: ignore[arg-type]  # the model's place does not matter
    asked = ImageRequest(model="m", prompt="A hen", size="64x32", seed=3, negative_prompt="red")
    assert ours.run(asked).images[0].data == service.answer[1]
    assert service.seen[0]["body"] == payload


@pytest.mark.parametrize("stream", [False, True])
def test_chats(service: Service, sdk: Any, ours: LLMProvider, stream: bool) -> None:
    if stream:
        service.says(events().encode(), "text/event-stream")
    else:
        service.says(CHAT)
    said = {"temperature": 0.5, "max_tokens": 9, "stop": ["."], "seed": 7, "top_p": 0.5}
    hi = [{"role": "user", "content": "Hi"}]
    theirs = sdk.chat_completion(hi, model=service.url, stream=stream, **said)
    perform: Any = ours.stream_execute if stream else ours.execute
    answer = perform("dummy", hi, said)
    if stream:
        text = "".join(c.choices[0].delta.content or "" for c in theirs if c.choices)
        assert "".join(map(str, answer)) == text
    else:
        assert answer.text == theirs.choices[0].message.content
    theirs_sent, mine_sent = service.seen
    assert mine_sent["path"] == theirs_sent["path"] == "/v1/chat/completions"
    assert mine_sent["key"] == theirs_sent["key"] == f"Bearer {KEY}"
    assert same_meaning(mine_sent["body"]) == same_meaning(theirs_sent["body"])
