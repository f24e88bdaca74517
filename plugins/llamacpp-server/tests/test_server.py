"""A llama.cpp server's own ways: its names for sampling, tokens, counts, models, properties, slots."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    ModelInfoRequest,
    NotFoundError,
    OverloadedError,
    ReasoningPart,
    TextPart,
    Tool,
    UnsupportedOperationError,
    create_provider,
)
from jackfield.drivers.replay import Recorded, ReplayDriver
from jackfield.operations import CompletionRequest, LoadRequest, UnloadRequest
from jackfield.params import GenerationParams
from jackfield.testing import strategies as jf
from jackfield_llamacpp_server import (
    LlamaServerProvider,
    PropsRequest,
    SlotRequest,
    SlotsRequest,
    TemplateRequest,
)

settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("deep", parent=settings.get_profile("suite"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

ORIGIN = "http://localhost:8080"
NO_SUCH = Recorded(
    status=404,
    chunks=[b'{"error":{"message":"File Not Found","type":"not_found_error","code":404}}'],
)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLAMA_API_KEY", raising=False)


def wire(body: Any, status: int = 200) -> Recorded:
    return Recorded(status=status, chunks=[json.dumps(body).encode()])


def answered(
    answers: Any, verb: str, *arguments: Any, base: str = "", **fields: Any
) -> tuple[Any, list[tuple[str, Any]]]:
    """What *verb* makes of *answers*, and what was sent: path or address, and body."""
    recorded = answers if isinstance(answers, list) else [answers]
    driver = ReplayDriver([a if isinstance(a, Recorded) else wire(a) for a in recorded])
    config = {"retry": {"attempts": 1}, **({"base_url": base} if base else {})}
    provider = create_provider("llama-server", config, driver=driver)
    answer = getattr(provider, verb)(*arguments, **fields)
    sent = [
        (r.url.removeprefix(ORIGIN), json.loads(r.body) if r.body else None)
        for r in driver.transport.requests
    ]
    return answer, sent


@given(params=jf.params())
def test_its_sampling_is_reached_by_the_common_names(params: GenerationParams) -> None:
    asked = ChatRequest(model="m", messages=[Message("user", "Hi")], params=params)
    said = LlamaServerProvider().explain(asked)
    for name in ("top_k", "min_p", "repeat_penalty"):
        assert said.body.get(name) == getattr(params, name)
    unsupported = [w.subject for w in said.warnings if w.kind == "unsupported"]
    assert unsupported == (["context_length"] if params.context_length is not None else [])


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("", "/tokenize"),
        ("https://gpu.example.com/v1/", "https://gpu.example.com/tokenize"),
        ("https://example.com/llama/v1", "https://example.com/llama/tokenize"),
    ],
)
def test_its_own_endpoints_stand_beside_the_dialect(base: str, address: str) -> None:
    _, [(url, _)] = answered({"tokens": []}, "tokenize", "m", "", base=base)
    assert url == address


@given(text=st.text(min_size=1, max_size=9))
def test_tokens_have_their_texts_and_those_that_are_none_their_bytes(text: str) -> None:
    encoded = text.encode("utf-8", "replace")
    pieces: list[Any] = [[byte] if byte > 127 else chr(byte) for byte in encoded]
    told = [{"id": at, "piece": piece} for at, piece in enumerate(pieces)]
    answer, [(_, body)] = answered({"tokens": told}, "tokenize", "m", text)
    assert body == {"model": "m", "content": text, "with_pieces": True}
    assert answer.ids == tuple(range(len(pieces)))
    assert [t for t in answer.texts if t != "\ufffd"] == [p for p in pieces if isinstance(p, str)]
    whole = answer.provider_metadata.get("llamacpp-server", {}).get("pieces", list(answer.texts))
    assert b"".join(p.encode() if isinstance(p, str) else bytes(p) for p in whole) == encoded


def test_an_older_server_tells_numbers_alone() -> None:
    answer, _ = answered({"tokens": [5, 6]}, "tokenize", "m", "x")
    assert (answer.ids, answer.texts) == ((5, 6), ())


def test_tokens_become_a_text_again() -> None:
    answer, [sent] = answered({"content": "Nila"}, "detokenize", "m", [5, 6])
    assert (answer, sent) == ("Nila", ("/detokenize", {"model": "m", "tokens": [5, 6]}))


TOOL = Tool("look", "Look.", {"type": "object"})


def test_a_conversation_is_shown_as_the_model_sees_it() -> None:
    request = TemplateRequest(model="m", messages=[Message("user", "Hi")], tools=[TOOL])
    answer, [(url, body)] = answered({"prompt": "<user>Hi"}, "run", request)
    assert (answer, url) == ("<user>Hi", "/apply-template")
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert body["tools"][0]["function"]["name"] == "look"


def test_a_count_is_the_servers_own() -> None:
    told = {"input_tokens": 9, "object": "response.input_tokens"}
    own = {"llamacpp-server": {"chat_template_kwargs": {"enable_thinking": False}}}
    answer, [(url, body)] = answered(
        told, "count_tokens", "m", "Hi", tools=[TOOL], provider_options=own
    )
    assert (answer.input_tokens, answer.estimated, answer.warnings) == (9, False, ())
    assert url == "/v1/chat/completions/input_tokens"
    assert body["tools"]
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_an_older_server_counts_by_its_template() -> None:
    answers = [NO_SUCH, {"prompt": "<user>Hi"}, {"tokens": [1, 2, 3]}]
    own = {"llamacpp-server": {"chat_template_kwargs": {"a": 1}}}
    answer, sent = answered(answers, "count_tokens", "m", "Hi", provider_options=own)
    assert (answer.input_tokens, answer.estimated, answer.warnings) == (3, False, ())
    assert [url for url, _ in sent[1:]] == ["/apply-template", "/tokenize"]
    assert sent[1][1]["chat_template_kwargs"] == {"a": 1}
    assert sent[2][1] == {"model": "m", "content": "<user>Hi", "add_special": True}


def test_what_an_older_server_cannot_count_is_told() -> None:
    seen = Message("user", [TextPart("What is this?"), MediaPart("image/png", b"x")])
    answers = [NO_SUCH, {"prompt": "<user>"}, {"tokens": [1]}]
    answer, _ = answered(answers, "count_tokens", "m", [seen])
    assert [(w.kind, w.subject) for w in answer.warnings] == [("dropped", "image/png")]


LISTED = {
    "object": "list",
    "data": [
        {
            "id": "a.gguf",
            "aliases": ["a"],
            "architecture": {"input_modalities": ["text", "image"]},
            "meta": {"n_ctx": 4096, "n_ctx_train": 40960, "size": 7},
        },
        {"id": "b", "meta": None},
    ],
}


@pytest.mark.parametrize("name", ["a", "a.gguf"])
def test_a_model_is_looked_up_in_the_list(name: str) -> None:
    model, [(url, _)] = answered(LISTED, "run", ModelInfoRequest(model=name))
    assert url == "/v1/models"
    assert (model.id, model.context_window, model.size_bytes) == ("a.gguf", 4096, 7)
    assert (model.capabilities.vision, model.capabilities.audio_input) == (True, False)


def test_a_model_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(NotFoundError, match=r"it has a\.gguf, b"):
        answered(LISTED, "run", ModelInfoRequest(model="c"))


def test_models_are_loaded_and_unloaded() -> None:
    for request, url in (
        (LoadRequest(model="m"), "/models/load"),
        (UnloadRequest(model="m"), "/models/unload"),
    ):
        assert answered({"success": True}, "run", request) == (None, [(url, {"model": "m"})])
    asked = LoadRequest(model="m", context_length=9)
    with pytest.raises(InvalidRequestError, match="context_length"):
        LlamaServerProvider().explain(asked)


def test_a_suffix_is_left_out_aloud() -> None:
    plan = LlamaServerProvider().explain(CompletionRequest(model="m", prompt="a", suffix="b"))
    assert plan.body == {"model": "m", "prompt": "a"}
    assert [w.subject for w in plan.warnings] == ["suffix"]


PROPS = {
    "default_generation_settings": {"n_ctx": 1024},
    "total_slots": 4,
    "model_path": "m.gguf",
    "chat_template": "{{ x }}",
    "modalities": {"vision": False, "audio": True},
    "build_info": "b1",
}


def test_properties_are_typed_and_kept_whole() -> None:
    props, [(url, _)] = answered(PROPS, "run", PropsRequest(model="m"))
    assert url == "/props?model=m"
    assert (props.model_path, props.context_window, props.slots) == ("m.gguf", 1024, 4)
    assert (props.vision, props.audio_input, props.build) == (False, True, "b1")
    assert props.raw == PROPS


@given(told=st.dictionaries(st.sampled_from(sorted(PROPS)), st.none()))
def test_what_a_server_does_not_tell_is_not_known(told: dict[str, None]) -> None:
    props, _ = answered(told, "run", PropsRequest())
    assert (props.context_window, props.slots, props.vision, props.raw) == (None, None, None, told)


def test_slots_say_whether_they_work() -> None:
    told = [{"id": 0, "n_ctx": 9, "is_processing": True}, {"id": 1, "is_processing": False}]
    slots, [(url, _)] = answered([wire(told)], "run", SlotsRequest())
    assert url == "/slots"
    assert [(s.id, s.busy, s.context_window) for s in slots] == [(0, True, 9), (1, False, None)]


def test_a_slot_is_saved_and_erased() -> None:
    save = SlotRequest(slot=2, action="save", filename="a.bin")
    answer, [sent] = answered({"id_slot": 2, "n_saved": 7}, "run", save)
    assert (answer["n_saved"], sent) == (7, ("/slots/2?action=save", {"filename": "a.bin"}))
    _, [sent] = answered({"n_erased": 7}, "run", SlotRequest(slot=0, action="erase"))
    assert sent == ("/slots/0?action=erase", {})
    with pytest.raises(InvalidRequestError, match="name of a file"):
        answered({}, "run", SlotRequest(slot=0, action="restore"))


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (501, "not_supported_error", UnsupportedOperationError),
        (503, "unavailable_error", OverloadedError),
    ],
)
def test_its_errors_have_their_classes(status: int, kind: str, error: type[Exception]) -> None:
    body = {"error": {"code": status, "message": "No.", "type": kind}}
    with pytest.raises(error, match="No"):
        answered(wire(body, status), "run", PropsRequest())


def test_thinking_is_taken_back() -> None:
    body = {"choices": [{"message": {"content": "4", "reasoning_content": "2 + 2"}}]}
    answer, _ = answered(body, "execute", "m", "2 + 2?")
    assert answer.message.content == (ReasoningPart("2 + 2"), TextPart("4"))
    said = LlamaServerProvider().explain(ChatRequest(model="m", messages=[answer.message]))
    assert said.body["messages"][0]["reasoning_content"] == "2 + 2"


def test_a_document_is_left_out_aloud() -> None:
    asked = Message("user", [TextPart("Read."), MediaPart("application/pdf", b"%PDF-")])
    said = LlamaServerProvider().explain(ChatRequest(model="m", messages=[asked]))
    assert [(w.kind, w.subject) for w in said.warnings] == [("dropped", "application/pdf")]
