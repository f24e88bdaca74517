"""What stands in for the service answers as the description says: recordings by hand, the fault server, the witness."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from gemini import witness
from gemini.described import schema, undeclared
from gemini.traffic import answered, of
from jackfield.testing.faults.answers import ANSWERS
from jackfield.testing.faults.dialects import spoken
from support.source import ROOT
from support.specs import needs_specs, response_errors

pytestmark = needs_specs

NAMES = {
    r"POST .*:(generateContent|streamGenerateContent)": "GenerateContentResponse",
    r"POST .*:embedContent": "EmbedContentResponse",
    r"POST .*:batchEmbedContents": "BatchEmbedContentsResponse",
    r"POST .*:countTokens": "CountTokensResponse",
    r"POST .*:batchGenerateContent": "BatchGenerateContentOperation",
    r"GET .*/models": "ListModelsResponse",
    r"GET .*/models/[^/]+": "Model",
    r"GET .*/files": "ListFilesResponse",
    r"GET .*/files/[^/]+": "File",
    r"GET .*/batches": "ListOperationsResponse",
    r"GET .*/batches/[^/]+": "Operation",
}
"""The schema of each answer: of a streamed one, of each event."""

DIFFERENCES = (
    r"\$(\.models\[\d+\])?: 'baseModelId' is a required property",
    r"\$\.metadata: 'inputConfig' is a required property",
    r"\$\.metadata\.@type is not described",
    r".*\.(executableCode|codeExecutionResult)\.id is not described",
    r"\$\.usageMetadata is not described",
)
"""Where the service itself does otherwise than its description: each is met in recorded answers."""


def told(method: str, path: str, answer: Any) -> list[str]:
    """What the description says is wrong with *answer*."""
    asked = f"{method} {path}"
    name = next(name for pattern, name in NAMES.items() if re.fullmatch(pattern, asked))
    described = re.sub("^/v1(alpha|beta)?/", "/v1beta/", path)
    return response_errors("gemini", method, described, answer) + undeclared(schema(name), answer)


def errors(method: str, path: str, answer: Any) -> list[str]:
    """The same without what the service does, too."""
    found = told(method, path, answer)
    return [f for f in found if not any(re.fullmatch(known, f) for known in DIFFERENCES)]


@pytest.mark.wire
@pytest.mark.parametrize("known", DIFFERENCES)
def test_a_difference_is_met_in_what_the_service_really_answered(known: str) -> None:
    turns = [t for t in of("chat", "embed", "models", "batch") if t.status == 200]
    if not turns:
        pytest.skip("nothing is recorded")
    pairs = ((turn, answer) for turn in turns for answer in answered(turn))
    found = (w for t, answer in pairs for w in told(t.request["method"], t.path, answer))
    assert any(re.fullmatch(known, wrong) for wrong in found)


def written() -> Iterator[Any]:
    """Each answer in the recordings that were written by hand: errors are not described."""
    for file in sorted((ROOT / "plugins/gemini/tests/recordings").glob("*.json")):
        for turn in json.loads(file.read_text("utf-8"))["interactions"]:
            response, request = turn["response"], turn["request"]
            lines = response.get("sse", "").splitlines()
            answers = [json.loads(line[5:]) for line in lines if line.startswith("data:")]
            body = response.get("body", [])
            answers += body if isinstance(body, list) else [body]
            if response["status"] == 200:
                path = urlsplit(request["url"]).path
                yield pytest.param(request["method"], path, answers, id=file.stem)


@pytest.mark.parametrize(("method", "path", "found"), list(written()))
def test_a_recording_by_hand_is_as_described(method: str, path: str, found: list[Any]) -> None:
    answers = [t for t in found if "error" not in t]
    assert answers
    assert [wrong for answer in answers for wrong in errors(method, path, answer)] == []


CHAT = "/v1beta/models/m:generateContent"


FAULTS = ("odd_finish", "bad_tool")
"""Answers that are no description's: a reason that nobody knows, arguments that are no object."""


@pytest.mark.parametrize("name", [n for n in ANSWERS if n not in FAULTS])
def test_the_fault_servers_chats_are_as_described(name: str) -> None:
    gemini: Any = spoken()["gemini"]
    assert errors("POST", CHAT, gemini.message(ANSWERS[name])) == []
    for event in gemini.events(ANSWERS[name], {}):
        assert errors("POST", CHAT.replace("generate", "streamGenerate"), event.payload) == []


@pytest.mark.parametrize(
    ("method", "path", "name", "asked"),
    [
        ("POST", "/v1beta/models/m:countTokens", "count", {}),
        ("GET", "/v1beta/models", "models", {}),
        ("POST", "/v1beta/models/m:embedContent", "embed", {}),
        ("POST", "/v1beta/models/m:batchEmbedContents", "embed", {"requests": [1, 2]}),
    ],
)
def test_the_fault_servers_operations_are_as_described(
    method: str, path: str, name: str, asked: Any
) -> None:
    gemini: Any = spoken()["gemini"]
    assert errors(method, path, gemini.operation(name, asked)) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1beta/files"),
        ("GET", "/v1beta/files/abc"),
        ("GET", "/v1beta/batches"),
        ("GET", "/v1beta/batches/abc"),
        ("POST", "/v1beta/models/m:batchGenerateContent"),
        ("GET", "/v1beta/models"),
        ("GET", "/v1beta/models/m"),
        ("POST", "/v1beta/models/m:countTokens"),
        ("POST", "/v1beta/models/m:batchEmbedContents"),
        ("POST", CHAT),
    ],
)
def test_the_witness_answers_as_described(method: str, path: str) -> None:
    assert errors(method, path, witness.answer(method, path, {})) == []
