"""Small skills: sums and counting, facts and lists, repeating words, JSON objects."""

from __future__ import annotations

import json
import random

from .grammar import Turn, an, expand, junk, pick
from .words import ANIMALS, COLORS, COMMON, DAYS, FRUITS, NAMES, NUMBERS, OPPOSITES, SOUNDS, WORDS

_HOW_MUCH = "{What is|What's|How much is|Calculate|Compute|} "
_REPEAT = "{Say|Repeat|Repeat after me:|Please say|Say exactly:|Reply with|Answer with} <w>{.|}"


def sum_talk(r: random.Random) -> list[Turn]:
    """A sum, a difference or a product of small numbers; or counting."""
    a, b = r.randrange(13), r.randrange(13)
    kind = r.randrange(4)
    gap = r.choice(("", " ", " ", " "))
    if kind == 3:
        a = r.randrange(10)
        b = a + r.randrange(2, 8)
        question, answer = "Count from <a> to <b>{.|}", ", ".join(map(str, range(a, b + 1)))
    else:
        if kind == 1:
            a, b = max(a, b), min(a, b)
        elif kind == 2:
            a, b = r.randrange(11), r.randrange(11)
        sign, result, words = (
            ("+", a + b, "+|+|+|plus"),
            ("-", a - b, "-|-|-|minus"),
            ("*", a * b, "*|x|times|*"),
        )[kind]
        question = f"{_HOW_MUCH}<a><s>{{{words}}}<s><b>{{?|}}"
        answer = f"{a} {sign} {b} = {result}"
    asked = expand(r, question, a=a, b=b, s=gap)
    for word in ("plus", "minus", "times"):
        asked = asked.replace(word, f" {word} ").replace("  ", " ")
    return [("user", asked.strip()), ("assistant", answer)]


def fact_talk(r: random.Random) -> list[Turn]:
    """Opposites, animals' sounds, days of the week, and lists."""
    kind = r.randrange(4)
    if kind == 0:
        return _opposite(r)
    if kind == 1:
        animal, sound = pick(r, list(SOUNDS.items()))
        question = expand(r, "{What sound does <a> make?|What does <a> say?}", a=an(animal))
        return [("user", question), ("assistant", f"{an(animal).capitalize()} says {sound}.")]
    if kind == 2:
        at = r.randrange(7)
        step, word = (1, "after") if r.random() < 0.5 else (-1, "before")
        question = expand(r, f"{{What|Which}} day comes {word} <d>?", d=DAYS[at])
        return [
            ("user", question),
            ("assistant", f"{DAYS[(at + step) % 7]} comes {word} {DAYS[at]}."),
        ]
    return _list(r)


def _opposite(r: random.Random) -> list[Turn]:
    word, other = pick(r, list(OPPOSITES.items()))
    if r.random() < 0.5:
        word, other = other, word
    if word == "light":
        other = "dark"
    ask = (
        "{What is the opposite of <a>?|What's the opposite of <a>?|Name the opposite of <a>.|"
        "Opposite of <a>?}"
    )
    answer = f"The opposite of {word} is {other}."
    return [("user", expand(r, ask, a=word)), ("assistant", answer)]


def _list(r: random.Random) -> list[Turn]:
    kinds = {"animals": ANIMALS, "colors": COLORS, "fruits": FRUITS, "names": NAMES, "days": DAYS}
    kind, pool = pick(r, list(kinds.items()))
    count = r.randrange(2, 6)
    number = pick(r, [str(count), NUMBERS[count]])
    question = expand(r, "{List|Name|Give me|Tell me} <n> <k>{.|}", n=number, k=kind)
    chosen = DAYS[:count] if kind == "days" else r.sample(pool, count)
    answer = "\n".join(f"{at}. {item}" for at, item in enumerate(chosen, 1))
    return [("user", question), ("assistant", answer)]


def repeat_talk(r: random.Random) -> list[Turn]:
    """Words to say again, some of them no words at all."""
    pools = (WORDS, NAMES, COLORS, ANIMALS, COMMON)
    words = " ".join(
        junk(r) if r.random() < 0.2 else r.choice(r.choice(pools)) for _ in range(r.randrange(1, 7))
    )
    if r.random() < 0.2:
        words = r.choice(("the ", "a ", "my ")) + words
    return [("user", expand(r, _REPEAT, w=words)), ("assistant", words)]


def json_talk(r: random.Random) -> list[Turn]:
    """A small JSON object with given keys, half the time with given values."""
    name, animal, color = pick(r, NAMES), pick(r, ANIMALS), pick(r, COLORS)
    age = r.randrange(1, 13)
    fields = {"name": name, "animal": animal, "color": color, "age": age}
    keys = r.sample(list(fields), r.randrange(1, 5))
    if r.random() < 0.5:
        described = expand(
            r,
            "{<c> |}<a> named <n>, {<g> years old|age <g>}",
            c=color,
            a=animal,
            n=name,
            g=age,
        )
        if not described.startswith(color):
            keys = [key for key in keys if key != "color"] or ["name"]
        ask = "{Give me|Write|Return} a JSON object with {the |}{keys|fields} <ks> for <x>."
        question = expand(r, ask, ks=", ".join(keys), x=an(described))
    else:
        ask = "{Give me|Write|Return|Make} a JSON object with {the |}{keys|fields} <ks>."
        question = expand(r, ask, ks=", ".join(keys))
    return [("user", question), ("assistant", json.dumps({key: fields[key] for key in keys}))]
