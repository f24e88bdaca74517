"""The grammar: templates with choices, names that are made up, articles and pronouns."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from .words import MEN, NAMES, SYLLABLES

T = TypeVar("T")
Turn = tuple[str, str]
"""Who speaks (system, user, assistant, tool_call, tool), and the text."""

_CONSONANTS = "b d f g h j k l m n p r s t v z br dr kr th sh".split()
_VOWELS = "a e i o u ai ee".split()
_CHOICE = re.compile(r"\{([^{}]*)\}")


def pick(r: random.Random, options: Sequence[T]) -> T:
    """One of *options*. Of the names, a third are made up, so that names must be copied."""
    if options is NAMES and r.random() < 0.35:
        return invent(r)  # type: ignore[return-value]  # names are texts
    return r.choice(options)


def invent(r: random.Random) -> str:
    """A made-up first name."""
    count = r.choice((1, 2, 2, 3))
    name = "".join(r.choice(_CONSONANTS) + r.choice(_VOWELS) for _ in range(count))
    return name.capitalize() + r.choice(("", "", "n", "l", "s"))


def junk(r: random.Random) -> str:
    """A word that there is not."""
    return "".join(r.choice(SYLLABLES) for _ in range(r.randrange(2, 5)))


def is_he(name: str) -> bool:
    """Whether the one called *name* is a he."""
    return name in MEN if name in NAMES else name[-1] not in "aei"


def an(noun: str) -> str:
    """*noun* with its article."""
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def expand(r: random.Random, template: str, /, **values: Any) -> str:
    """*template* with its {a|b} choices made, the innermost first, then its <name> places filled."""
    text = template
    while match := _CHOICE.search(text):
        text = text[: match.start()] + r.choice(match.group(1).split("|")) + text[match.end() :]
    return re.sub(r"<(\w+)>", lambda place: str(values[place.group(1)]), text)
