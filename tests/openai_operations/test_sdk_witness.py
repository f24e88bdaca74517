"""OpenAI's official SDK as a witness: for the same operation, it and we send requests of one meaning."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from attrs import frozen

from jackfield import (
    ChatRequest,
    LLMProvider,
    MediaPart,
    Message,
    Tool,
    ToolCall,
    ToolResult,
    create_provider,
)
from jackfield.operations import BatchCancelRequest
from openai_operations.forms import form_fields, form_files
from openai_operations.test_response_requests import meaning
from openai_operations.witness import PIXEL, Seen, Witness, witness

KEY = "made-up-key-1234"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = Tool("get_weather", "The weather", SCHEMA)
WAV = b"RIFF\0\0\0\0WAVE"
CALL = {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"}
CHAT = ChatRequest(model="m", messages=[Message("user", "Hi")])


@pytest.fixture(scope="module")
def notes() -> Iterator[Witness]:
    with witness() as running:
        yield running


@frozen
class Same:
    """One call, as a user of the SDK makes it and as a user of ours does."""

    sdk: Callable[[Any], Any]
    ours: Callable[[LLMProvider], Any]


CALLS: dict[str, Same] = {
    "a response": Same(
        lambda c: c.responses.create(
            model="m",
            input=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
            max_output_tokens=99,
            temperature=0.5,
            reasoning={"effort": "low"},
        ),
        lambda p: p.execute(
            "m", "Hi", {"max_tokens": 99, "temp": 0.5, "effort": "low"}, system="Be kind."
        ),
    ),
    "a response with tools": Same(
        lambda c: c.responses.create(
            model="m",
            input=[
                {"role": "user", "content": "Rain?"},
                CALL,
                {"type": "function_call_output", "call_id": "c1", "output": "Rain"},
            ],
            tools=[
                {
                    "type": "function",
                    "name": "get_weather",
                    "description": "The weather",
                    "parameters": SCHEMA,
                    "strict": False,
                }
            ],
            tool_choice="required",
        ),
        lambda p: p.execute(
            "m",
            [
                Message("user", "Rain?"),
                Message("assistant", ToolCall("c1", "get_weather", "{}")),
                Message("tool", ToolResult("c1", "Rain")),
            ],
            tools=[TOOL],
            tool_choice="required",
        ),
    ),
    "a response in a shape": Same(
        lambda c: c.responses.create(
            model="m",
            input="Hi",
            text={"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA}},
        ),
        lambda p: p.execute("m", "Hi", response_format=SCHEMA),
    ),
    "input tokens": Same(
        lambda c: c.responses.input_tokens.count(model="m", input="Hi"),
        lambda p: p.count_tokens("m", "Hi"),
    ),
    "a completion": Same(
        lambda c: c.completions.create(model="m", prompt="Once", max_tokens=9, suffix="end"),
        lambda p: p.complete("m", "Once", {"max_tokens": 9}, suffix="end"),
    ),
    "an image": Same(
        lambda c: c.images.generate(
            model="m", prompt="A hen", n=2, size="1024x1024", quality="low", output_format="webp"
        ),
        lambda p: p.generate_image(
            "m", "A hen", n=2, size="1024x1024", quality="low", output_format="webp"
        ),
    ),
    "an edit": Same(
        lambda c: c.images.edit(
            model="m", prompt="Blue", image=("a.png", PIXEL, "image/png"), size="256x256"
        ),
        lambda p: p.generate_image(
            "m", "Blue", images=[MediaPart("image/png", PIXEL, name="a.png")], size="256x256"
        ),
    ),
    "speech": Same(
        lambda c: c.audio.speech.create(
            model="m",
            input="Hi",
            voice="alloy",
            response_format="opus",
            speed=1.5,
            instructions="Low",
        ),
        lambda p: p.speak(
            "m", "Hi", voice="alloy", output_format="opus", speed=1.5, instructions="Low"
        ),
    ),
    "a transcription": Same(
        lambda c: c.audio.transcriptions.create(
            model="m",
            file=("a.wav", WAV, "audio/wav"),
            language="en",
            prompt="Nila",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        ),
        lambda p: p.transcribe(
            "m",
            MediaPart("audio/wav", WAV, name="a.wav"),
            language="en",
            prompt="Nila",
            timestamps=["word", "segment"],
        ),
    ),
    "a translation": Same(
        lambda c: c.audio.translations.create(model="m", file=("a.wav", WAV, "audio/wav")),
        lambda p: p.transcribe("m", MediaPart("audio/wav", WAV, name="a.wav"), translate=True),
    ),
    "a moderation": Same(
        lambda c: c.moderations.create(model="m", input=["a", "b"]),
        lambda p: p.moderate("m", ["a", "b"]),
    ),
    "a file": Same(
        lambda c: c.files.create(file=("a.txt", b"x", "text/plain"), purpose="user_data"),
        lambda p: p.upload_file(b"x", "a.txt", purpose="user_data"),
    ),
    "what a file is": Same(lambda c: c.files.retrieve("file-1"), lambda p: p.get_file("file-1")),
    "what a file holds": Same(
        lambda c: c.files.content("file-1"), lambda p: p.download_file("file-1")
    ),
    "a file forgotten": Same(lambda c: c.files.delete("file-1"), lambda p: p.delete_file("file-1")),
    "where a batch stands": Same(
        lambda c: c.batches.retrieve("batch_1"), lambda p: p.get_batch("batch_1")
    ),
    "a batch stopped": Same(
        lambda c: c.batches.cancel("batch_1"),
        lambda p: p.run(BatchCancelRequest(job_id="batch_1")),
    ),
    "a fine-tuning": Same(
        lambda c: c.fine_tuning.jobs.create(
            model="m", training_file="file-1", suffix="mine", seed=7
        ),
        lambda p: p.create_fine_tune("m", "file-1", suffix="mine", seed=7),
    ),
    "a fine-tuning stopped": Same(
        lambda c: c.fine_tuning.jobs.cancel("ftjob-1"), lambda p: p.cancel_fine_tune("ftjob-1")
    ),
}


def said(seen: Seen) -> Any:
    """What the body of *seen* says, a form in its fields and files."""
    if not seen.body:
        return None
    if "multipart" in seen.headers["content-type"]:
        fields = sorted(form_fields(seen.form).items())
        return fields, form_files(seen.form), seen.form.count("timestamp_granularities[]")
    body = json.loads(seen.body)
    return meaning(body) if "input" in body and seen.path.startswith("/v1/responses") else body


@pytest.mark.filterwarnings("ignore:deprecated")  # the SDK's word about translations
@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_and_we_send_the_same(notes: Witness, name: str) -> None:
    same = CALLS[name]
    notes.seen.clear()
    with openai.OpenAI(base_url=notes.url, api_key=KEY, max_retries=0) as client:
        same.sdk(client)
    config = {"base_url": notes.url, "api_key": KEY, "api": "responses"}
    same.ours(create_provider("openai", config))
    theirs, ours = notes.seen
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    assert said(ours) == said(theirs)


def test_a_batch_goes_up_and_is_made_as_the_sdk_does_it(notes: Witness) -> None:
    notes.seen.clear()
    with openai.OpenAI(base_url=notes.url, api_key=KEY, max_retries=0) as client:
        up = client.files.create(file=("batch.jsonl", b"{}", "application/jsonl"), purpose="batch")
        client.batches.create(
            input_file_id=up.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
    config = {"base_url": notes.url, "api_key": KEY}
    create_provider("openai", config).create_batch([CHAT])
    sdk, ours = notes.seen[:2], notes.seen[2:]
    assert [(s.method, s.path) for s in ours] == [(s.method, s.path) for s in sdk]
    assert form_fields(ours[0].form) == form_fields(sdk[0].form)
    assert form_files(ours[0].form) == form_files(sdk[0].form)
    assert json.loads(ours[1].body) == json.loads(sdk[1].body)
