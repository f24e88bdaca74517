"""Conversations that call one tool, and answers made from its result."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from .chat import hello_talk, self_talk
from .grammar import Turn, expand, invent, junk, pick
from .skills import repeat_talk
from .stories import story_talk
from .words import ANIMALS, CITIES, COMMON, LONG_CITIES, NAMES, NOUNS, PARAMS, SKY, VERBS, WORDS

Tool = dict[str, Any]
"""A tool in OpenAI's form."""

# Names, descriptions and spellings of the parameters: they must be copied from the list of tools,
# not known by heart.
TOOLS: dict[str, tuple[list[str], list[str], list[list[str]]]] = {
    "weather": (
        "get_weather weather get_current_weather weather_lookup getWeather fetch_weather".split(),
        [
            "Get the weather in a city.",
            "Get the current weather",
            "Returns the weather for a place.",
            "Look up the weather.",
        ],
        [["city"], ["location"], ["place"], ["city_name"], ["city", "unit"], ["location", "unit"]],
    ),
    "time": (
        "get_time time_in get_current_time clock current_time".split(),
        ["Get the time in a city.", "Get the current time", "Returns the time."],
        [["city"], ["location"], ["place"], ["timezone"]],
    ),
    "add": (
        "add add_numbers sum plus calculate_sum".split(),
        ["Add two numbers.", "Add two integers", "Returns the sum of a and b."],
        [["a", "b"], ["x", "y"], ["first", "second"]],
    ),
    "multiply": (
        "multiply mul times multiply_numbers".split(),
        ["Multiply two numbers.", "Returns the product."],
        [["a", "b"], ["x", "y"], ["first", "second"]],
    ),
    "user": (
        "lookup_user find_user get_user user_info".split(),
        ["Find a user by name.", "Look up a user"],
        [["name"], ["user"], ["username"]],
    ),
    "send": (
        "send_message message send notify".split(),
        ["Send a message to a user.", "Send a text"],
        [["name", "text"], ["to", "text"], ["user", "message"]],
    ),
}
UNITS = ["celsius", "fahrenheit"]
_WEATHER = (
    "{What is the weather {in|like in} <c>?|How is the weather in <c>?|What's the weather in <c>?|"
    "Weather in <c>?|Is it raining in <c>?}"
)
_TIME = "{What time is it in <c>?|What is the time in <c>?|Tell me the time in <c>.}"


def _tool(name: str, description: str, parameters: dict[str, Any]) -> Tool:
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


def tool_call(name: str, arguments: dict[str, Any]) -> Turn:
    """The turn in which the model calls a tool."""
    return ("tool_call", json.dumps({"name": name, "arguments": arguments}))


def _known_tool(r: random.Random, kind: str) -> tuple[Tool, str, list[str]]:
    """A tool of the *kind*, its name, and its parameters."""
    names, descriptions, spellings = TOOLS[kind]
    name, description, params = pick(r, names), pick(r, descriptions), pick(r, spellings)
    properties = {}
    for param in params:
        number = kind in {"add", "multiply"}
        prop: dict[str, Any] = {"type": pick(r, ["integer", "number"]) if number else "string"}
        if param == "unit":
            prop["enum"] = UNITS
        elif r.random() < 0.15:
            prop["description"] = pick(r, ["The " + param, param, "a " + param + " to use"])
        if r.random() < 0.1:
            prop["title"] = param.capitalize()
        properties[param] = prop
    required = [param for param in params if param != "unit"]
    schema: dict[str, Any]
    schema = {"type": "object", "properties": properties, "required": required}
    if r.random() < 0.1:
        schema["additionalProperties"] = False
    tool = _tool(name, description, schema)
    if r.random() < 0.1:
        del tool["function"]["description"]
    return tool, name, params


def _free_tools(r: random.Random) -> tuple[list[Turn], list[Tool]]:
    """Tools named after a verb and a noun, asked for in the same words; the value is copied."""
    verbs = r.sample(VERBS, 6)
    pairs = r.sample(
        [(verb, noun) for verb in verbs for noun in r.sample(NOUNS, 4)], r.choice((1, 1, 2, 2, 3))
    )
    made = [_free_tool(r, verb, noun) for verb, noun in pairs]
    at = r.randrange(len(pairs))
    verb, noun = pairs[at]
    _, name, param = made[at]
    value = " ".join(
        r.choice((r.choice(WORDS), r.choice(COMMON), junk(r), r.choice(ANIMALS)))
        for _ in range(r.choice((1, 1, 2, 3)))
    )
    ask = (
        "{<V>|Please <v>|Can you <v>|I want to <v>} the <n> {for|named|called|with|about|} "
        "<x>{.|?|}"
    )
    question = expand(r, ask, V=verb.capitalize(), v=verb, n=noun, x=value).replace("  ", " ")
    turns = [("user", question), tool_call(name, {param: value})]
    if r.random() < 0.4:
        words = " ".join(r.sample(WORDS, r.randrange(1, 4)))
        said, done = ("assistant", f"The result is {words}."), ("assistant", "Done.")
        turns += r.choice(
            (
                [("tool", json.dumps({"result": words})), said],
                [("tool", words), said],
                [("tool", json.dumps({"ok": True})), done],
            )
        )
    return turns, [tool for tool, _, _ in made]


