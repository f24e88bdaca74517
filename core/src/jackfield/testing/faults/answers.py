"""The answers that the fault server gives, by name: deterministic, with what breaks careless readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import repeat

from .values import Answer, ToolUse

WEATHER = ToolUse(
    id="call_pelican_1",
    name="get_weather",
    pieces=('{"city": "', "Zü", "rich", '", "days"', ": 3", "}"),
)
"""A tool call; ask for it by offering tools in the request."""

AWKWARD = ToolUse(
    id="call_pelican_2",
    name="get_weather",
    pieces=('{"city": "Quo"te \\ back\\slash"}',),
)
"""A tool call whose arguments are not JSON."""

HEALTHY = Answer(
    reasoning=("The user ", "asks für ", "a tale… ", "keep it short."),
    pieces=(
        "Grüße ",
        "aus 東京: ",
        "the pelican 🐦 ",
        "said “naïve”, ",
        "paid 3 € ",
        "and flew ",
        "to São ",
        "Paulo.",
    ),
    tools=(WEATHER,),
)

CONTROLS = "bell \x07, delete \x7f, nul \x00, escape \x1b[31m, line \u2028 and paragraph \u2029, next \x85."

HOSTILE = (
    "<script>alert(1)</script> ",
    "![x](http://203.0.113.7/pixel.png) ",
    "data: [DONE]\n\n",
    "event: message_stop\ndata: {}\n\n",
    '{"done":true}\n',
    "\r\n2026-01-01 ERROR forged log line\r\n",
    "{{7*7}} ${HOME} \u202egpj.exe end",
)

PIECES = tuple(
    '{"city": "Zürich \\"am\\" See \\\\ 東京", "note": "naïve 🐦"}'[i : i + 5]
    for i in range(0, 60, 5)
)


def _tool(pieces: tuple[str, ...]) -> ToolUse:
    return replace(WEATHER, pieces=tuple(piece for piece in pieces if piece))


ANSWERS: Mapping[str, Answer] = {
    "healthy": HEALTHY,
    "controls": replace(HEALTHY, pieces=(*HEALTHY.pieces, *(f"{c} " for c in CONTROLS.split(" ")))),
    "hostile": replace(HEALTHY, pieces=HOSTILE),
    "pieces": replace(HEALTHY, tools=(_tool(PIECES),)),
    "two_tools": replace(HEALTHY, tools=(WEATHER, replace(_tool(PIECES), id="call_pelican_3"))),
    "bad_tool": replace(HEALTHY, tools=(AWKWARD,)),
    "no_usage": replace(HEALTHY, usage=None),
    "no_finish": replace(HEALTHY, finish=None, tools=()),
    "odd_finish": replace(HEALTHY, finish="quantum_flux", tools=()),
    "filtered": replace(HEALTHY, finish="filter", tools=()),
    "failed_call": Answer(reasoning=HEALTHY.reasoning, pieces=(), finish="MALFORMED_FUNCTION_CALL"),
    "text_only": replace(HEALTHY, tools=()),
}

GIANT = 4 * 1024 * 1024
TINY = 20_000
FLOOD = 20_000
PACED = 50
ON = "and on "


@lru_cache(maxsize=8)
def answer(name: str) -> Answer:
    """The answer called *name*; the big ones are made when first asked for."""
    if name == "giant":
        return Answer(pieces=("pelican 🐦 " * (GIANT // 13),))
    if name == "tiny":
        return Answer(pieces=tuple("péli can"[i % 8] for i in range(TINY)))
    if name in ("paced", "flood"):
        count = PACED if name == "paced" else FLOOD
        return replace(HEALTHY, pieces=(*HEALTHY.pieces, *repeat(ON, count)), tools=())
    if name == "endless":
        return replace(HEALTHY, pieces=(*HEALTHY.pieces[:3], ON * 1_000_000))
    return ANSWERS[name]


def offered(wanted: Answer, *, tools: bool) -> Answer:
    """*wanted* as a model gives it: tools are called only where the request offers some."""
    return wanted if tools else replace(wanted, tools=())
