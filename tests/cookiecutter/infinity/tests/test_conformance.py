"""Infinity keeps the contract that every provider keeps."""

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield.testing.recordings import parse_recording

from jackfield_infinity import ClassifyRequest, InfinityProvider

CLASSIFIED = parse_recording(
    "classify",
    {
        "call": {
            "verb": "run",
            "options": {"request": ClassifyRequest(model="a-model", inputs=["I am delighted."])},
        },
        "interactions": [
            {
                "request": {
                    "body": {"model": "a-model", "input": ["I am delighted."], "raw_scores": False}
                },
                "response": {
                    "body": {
                        "object": "classify",
                        "data": [[{"score": 0.1, "label": "fear"}, {"score": 0.9, "label": "joy"}]],
                        "model": "a-model",
                        "usage": {"prompt_tokens": 5, "total_tokens": 5},
                    }
                },
            }
        ],
        "expect": {"labels.0.0.0": "joy", "usage.input_tokens": 5},
    },
)


class TestInfinity(ProviderConformance):
    provider = InfinityProvider
    config: ClassVar = {"api_key": "made-up"}
    recordings: ClassVar = [Path(__file__).with_name("recordings"), CLASSIFIED]
