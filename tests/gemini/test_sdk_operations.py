"""The official SDK as a witness of the operations beside chat: it and we ask for the same, and read the same."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types

from gemini.meaning import camel
from gemini.witness import Seen, Witness, witness
from jackfield import (
    EmbeddingRequest,
    LLMProvider,
    ModelInfoRequest,
    RateLimitError,
    create_provider,
)

KEY, MODEL = "made-up-key", "gemini-2.5-flash"
NAMED = {"display_name": "jackfield"}
HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "metadata": {"key": "request-0"}}
ABOUT = {"task_type": "RETRIEVAL_QUERY", "output_dimensionality": 128}
KORE = {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}}


@pytest.fixture(scope="module")
def server() -> Iterator[Witness]:
    with witness() as running:
        yield running


@pytest.fixture(scope="module")
def sdk(server: Witness) -> Any:
    options = types.HttpOptions(base_url=server.url, api_version="v1beta")
    return genai.Client(api_key=KEY, http_options=options)


@pytest.fixture(scope="module")
def ours(server: Witness) -> Iterator[LLMProvider]:
    with create_provider("gemini", {"api_key": KEY, "base_url": server.url}) as provider:
        yield provider


def essence(seen: Seen) -> dict[str, Any]:
    """What of a request matters to the service: no roles of texts to embed, nothing said twice."""
    announced = "upload_id=" in seen.path  # the SDK says all of it once more
    told = ("x-goog-upload-offset", "x-goog-upload-command") if announced else ("x-goog-upload-",)
    uploads = {k: v for k, v in seen.headers.items() if k.startswith(told)}
    body = camel(seen.body)
    if isinstance(body, dict) and "file" in body:
        # How large a file is and of which kind stands in headers, too.
        body["file"] = {k: v for k, v in body["file"].items() if k == "displayName"}
    return {
        "method": seen.method,
        "path": seen.path,
        # The address of an upload is a key of its own: the SDK sends no other there.
        "key": announced or seen.headers.get("x-goog-api-key"),
        "uploads": uploads,
        "body": plain(body),
    }


def plain(value: Any) -> Any:
    """*value* without the roles of contents: each is the user's here."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in camel(value).items() if (k, v) != ("role", "user")}
    return value


Ask = Callable[[Any], Any]
PAIRS: dict[str, tuple[Ask, Ask]] = {
    "the models": (
        lambda sdk: [
            (m.name, m.input_token_limit) for m in sdk.models.list(config={"page_size": 1000})
        ],
        lambda ours: [(f"models/{m.id}", m.context_window) for m in ours.list_models()],
    ),
    "one model": (
        lambda sdk: sdk.models.get(model=MODEL).output_token_limit,
        lambda ours: ours.run(ModelInfoRequest(model=MODEL)).max_output_tokens,
    ),
    "vectors": (
        lambda sdk: [
            tuple(e.values)
            for e in sdk.models.embed_content(
                model="gemini-embedding-001", contents=["one", "two"], config=ABOUT
            ).embeddings
        ],
        lambda ours: list(
            ours.embed(
                "gemini-embedding-001", ["one", "two"], input_type="query", dimensions=128
            ).vectors
        ),
    ),
    "a count": (
        lambda sdk: sdk.models.count_tokens(model=MODEL, contents="Hi").total_tokens,
        lambda ours: ours.count_tokens(MODEL, "Hi").input_tokens,
    ),
    "a file goes up": (
        lambda sdk: (
            sdk.files.upload(
                file=io.BytesIO(b"Hello"),
                config={"mime_type": "text/plain", "display_name": "a.txt"},
            ).uri
        ),
        lambda ours: ours.upload_file(b"Hello", "a.txt").uri,
    ),
    "the files": (
        lambda sdk: [f.create_time for f in sdk.files.list(config={"page_size": 100})],
        lambda ours: [f.created_at for f in ours.list_files()],
    ),
    "one file": (
        lambda sdk: sdk.files.get(name="files/abc").size_bytes,
        lambda ours: ours.get_file("files/abc").size_bytes,
    ),
    "a file's bytes": (
        lambda sdk: sdk.files.download(file="files/abc"),
        lambda ours: ours.download_file("files/abc"),
    ),
    "a file goes": (
        lambda sdk: sdk.files.delete(name="files/abc") and None,
        lambda ours: ours.delete_file("files/abc"),
    ),
    "a batch": (
        lambda sdk: sdk.batches.create(model=MODEL, src=[HI], config=NAMED).name,
        lambda ours: ours.create_batch([ours.chat_request(MODEL, "Hi")]).id,
    ),
    "the batches": (
        lambda sdk: [b.name for b in sdk.batches.list(config={"page_size": 100})],
        lambda ours: [b.id for b in ours.list_batches()],
    ),
    "one batch": (
        lambda sdk: sdk.batches.get(name="batches/abc").end_time,
        lambda ours: ours.get_batch("batches/abc").ended_at,
    ),
    "a batch goes": (
        lambda sdk: sdk.batches.delete(name="batches/abc") and None,
        lambda ours: ours.delete_batch("batches/abc"),
    ),
    "speech": (
        lambda sdk: (
            part(
                sdk, "Hello", {"response_modalities": ["AUDIO"], "speech_config": KORE}
            ).inline_data.data
        ),
        lambda ours: ours.speak(MODEL, "Hello", voice="Kore").audio.data,
    ),
    "a picture": (
        lambda sdk: (
            part(
                sdk,
                "A pelican",
                {"response_modalities": ["IMAGE"], "image_config": {"aspect_ratio": "16:9"}},
            ).inline_data.data
        ),
        lambda ours: ours.generate_image(MODEL, "A pelican", size="1920x1080").images[0].data,
    ),
}


