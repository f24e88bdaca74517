"""Uses the plugin of the first contract in every way; run where it is installed, tells what came of it as JSON."""

import json
import sys
import warnings

import anyio

warnings.simplefilter("error")

import jackfield  # noqa: E402  # its warnings count
from jackfield import EmbeddingRequest, RateLimitError, TokenCountRequest, create_provider  # noqa: E402
from jackfield.drivers.replay import AsyncReplayDriver, Recorded, ReplayDriver  # noqa: E402

TOKEN = Recorded(chunks=[b"t0ken"])
ANSWER = Recorded(chunks=[json.dumps({"id": "7", "text": "Hello", "in": 3, "out": 5}).encode()])
STREAM = Recorded(
    headers={"content-type": "text/event-stream"},
    chunks=[
        b'event: thought\ndata: Hm\n\nevent: call\ndata: {"a":1}\n\ndata: Hel\n\nda',
        b"ta: lo\n\ndata: END\n\n",
    ],
)
TOO_FAST = Recorded(status=400, chunks=[b'{"error": {"code": "too_fast", "message": "slow down"}}'])
PAGES = [Recorded(chunks=[json.dumps(p).encode()]) for p in ({"names": ["a"], "next": 2}, {"names": ["b"], "next": 0})]  # fmt: skip
VECTORS = Recorded(chunks=[b'{"vectors": [[1.0, 2.0]]}'])
told: dict[str, object] = {}


def first(*answers: Recorded, **config: object) -> jackfield.LLMProvider:
    signed = [one for answer in answers for one in (TOKEN, answer)]
    drivers = {"driver": ReplayDriver(signed), "async_driver": AsyncReplayDriver(signed)}
    return create_provider("first-http", config, **drivers)


provider = first(ANSWER)
answer = provider.execute("m", "Hi", {"max_tokens": 500, "temperature": 0.5, "seed": 3})
asked = provider._driver.transport.requests  # type: ignore[attr-defined]  # a ReplayDriver
told["plain"] = [answer.text, answer.usage.output_tokens, str(answer.cost.amount)]
told["warnings"] = sorted(w.subject for w in answer.warnings)
told["urls"] = [request.url for request in asked]
told["credentials"] = [asked[1].headers["x-first-key"], asked[1].headers["x-token"]]
told["body"] = json.loads(asked[1].body)

streamed = first(STREAM).stream_execute("m", "Hi")
told["stream"] = ["".join(map(str, streamed)), streamed.response.message.tool_calls[0].arguments]
for backend in ("asyncio", "trio"):
    told[backend] = anyio.run(first(ANSWER).aexecute, "m", "Hi", backend=backend).text
told["models"] = [model.id for model in first(*PAGES).list_models()]
told["vectors"] = first(VECTORS).run(EmbeddingRequest(model="m", inputs="x")).vectors
told["count"] = first().run(TokenCountRequest(model="m", messages="Hi")).input_tokens
try:
    first(TOO_FAST, retry={"attempts": 1}).execute("m", "Hi")
except RateLimitError as error:
    told["error"] = [error.provider, error.status, error.code]
told["issues"] = [str(i) for i in first(token_url="nowhere").validate_config()]

local = create_provider("first-local")
told["local"] = [local.execute("echo", "a b c", {"max_tokens": 2}).text, local.list_models()[0].id]

from jackfield.manager.executors import find_executor  # noqa: E402
from jackfield.manager.files import load_settings  # noqa: E402
from jackfield.routing.strategies import make_strategy  # noqa: E402

told["strategy"] = make_strategy("first-strategy").choose([1, 2], None, 0.0)  # type: ignore[list-item, arg-type]  # it looks at none
told["executor"] = list(find_executor("first-executor").map(str, [1, 2], 1))
with jackfield.ProviderManager(
    load_settings(
        {
            "providers": {"here": {"provider": "first-local"}},
            "guardrails": {"after": [{"guard": "first-guard"}]},
        }
    )
) as manager:
    told["guard"] = manager.execute("here", "echo", "a b").text
plugin = jackfield.plugin_manager().get_plugin("first-hooks")
told["hooks"] = sorted({seen[0] for seen in getattr(plugin, "SEEN", ())})
pricing = provider.pricing("m")
told["price"] = pricing and str(pricing.input)
json.dump(told, sys.stdout)
