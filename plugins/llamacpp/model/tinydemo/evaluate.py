"""Greedy accuracy of each skill, on conversations that training has not seen.

python -m tinydemo.evaluate MODEL.gguf [COUNT]
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jackfield import ChatResponse, LLMProvider, create_provider

from .chat import hello_talk, unknown_talk
from .corpus import messages
from .grammar import Turn
from .skills import fact_talk, json_talk, repeat_talk, sum_talk
from .stories import story_talk
from .tools import Tool, tool_talk
from .words import HEROES, NAMES

Result = tuple[str, bool]
"""A skill, and whether an answer shows it."""


def plain(skill: str) -> Callable[[str, str, ChatResponse], Iterator[Result]]:
    """A judge that wants the very answer of the corpus."""

    def judge(_question: str, wanted: str, got: ChatResponse) -> Iterator[Result]:
        yield skill, got.text == wanted

    return judge


def judge_story(question: str, _wanted: str, got: ChatResponse) -> Iterator[Result]:
    """A story must end, and be about what was asked for."""
    text = got.text
    yield "story: ends by itself", 150 < len(text) < 900 and text.rstrip()[-1:] in set('.!"?')
    animals = [word for word in re.findall(r"[a-z]+", question.lower()) if word in HEROES]
    if animals:
        yield "story: asked animal", animals[0] in text.split(".", maxsplit=1)[0]
    names = [word for word in re.findall(r"[A-Z][a-z]+", question) if word in NAMES]
    if names:
        yield "story: asked name", names[0] in text.split(".", maxsplit=1)[0]


def judge_json(question: str, wanted: str, got: ChatResponse) -> Iterator[Result]:
    """JSON must parse and have the keys; its values count where they were given."""
    try:
        made: Any = json.loads(got.text)
    except ValueError:
        made = None
    yield "json: parses", made is not None
    yield "json: right keys", isinstance(made, dict) and list(made) == list(json.loads(wanted))
    if " for " in question:
        yield "json: right values", made == json.loads(wanted)


def judge_call(_question: str, wanted: str, got: ChatResponse) -> Iterator[Result]:
    """A tool call must parse, name the function, and have the arguments."""
    right = json.loads(wanted)
    call = got.tool_calls[0] if got.tool_calls else None
    yield "tool: parses", call is not None
    yield "tool: right function", call is not None and call.name == right["name"]
    try:
        exact = call is not None and json.loads(call.arguments) == right["arguments"]
    except ValueError:
        exact = False
    yield "tool: exact arguments", exact and call is not None and call.name == right["name"]


def judge_ignorance(_question: str, _wanted: str, got: ChatResponse) -> Iterator[Result]:
    """Saying that it does not know is enough."""
    yield "says it does not know", "do not know" in got.text


def cases(r: random.Random) -> Iterator[tuple[list[Turn], list[Tool] | None, Any]]:
    """One conversation of each skill, with its judge."""
    yield story_talk(r), None, judge_story
    hello = hello_talk(r)
    if len(hello) > 2:
        yield hello, None, plain("remembers the name")
    total = sum_talk(r)
    yield total, None, plain("counting" if "Count" in total[0][1] else "sums")
    yield fact_talk(r), None, plain("facts and lists")
    yield repeat_talk(r), None, plain("repeats words")
    yield json_talk(r), None, judge_json
    yield unknown_talk(r), None, judge_ignorance
    turns, tools = tool_talk(r)
    while turns[1][0] != "tool_call":  # tools on offer, but not needed
        turns, tools = tool_talk(r)
    yield turns[:2], tools, judge_call
    if len(turns) > 2:
        yield turns, tools, plain("tool: answer from result")


def ask(provider: LLMProvider, model: str, turns: Sequence[Turn], tools: Any) -> ChatResponse:
    """What *model* says after *turns*."""
    wishes = {"temperature": 0, "max_tokens": 220}
    talk = messages(turns)
    for call in (call for message in talk for call in message.get("tool_calls", ())):
        function = call["function"]  # templates want an object where the API has its text
        function["arguments"] = json.dumps(function["arguments"])
    return provider.execute(model, talk, wishes, tools=tools)


def evaluate(model: str, count: int) -> dict[str, tuple[int, int]]:
    """For each skill, how many of how many answers show it."""
    good, total = Counter[str](), Counter[str]()
    r = random.Random(987654)
    with create_provider("llamacpp") as provider:
        for _ in range(count):
            for turns, tools, judge in cases(r):
                got = ask(provider, model, turns[:-1], tools)
                for skill, shown in judge(turns[-2][1], turns[-1][1], got):
                    total[skill] += 1
                    good[skill] += shown
    return {skill: (good[skill], total[skill]) for skill in sorted(total)}


def main() -> None:
    """Print the table."""
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    for skill, (good, total) in evaluate(sys.argv[1], count).items():
        sys.stdout.write(f"{skill:28s} {good:4d}/{total:<4d} {100 * good / total:5.1f} %\n")


if __name__ == "__main__":
    main()
