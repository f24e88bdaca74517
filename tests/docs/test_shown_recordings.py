"""Every recording that a page shows is one: it is read, its request is the one that it tells, its answer what it expects."""

import json
from typing import Any

import pytest

from jackfield.testing.conformance.expect import check_expectations, check_request
from jackfield.testing.conformance.observe import observe, replaying
from jackfield.testing.recordings import parse_recording
from jackfield_dialect_openai import GenericProvider
from support.markdown import PAGES, Block, blocks

BASE = "https://api.example.com/v1"
SHOWN = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.info == "json" and '"interactions"' in block.text
]


def test_the_page_of_the_format_shows_some() -> None:
    verbs = {json.loads(b.text)["call"]["verb"] for b in SHOWN if b.page.name == "conformance.md"}
    assert verbs >= {"embed", "rerank", "run"}


@pytest.mark.parametrize("block", SHOWN, ids=str)
def test_a_recording_that_a_page_shows_replays_to_what_it_expects(block: Block) -> None:
    recording = parse_recording(str(block), json.loads(block.text))
    provider: Any = replaying(GenericProvider, {"base_url": BASE}, recording.responses)
    outcome = observe(provider, recording.request(provider), recording.streamed)
    check_expectations(recording, outcome)
    assert recording.expect
    (sent,) = provider._driver._transport.requests
    check_request(str(block), sent, recording.requests[0], BASE)