def _free_tool(r: random.Random, verb: str, noun: str) -> tuple[Tool, str, str]:
    names = (
        f"{verb}_{noun}",
        f"{verb}_{noun}",
        f"{verb}{noun.capitalize()}",
        f"{noun}_{verb}",
        f"{verb}_the_{noun}",
    )
    name, param = r.choice(names), r.choice(PARAMS)
    words = "{<V> the <n>.|<V> a <n>|<V> <n>s.|Use this to <v> the <n>.}"
    description = expand(r, words, V=verb.capitalize(), v=verb, n=noun)
    properties = {param: {"type": "string"}}
    tool = _tool(
        name, description, {"type": "object", "properties": properties, "required": [param]}
    )
    if r.random() < 0.1:
        del tool["function"]["description"]
    return tool, name, param


Case = tuple[str, list[Any], Any, str]
"""A question, the arguments of the call, the tool's result, the answer made of it."""


def _place_case(r: random.Random, kind: str, city: str) -> Case:
    if kind == "weather":
        question = expand(r, _WEATHER, c=city)
        degrees, sky = r.randrange(-9, 36), pick(r, SKY)
        it_is = f"It is {sky} in {city}"
        warm = {"weather": sky, "temperature": degrees}
        with_degrees = f"{it_is}, with a temperature of {degrees} degrees."
        cases = [({"weather": sky}, f"{it_is}."), (sky, f"{it_is}."), (warm, with_degrees)]
        return question, [city], *pick(r, cases)
    question = expand(r, _TIME, c=city)
    time = f"{r.randrange(24):02d}:{r.randrange(60):02d}"
    answer = f"It is {time} in {city}."
    return question, [city], pick(r, [{"time": time}, time]), answer


def _number_case(r: random.Random, kind: str, a: int, b: int) -> Case:
    sign = "{+|plus}" if kind == "add" else "{*|times}"
    question = expand(r, "{What is|Calculate|How much is} <a> " + sign + " <b>{?|}", a=a, b=b)
    result = a + b if kind == "add" else a * b
    return question, [a, b], pick(r, [{"result": result}, result]), f"The result is {result}."


def _person_case(r: random.Random, kind: str, name: str, city: str, text: str) -> Case:
    if kind == "user":
        ask = "{Find the user <n>.|Look up <n>.|Who is the user <n>?}"
        found = {"name": name, "city": city}
        return expand(r, ask, n=name), [name], found, f"{name} lives in {city}."
    question = expand(r, "{Send|Please send} <n> the message: <t>", n=name, t=text)
    return question, [name, text], pick(r, [{"ok": True}, "sent"]), f"I sent the message to {name}."


def tool_talk(r: random.Random) -> tuple[list[Turn], list[Tool]]:
    """A question that a tool answers, among other tools; sometimes one that needs none."""
    if r.random() < 0.4:
        return _free_tools(r)
    kind = pick(r, list(TOOLS))
    kinds = [kind, *r.sample([k for k in TOOLS if k != kind], r.choice([0, 0, 1, 1, 2]))]
    r.shuffle(kinds)
    made = {k: _known_tool(r, k) for k in kinds}
    tools, (_, name, params) = [made[k][0] for k in kinds], made[kind]
    cities = (pick(r, CITIES), pick(r, LONG_CITIES), invent(r))
    city = r.choices(cities, (60, 20, 20))[0]
    person, a, b = pick(r, NAMES), r.randrange(100), r.randrange(100)
    text = " ".join(r.sample(WORDS, r.randrange(1, 4)))
    if kind in {"weather", "time"}:
        question, values, result, answer = _place_case(r, kind, city)
        if r.random() < 0.2:
            question = question.rstrip("?.") + expand(r, " {today|now|right now|please}{?|}")
    elif kind in {"add", "multiply"}:
        question, values, result, answer = _number_case(r, kind, a, b)
    else:
        question, values, result, answer = _person_case(r, kind, person, city, text)
    arguments = dict(zip(params, values, strict=False))  # a unit may be left out
    if "unit" in params and r.random() < 0.5:
        arguments["unit"] = pick(r, UNITS)
        question = f"{question.rstrip('?.')} in {arguments['unit']}?"
    turns = [("user", question), tool_call(name, arguments)]
    if r.random() < 0.6:
        said = result if isinstance(result, str) else json.dumps(result)
        turns += [("tool", said), ("assistant", answer)]
    if r.random() < 0.12:  # tools on offer, but not needed
        others: list[Callable[[random.Random], list[Turn]]]
        others = [hello_talk, self_talk, story_talk, repeat_talk]
        return pick(r, others)(r), tools
    return turns, tools
