"""Plain text, a model's stay in memory, old servers' vectors, and what refusals mean by their words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    AuthenticationError,
    ContextLengthExceededError,
    FinishReason,
    InvalidRequestError,
    LLMError,
    MediaPart,
    NotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
    StreamInterruptedError,
    fold,
)
from jackfield.drivers.replay import Recorded
from jackfield.operations import CompletionRequest, LoadRequest, UnloadRequest
from jackfield_ollama import OllamaProvider

Replayed = Callable[..., OllamaProvider]
Sent = Callable[[OllamaProvider], list[Any]]
Json = dict[str, Any]
HERE = "http://127.0.0.1:11434"
PIXEL = "iVBORw0KGgo="

END: Json = {
    "model": "m",
    "created_at": "2026-01-02T03:04:05Z",
    "response": "",
    "done": True,
    "done_reason": "stop",
    "context": [1, 2],
    "prompt_eval_count": 3,
    "eval_count": 4,
}


ONCE = CompletionRequest(model="m", prompt="Once")


def line(**fields: Any) -> Json:
    return {"model": "m", "response": "", "done": False, **fields}


# Plain text.


def test_a_prompt_is_sent_as_it_is_with_parameters_and_the_callers_own_fields(
    replayed: Replayed, sent: Sent
) -> None:
    provider = replayed({**END, "response": ": pass"}, keep_alive="30m")
    own = {"ollama": {"raw": True, "options": {"num_gpu": 0}}}
    answer = provider.complete(
        "m", "def f()", {"temperature": 0}, suffix="f()", provider_options=own
    )
    assert answer.text == ": pass"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 4)
    assert answer.finish_reason is FinishReason.STOP
    assert answer.provider_metadata["ollama"]["context"] == [1, 2]
    body = {"model": "m", "prompt": "def f()", "suffix": "f()", "stream": False}
    body |= {"options": {"temperature": 0, "num_gpu": 0}, "raw": True, "keep_alive": "30m"}
    assert sent(provider) == [("POST", f"{HERE}/api/generate", body)]


@given(st.lists(st.tuples(st.text(), st.text())))
def test_streamed_text_folds_to_what_its_lines_say(
    replayed: Replayed, told: list[tuple[str, str]]
) -> None:
    lines = [*(line(response=text, thinking=thought) for text, thought in told), END]
    stream = replayed(lines).stream(ONCE)
    events = list(stream)
    assert fold(events) == stream.response
    assert stream.response.text == "".join(text for text, _ in told)
    assert stream.response.reasoning == "".join(thought for _, thought in told)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_plain_text_comes_on_an_event_loop(replayed: Replayed, backend: str) -> None:
    async def both() -> tuple[str, str]:
        whole = await replayed({**END, "response": "upon"}).acomplete("m", "Once")
        streamed = await replayed([line(response="upon"), END]).astream(ONCE).drain()
        return whole.text, streamed.text

    assert anyio.run(both, backend=backend) == ("upon", "upon")


@given(st.integers(0))
def test_text_that_is_cut_is_an_interruption_with_what_had_come(
    replayed: Replayed, cut: int
) -> None:
    payload = b"".join(json.dumps(x).encode() + b"\n" for x in (line(response="upon"), END))
    ended = Recorded(chunks=[payload[: cut % (len(payload) - 2)]])
    with pytest.raises(StreamInterruptedError) as caught:
        replayed(ended).stream(ONCE).drain()
    assert caught.value.partial_text in ("", "upon")


def test_a_generated_image_is_a_media_part(replayed: Replayed) -> None:
    steps = [line(completed=1, total=9), {**END, "image": PIXEL}]
    (part,) = replayed(steps).stream(ONCE).drain().message.content
    assert isinstance(part, MediaPart)
    assert part.media_type == "image/png"


@pytest.mark.parametrize(
    "answer", [{}, {"done": True}, {**END, "done": False}, {**END, "response": 3}, b"", b"[]"]
)
def test_a_body_that_is_no_whole_text_is_never_one(replayed: Replayed, answer: Any) -> None:
    with pytest.raises(ResponseFormatError):
        replayed(answer).complete("m", "Once")


# Memory.

LOADED = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}


def test_a_model_is_loaded_with_a_context_and_unloaded_whatever_is_configured(
    replayed: Replayed, sent: Sent
) -> None:
    provider = replayed(LOADED, LOADED, keep_alive="30m")
    assert provider.run(LoadRequest(model="m", context_length=4096)) is None
    assert provider.run(UnloadRequest(model="m")) is None
    base = {"model": "m", "messages": [], "stream": False}
    assert [body for _, _, body in sent(provider)] == [
        {**base, "keep_alive": "30m", "options": {"num_ctx": 4096}},
        {**base, "keep_alive": 0},
    ]


def test_a_model_that_is_not_loaded_is_an_error(replayed: Replayed) -> None:
    with pytest.raises(ProviderError, match="no room"):
        replayed({"error": "no room"}).run(LoadRequest(model="m"))


# Old servers.

UNKNOWN = Recorded(status=404, chunks=[b"404 page not found"])


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False))))
def test_an_old_server_is_asked_for_each_vector(
    replayed: Replayed, sent: Sent, vectors: list[list[float]]
) -> None:
    provider = replayed(UNKNOWN, *({"embedding": v} for v in vectors))
    inputs = [str(i) for i in range(len(vectors))]
    assert [list(v) for v in provider.embed("m", inputs).vectors] == vectors
    asked = [("POST", f"{HERE}/api/embeddings", {"model": "m", "prompt": i}) for i in inputs]
    assert sent(provider)[1:] == asked


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_old_servers_vectors_come_on_an_event_loop(replayed: Replayed, backend: str) -> None:
    async def vectors() -> Any:
        return (await replayed(UNKNOWN, {"embedding": [1.0]}).aembed("m", "one")).vectors

    assert anyio.run(vectors, backend=backend) == ((1.0,),)


def test_what_an_old_server_cannot_do_is_told(replayed: Replayed) -> None:
    answer = replayed(UNKNOWN, {"embedding": [1.0, 2.0]}).embed("m", "one", dimensions=2)
    assert [(w.kind, w.subject) for w in answer.warnings] == [("unsupported", "dimensions")]


def test_a_server_without_either_path_is_no_ollama(replayed: Replayed) -> None:
    with pytest.raises(NotFoundError, match="base_url") as caught:
        replayed(UNKNOWN, UNKNOWN).embed("m", "one")
    assert caught.value.param == "base_url"


def test_an_old_servers_no_is_its_own(replayed: Replayed) -> None:
    missing = Recorded(status=404, chunks=[b'{"error": "model \'m\' not found"}'])
    with pytest.raises(NotFoundError, match="jackfield pull ollama/m"):
        replayed(UNKNOWN, missing).embed("m", "one")
    with pytest.raises(ResponseFormatError, match="vectors"):
        replayed(UNKNOWN, {}).embed("m", "one")


# Refusals.


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, "the input length exceeds the context length", ContextLengthExceededError),
        (400, "prompt too long; exceeded max context length by 4 tokens", ContextLengthExceededError),
        (500, "input length exceeds maximum context length", ContextLengthExceededError),
        (429, "you have reached your weekly usage limit", QuotaExceededError),
        (429, "too many concurrent requests", RateLimitError),
        (400, "invalid options: context", InvalidRequestError),
        (500, "unable to load model", ServerError),
    ],
)  # fmt: skip
def test_the_words_of_a_refusal_tell_more_than_its_status(
    replayed: Replayed, status: int, said: str, kind: type[LLMError]
) -> None:
    answer = Recorded(status=status, chunks=[json.dumps({"error": said}).encode()])
    with pytest.raises(kind) as caught:
        replayed(answer).execute("m", "Hi")
    assert type(caught.value) is kind
    assert (caught.value.status, said in caught.value.message) == (status, True)


@pytest.mark.parametrize("status", [503, 429, 200, 99, None, "503", True])
def test_an_error_of_the_cloud_inside_a_stream_keeps_its_status(
    replayed: Replayed, status: Any
) -> None:
    lines = [{"StatusCode": status, "Status": "so", "error": "upstream"}]
    with pytest.raises(ProviderError, match="upstream") as caught:
        replayed(lines).stream_execute("m", "Hi").drain()
    kinds = {503: OverloadedError, 429: RateLimitError}
    known = status if status in kinds else None
    assert (type(caught.value), caught.value.status) == (kinds.get(status, ProviderError), known)


def test_who_is_not_signed_in_is_told_how(replayed: Replayed) -> None:
    told = b'{"error": "unauthorized", "signin_url": "https://ollama.com/connect?name=box"}'
    with pytest.raises(AuthenticationError, match="ollama signin"):
        replayed(Recorded(status=401, chunks=[told])).execute("m-cloud", "Hi")


def test_a_name_that_the_registry_does_not_know_is_not_found(replayed: Replayed) -> None:
    steps = [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]
    with pytest.raises(NotFoundError, match=r"ollama\.com/library"):
        replayed(steps).pull("pelcan").drain()


# Descriptions.


def test_all_that_a_server_tells_of_a_model_is_kept_but_what_is_large(replayed: Replayed) -> None:
    kept = {"details": {"family": "bird"}, "projector_info": {"a": 1}, "parameters": "stop x"}
    large = {"license": "long", "modelfile": "FROM x", "tensors": [{"name": "a"}]}
    assert replayed({**kept, **large}).show("m").provider_metadata == {"ollama": kept}


@pytest.mark.parametrize(
    ("info", "context"),
    [
        ({"general.architecture": "bird", "clip.context_length": 77}, None),
        ({"bird.context_length": 4096}, 4096),
        ({"bird.context_length": 4096, "clip.context_length": 77}, None),
    ],
)
def test_the_context_of_another_part_is_not_the_models(
    replayed: Replayed, info: Json, context: int | None
) -> None:
    assert replayed({"model_info": info}).show("m").context_window == context


@pytest.mark.parametrize("answer", [{}, {"status": "ok"}, [], {"details": 3}])
def test_an_answer_that_describes_nothing_is_an_error(replayed: Replayed, answer: Any) -> None:
    with pytest.raises(ResponseFormatError):
        replayed(json.dumps(answer).encode()).show("m")


@pytest.mark.parametrize("took", [1.5e9, "1s", None, 7])
def test_facts_that_nobody_computes_with_lose_no_answer(replayed: Replayed, took: Any) -> None:
    message = {"role": "assistant", "content": "Hello."}
    odd = {"created_at": 1712345678, "total_duration": took, "error": ""}
    answer = {"model": "m", "message": message, "done": True, "done_reason": "stop", **odd}
    assert replayed(answer).execute("m", "Hi").text == "Hello."
