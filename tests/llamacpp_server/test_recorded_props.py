"""Every recorded turn of the server's own endpoints becomes what the wire says, in every colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from jackfield import AuthenticationError, create_provider
from jackfield.drivers.replay import AsyncReplayDriver, ReplayDriver
from jackfield_llamacpp_server import PropsRequest, ServerProps
from support.recordings import WIRE, Turn, pieces, turns

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not WIRE.is_dir(), reason=f"no recordings at {WIRE}: set JACKFIELD_WIRE"),
]
PROPS = [t for t in turns("llamacpp") if t.path.endswith("/props")]
CONFIG = {"base_url": "https://replayed.example/v1", "api_key": "made-up-key-1234"}


def blocking(turn: Turn) -> ServerProps:
    driver = ReplayDriver([turn.recorded()])
    props: ServerProps = create_provider("llamacpp-server", CONFIG, driver=driver).run(
        PropsRequest()
    )
    (sent,) = driver.transport.requests
    assert (sent.method, sent.url) == ("GET", "https://replayed.example/props")
    return props


def on_loop(turn: Turn, backend: str) -> ServerProps:
    driver = AsyncReplayDriver([turn.recorded(pieces(turn.payload, 7))])
    provider = create_provider("llamacpp-server", CONFIG, async_driver=driver)
    found: ServerProps = anyio.run(provider.arun, PropsRequest(), backend=backend)
    return found


COLOURS: dict[str, Callable[[Turn], ServerProps]] = {
    "sync": blocking,
    "asyncio": lambda turn: on_loop(turn, "asyncio"),
    "trio": lambda turn: on_loop(turn, "trio"),
}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("turn", PROPS, ids=str)
def test_properties_are_what_the_wire_says(turn: Turn, colour: str) -> None:
    told: Any = turn.response["body"]
    if turn.status == 401:
        with pytest.raises(AuthenticationError, match=told["error"]["message"]):
            COLOURS[colour](turn)
        return
    assert turn.status == 200
    props = COLOURS[colour](turn)
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


def test_every_turn_of_this_service_is_replayed_somewhere() -> None:
    dialect = ("/chat/completions", "/embeddings", "/models", "/rerank", "/responses")
    left = [t for t in turns("llamacpp") if not t.path.endswith(dialect)]
    assert left == PROPS
