"""Recordings: a tape makes them, the loader reads them, and what is wrong with one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from core_toy import BACKENDS, KEY, Toy, aio, make, streamed, whole
from hypothesis import given

from jackfield import ChatResponse, ConfigError, ModelInfoRequest, TokenCountRequest
from jackfield.drivers.concurrent import AsyncDriver
from jackfield.drivers.replay import AsyncReplayTransport, Recorded, ReplayTransport
from jackfield.testing import Tape, load_recordings
from jackfield.testing import strategies as jf
from jackfield.testing.conformance.observe import replaying
from jackfield.testing.recordings import parse_call, parse_recording, recordings_of

CONFIG = {"base_url": "https://toy.example/v1", "api_key": KEY}
CALL = {"model": "m", "prompt": "Hi"}


def record(path: Path, *answers: Recorded, stream: bool = False) -> ChatResponse:
    tape = Tape()
    provider = Toy(CONFIG, driver=tape.driver(ReplayTransport(answers)))
    verb = (
        provider.stream_execute("m", "Hi").drain if stream else lambda: provider.execute("m", "Hi")
    )
    response = verb()
    tape.save(path, call=CALL, expect={"text": response.text})
    return response


PLAIN = Recorded(headers={"content-type": "application/json"}, chunks=[whole("Hello")])
STREAM = Recorded(headers={"content-type": "text/event-stream"}, chunks=streamed("Hel", "lo"))


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_tape_saves_replays_to_the_same(tmp_path: Path, stream: bool) -> None:
    first = record(tmp_path / "deep" / "hello.json", STREAM if stream else PLAIN, stream=stream)
    (recording,) = load_recordings(tmp_path)
    assert (recording.name, recording.streamed, recording.model) == ("hello", stream, "m")
    provider = replaying(Toy, CONFIG, recording.responses)
    request = recording.request(provider)
    again = provider.stream(request).drain() if stream else provider.run(request)
    assert again == first


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_tape_records_asynchronous_calls_too(tmp_path: Path, backend: str) -> None:
    tape = Tape()
    transport: Any = AsyncReplayTransport([STREAM])
    provider = Toy(CONFIG, async_driver=tape.async_driver(transport))
    assert isinstance(provider._async_driver, AsyncDriver)

    async def main() -> ChatResponse:
        return await provider.astream_execute("m", "Hi").drain()

    aio(main, backend)
    tape.save(tmp_path / "x.json", call=CALL)
    (recording,) = load_recordings(tmp_path / "x.json")
    assert recording.payload == b"".join(STREAM.chunks)


def test_a_tape_keeps_every_attempt_in_its_order(tmp_path: Path) -> None:
    record(tmp_path / "x.json", Recorded(status=503, headers={"retry-after": "0"}), PLAIN)
    (recording,) = load_recordings(tmp_path)
    assert [r.status for r in recording.responses] == [503, 200]
    assert recording.responses[0].headers == {"retry-after": "0"}


def test_a_tape_keeps_no_key(tmp_path: Path) -> None:
    headers = {"set-cookie": "session=secret", "x-request-id": "r1", "content-type": "text/plain"}
    echo = Recorded(headers=headers, chunks=[whole(f"Your key is {KEY}")])
    record(tmp_path / "x.json", echo)
    text = (tmp_path / "x.json").read_text("utf-8")
    assert KEY not in text
    assert "secret" not in text
    assert "r1" in text
    turn = json.loads(text)["interactions"][0]
    assert turn["request"]["url"] == "https://toy.example/v1/chat/completions"
    assert "headers" not in turn["request"]


FORMS: list[tuple[dict[str, Any], bytes]] = [
    ({"body": {"a": "é"}}, '{"a":"é"}'.encode()),
    ({"body": "plain"}, b"plain"),
    ({"body_text": '{"a": 1}'}, b'{"a": 1}'),
    ({"sse": "data: x\r\n\r\n"}, b"data: x\r\n\r\n"),
    ({"body_base64": "AAEC"}, b"\x00\x01\x02"),
    ({"body": '{"a": 1}\n', "stream": "ndjson"}, b'{"a": 1}\n'),
    ({}, b""),
]


@pytest.mark.parametrize(("answer", "payload"), FORMS)
def test_a_body_is_in_one_of_these_forms(answer: dict[str, Any], payload: bytes) -> None:
    recording = parse_recording("x", {"interactions": [{"response": {"status": 200, **answer}}]})
    assert recording.payload == payload


@given(jf.json_values())
def test_a_json_body_survives(body: Any) -> None:
    recording = parse_recording("x", {"interactions": [{"response": {"body": {"v": body}}}]})
    assert json.loads(recording.payload) == {"v": body}


@pytest.mark.parametrize(
    ("answer", "verb"),
    [
        ({"body": {}}, "execute"),
        ({"sse": ""}, "stream_execute"),
        ({"body": "", "stream": "ndjson"}, "stream_execute"),
    ],
)
def test_without_a_verb_the_response_tells_it(answer: dict[str, Any], verb: str) -> None:
    assert parse_recording("x", {"interactions": [{"response": answer}]}).verb == verb


def test_other_verbs_make_other_requests() -> None:
    provider = make()

    def request(**call: Any) -> Any:
        return parse_recording("x", {"call": call, "interactions": [{"response": {}}]}).request(
            provider
        )

    assert type(request(verb="list_models")).__name__ == "ModelListRequest"
    assert request(verb="embed", model="m", prompt=["a"]).inputs == ("a",)
    assert isinstance(request(verb="count_tokens", model="m", prompt="a"), TokenCountRequest)
    assert request(verb="execute", options={"system": "Be kind."}).messages[0].text == "Be kind."


BROKEN: list[tuple[str, str]] = [
    ("", "is no recording"),
    ("{", "is no recording"),
    ("[]", "is no recording"),
    ("{}", "lacks 'interactions'"),
    ('{"interactions": []}', "interactions is empty"),
    ('{"interactions": [{}]}', "lacks 'response'"),
    ('{"interactions": [{"response": {}}], "call": {"verb": "sing"}}', "not one of execute"),
    ('{"interactions": [{"response": {}}], "call": {"modle": "m"}}', "modle"),
    ('{"interactions": [{"response": {"status": "ok"}}]}', "is no recording"),
    ('{"interactions": [{"response": {"body_base64": "%"}}]}', "is no recording"),
]


TURN: dict[str, Any] = {"interactions": [{"response": {}}]}
STRANGE: list[tuple[dict[str, Any], str]] = [
    ({**TURN, "call": {"params": {}}}, "call.params: no such field (did you mean parameters?"),
    ({**TURN, "call": {"modle": "m"}}, "there are verb, model, prompt, parameters, options)"),
    ({**TURN, "call": {"verb": "embed", "inputs": ["a"]}}, 'put it into call.options: {"inputs": …}'),
    ({**TURN, "call": {"verb": "rerank", "top": 2}}, "what a verb takes is in call.options"),
    ({**TURN, "call": {"verb": "run", "request": {}}}, 'call.options: {"request": …}'),
    ({**TURN, "call": {"expect": {}}}, "call.expect: no such field (it belongs into the top;"),
    ({**TURN, "prompt": "Hi"}, "prompt: no such field (it belongs into call;"),
    ({"interactions": [{"body": {}}]}, "interactions.body: no such field (it belongs into request or response;"),
    ({**TURN, "expects": {}}, "expects: no such field (did you mean expect?"),
    ({"interactions": [{"respnse": {}}]}, "interactions.respnse: no such field (did you mean response?"),
    ({"interactions": [{"response": {"boddy": {}}}]}, "response.boddy: no such field (did you mean body?"),
    ({"interactions": [{"response": {}, "request": {"uri": ""}}]}, "there are method, url, body"),
    ({**TURN, "call": {"verb": "run"}}, "call.options.request: is missing"),
    (
        {**TURN, "call": {"verb": "run", "options": {"request": {"model": "m"}}}},
        'does not say which request it is (a typed request is its class and its fields: {"$": "jackfield',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("document", "said"), STRANGE)
def test_a_strange_or_misplaced_field_is_told_with_its_place(
    tmp_path: Path, document: dict[str, Any], said: str
) -> None:
    (tmp_path / "strange.json").write_text(json.dumps(document))
    with pytest.raises(ConfigError) as caught:
        load_recordings(tmp_path)
    assert "strange.json: " in str(caught.value)
    assert said in str(caught.value)


def test_a_typed_request_is_written_as_its_class_and_its_fields() -> None:
    written = {"$": "jackfield.requests:ModelInfoRequest", "model": "m"}
    call = parse_call("x", {"verb": "run", "options": {"request": written}})
    assert call.request(make()) == ModelInfoRequest(model="m")
    part = {"$": "jackfield.types:TextPart", "text": "Hi"}
    other = parse_call("x", {"verb": "run", "options": {"request": part}})
    with pytest.raises(ConfigError, match=r"call\.options\.request is a TextPart, no request"):
        other.request(make())


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_a_broken_file_is_told_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_recordings(tmp_path)
    assert "broken.json" in str(caught.value)
    assert said in str(caught.value)


def test_every_broken_file_is_told_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text("{")
    with pytest.raises(ConfigError) as caught:
        load_recordings(tmp_path)
    assert len(caught.value.issues) == 2


def test_a_folder_without_recordings_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no \.json file"):
        load_recordings(tmp_path)
    with pytest.raises(ConfigError, match=r"nothing\.json"):
        load_recordings(tmp_path / "nothing.json")


def test_recordings_are_named_by_paths_or_given(tmp_path: Path) -> None:
    record(tmp_path / "a.json", PLAIN)
    record(tmp_path / "b.json", STREAM, stream=True)
    first, second = load_recordings(tmp_path)
    assert [r.name for r in recordings_of(tmp_path)] == ["a", "b"]
    assert [str(r) for r in recordings_of([tmp_path / "a.json", second])] == ["a", "b"]
    assert list(recordings_of(())) == []
    assert first.cut([b"x", b"y"]).payload == b"xy"
