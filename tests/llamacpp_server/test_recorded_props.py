"""Every recorded turn of the server's own endpoints becomes what the wire says, in every colour."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import AuthenticationError
from llamacpp_server.props import blocking, on_loop, takes
from support.outcomes import Outcome
from support.recordings import WIRE, Turn, pieces, turns

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
PROPS = [t for t in turns("llamacpp") if takes(t)]


def replayed(turn: Turn, colour: str) -> Outcome:
    """What *turn* comes to in a colour, in pieces on an event loop."""
    if colour == "sync":
        return blocking(turn)
    return on_loop(turn, colour, pieces(turn.payload, 7))


@pytest.mark.parametrize("colour", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("turn", PROPS, ids=str)
def test_properties_are_what_the_wire_says(turn: Turn, colour: str) -> None:
    told: Any = turn.response["body"]
    outcome = replayed(turn, colour)
    (sent,) = outcome.sent
    assert (sent.method, sent.url) == ("GET", "https://replayed.example/props")
    if turn.status == 401:
        assert isinstance(outcome.error, AuthenticationError)
        assert outcome.error.message == told["error"]["message"]
        return
    assert turn.status == 200
    props = outcome.result
    assert props.raw == told
    assert props.model_path == told["model_path"]
    assert props.chat_template == told["chat_template"]
    assert props.build == told["build_info"]
    assert props.slots == told["total_slots"]
    assert props.context_window == told["default_generation_settings"]["n_ctx"]
    assert (props.vision, props.audio_input) == (
        told["modalities"]["vision"],
        told["modalities"].get("audio"),
    )
