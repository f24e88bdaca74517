"""The Hugging Face provider keeps the contract that every provider keeps."""

from __future__ import annotations

from typing import ClassVar

from jackfield import ModelInfoRequest
from jackfield.testing import ProviderConformance
from jackfield_dialect_openai import testing as t
from jackfield_huggingface import HuggingFaceProvider, TaskRequest

COMPLETE = {"verb": "complete", "prompt": "Once upon"}

TASKS = [
    t.recording(
        "generated",
        {"body": [{"generated_text": " a time"}], "headers": {"x-generated-tokens": "2"}},
        COMPLETE,
        text=" a time",
        **{"usage.output_tokens": 2},
    ),
    t.recording("vectors", {"body": [[0.5, -0.25]]}, {"verb": "embed", "prompt": "Hi"},
                **{"vectors.0.1": -0.25}),
    t.recording(
        "similar", {"body": [0.125, 0.75]},
        {"verb": "rerank", "prompt": "Who?", "options": {"documents": ["Nobody", "Nila"]}},
        **{"results.0.document": "Nila", "results.1.score": 0.125},
    ),
    t.recording(
        "an-image", {"headers": {"content-type": "image/png"}, "body_base64": t.PIXEL["base64"]},
        {"verb": "generate_image", "prompt": "A pixel"}, **{"images.0.media_type": "image/png"},
    ),
    t.recording(
        "spoken", {"headers": {"content-type": "audio/flac"}, "body_base64": "ZkxhQw=="},
        {"verb": "speak", "prompt": "Hello"}, **{"audio.media_type": "audio/flac"},
    ),
    t.recording(
        "heard", {"body": {"text": "Hello", "chunks": [{"text": "Hello", "timestamp": [0.5, 2]}]}},
        {"verb": "transcribe", "options": {"audio": t.SOUND, "timestamps": "segment"}},
        text="Hello", **{"segments.0.end": 2.0},
    ),
    t.recording(
        "drawn-over", {"headers": {"content-type": "image/png"}, "body_base64": t.PIXEL["base64"]},
        {"verb": "run", "options": {"request": TaskRequest(model="a-model", inputs="Pelicans!")}},
    ),
    t.recording(
        "on-the-hub", {"body": {"id": "org/m", "pipeline_tag": "feature-extraction"}},
        {"verb": "run", "options": {"request": ModelInfoRequest(model="org/m")}}, id="org/m",
    ),
    t.recording(
        "loading", {"status": 503, "body": {"error": "Model m is currently loading",
                                            "estimated_time": 20.0}},
        error="OverloadedError", retry_after=20.0,
    ),
    t.recording(
        "refused", {"status": 422, "body": {"error": "Input validation error", "error_type": "validation"}},
        COMPLETE, error="InvalidRequestError", code="validation",
    ),
]  # fmt: skip


class TestHuggingFace(ProviderConformance):
    provider = HuggingFaceProvider
    config: ClassVar = {"api_key": "made-up-key-1234"}
    recordings: ClassVar = [*t.CHAT, *t.ERRORS, *t.MODELS, *TASKS]


OWN = [
    t.recording(
        "tokens", {"body": [{"id": 7, "text": "Ni", "special": False, "start": 0, "stop": 2}]},
        {"verb": "tokenize", "prompt": "Ni"}, **{"ids.0": 7, "texts.0": "Ni"},
    ),
    t.recording("a-text-of-tokens", {"body": ["Ni"]}, {"verb": "detokenize", "options": {"ids": [7]}}),
    t.recording(
        "served", {"body": {"model_id": "org/m", "max_input_length": 512, "model_type": {"reranker": {}}}},
        {"verb": "run", "options": {"request": ModelInfoRequest(model="org/m")}}, context_window=512,
    ),
]  # fmt: skip


class TestOwnEndpoint(ProviderConformance):
    provider = HuggingFaceProvider
    config: ClassVar = {"api_key": "made-up-key-1234", "base_url": "https://mine.example"}
    recordings: ClassVar = [*OWN, *TestHuggingFace.recordings[:2]]
    # What the two classes prove together is in the file; the first, with more, writes it.
    test_its_capability_file_is_what_was_proved: ClassVar = None