def part(sdk: Any, prompt: str, config: dict[str, Any]) -> Any:
    """The part that a model answers with."""
    told = sdk.models.generate_content(model=MODEL, contents=prompt, config=config)
    return told.candidates[0].content.parts[0]


@pytest.mark.parametrize("name", PAIRS)
def test_the_sdk_and_we_ask_and_read_the_same(
    name: str, server: Witness, sdk: Any, ours: LLMProvider
) -> None:
    server.take()
    theirs, mine = PAIRS[name]
    read = theirs(sdk)
    asked = [essence(seen) for seen in server.take()]
    assert mine(ours) == read
    assert [essence(seen) for seen in server.take()] == asked


def test_a_batch_is_stopped_alike_and_we_ask_where_it_stands(
    server: Witness, sdk: Any, ours: LLMProvider
) -> None:
    server.take()
    sdk.batches.cancel(name="batches/abc")
    (theirs,) = server.take()
    assert ours.cancel_batch("batches/abc").id == "batches/abc"
    stop, ask = server.take()
    assert essence(stop) == essence(theirs)
    assert (ask.method, ask.path) == ("GET", "/v1beta/batches/abc")


def test_the_results_of_a_batch_are_read_alike(sdk: Any, ours: LLMProvider) -> None:
    first, second = ours.batch_results("batches/abc")
    told, failed = sdk.batches.get(name="batches/abc").dest.inlined_responses
    assert first.response.text == told.response.text
    assert first.response.usage.total_tokens == told.response.usage_metadata.total_token_count
    assert (first.custom_id, second.custom_id) == (told.metadata["key"], failed.metadata["key"])
    assert second.error is not None
    assert second.error.message == failed.error.message
    assert isinstance(second.error, RateLimitError)  # 8 is RESOURCE_EXHAUSTED


@pytest.mark.filterwarnings("ignore:.*experimental")
def test_texts_of_a_batch_are_handed_in_alike(server: Witness, sdk: Any, ours: LLMProvider) -> None:
    """The SDK gives texts of a batch no name, and leaves the model to the address."""
    server.take()
    source = {"inlined_requests": {"contents": ["one", "two"], "config": ABOUT}}
    sdk.batches.create_embeddings(model=MODEL, src=source, config=NAMED)
    (theirs,) = server.take()
    about: dict[str, Any] = {"input_type": "query", "dimensions": 128}
    ours.create_batch([EmbeddingRequest(model=MODEL, inputs=t, **about) for t in ("one", "two")])
    (seen,) = server.take()
    for at, item in enumerate(seen.body["batch"]["inputConfig"]["requests"]["requests"]):
        assert item.pop("metadata") == {"key": f"request-{at}"}
        assert item["request"].pop("model") == f"models/{MODEL}"
    assert essence(seen) == essence(theirs)


@pytest.mark.parametrize("name", PAIRS)
def test_the_key_is_in_a_header_and_nowhere_else(
    name: str, server: Witness, ours: LLMProvider
) -> None:
    server.take()
    PAIRS[name][1](ours)
    for seen in server.take():
        assert seen.headers["x-goog-api-key"] == KEY
        others = {k: v for k, v in seen.headers.items() if k != "x-goog-api-key"}
        assert KEY not in f"{seen.path} {others} {seen.body}"
