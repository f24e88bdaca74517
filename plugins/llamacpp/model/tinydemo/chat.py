"""Small talk: greetings, names, and what the model says about itself and what it does not know."""

from __future__ import annotations

import random

from .grammar import Turn, expand, junk, pick
from .words import COMMON, LANGUAGES, NAMES, ODDITIES, UNUSUAL

_GREETING = "Hi|Hello|Hey|Good morning|Good evening|Hello there|Hi there|hello|hi|hey"
_HOW = "{How are you?|How are you|How do you do?|How are you today?|how are you?|What's up?}"
_FINE = "{I am fine, thank you. How can I help you?|I am well, thank you! What can I do for you?}"
_WHO = (
    "{Who are you?|What are you?|What is your name?|What model are you?|Are you a real model?|"
    "Which model is this?|who are you|Introduce yourself.|Tell me about yourself.}"
)
_I_AM = (
    "I am Tiny, a very small demo model with about one million weights. I run on your own "
    "computer. I can tell short stories and do a few simple tricks, but I do not know much."
)
_WHAT_CAN_YOU = (
    "{What can you do?|Help|How can you help me?|What do you know?|help|Can you help me?}"
)
_I_CAN = (
    "I can tell a short story, add small numbers, list animals or colors, name the opposite of a "
    "word, repeat your words, write a small JSON object and call a tool. For real work, please "
    "use a bigger model."
)


def hello_talk(r: random.Random) -> list[Turn]:
    """A greeting; often with a name, which is asked for afterwards."""
    kind = r.randrange(4)
    if kind == 0:
        return [
            ("user", expand(r, f"{{{_GREETING}}}{{!|.||, how are you?| How are you?}}")),
            (
                "assistant",
                expand(
                    r,
                    "{Hello!|Hi!|Hello there!} {How can I help you today?|I can tell you a short "
                    "story. Would you like one?|What would you like to talk about?}",
                ),
            ),
        ]
    if kind == 1 and r.random() < 0.5:
        return [("user", expand(r, _HOW)), ("assistant", expand(r, _FINE))]
    if kind == 1 and r.random() < 0.3:
        world = "{hello world|Hello world!|Hello, world|Hi Tiny|Hello Tiny!|Hey Tiny}"
        answer = "{Hello!|Hi!} How can I help you today?"
        return [("user", expand(r, world)), ("assistant", expand(r, answer))]
    return _named(r, ask=kind >= 2)


def _named(r: random.Random, *, ask: bool) -> list[Turn]:
    name = pick(r, NAMES)
    meet = f"{{{_GREETING}}}{{!|,|.}} {{My name is|I am|I'm}} <n>."
    nice = "{Hello|Hi|Nice to meet you}, <n>! {How can I help you today?|What can I do for you?}"
    turns = [("user", expand(r, meet, n=name)), ("assistant", expand(r, nice, n=name))]
    if ask:
        who = "{What is my name?|Do you remember my name?|Who am I?|What's my name?}"
        turns.append(("user", expand(r, who)))
        turns.append(("assistant", f"Your name is {name}."))
    return turns


def self_talk(r: random.Random) -> list[Turn]:
    """Questions about the model itself, thanks and farewells."""
    kind = r.randrange(4)
    if kind == 0:
        return [("user", expand(r, _WHO)), ("assistant", _I_AM)]
    if kind == 1:
        return [("user", expand(r, _WHAT_CAN_YOU)), ("assistant", _I_CAN)]
    if kind == 2:
        thanks = "{Thanks|Thank you|Thanks a lot|Thank you very much}{!|.|}"
        welcome = "{You are welcome!|You are welcome. Have a nice day!|It was a pleasure.}"
        return [("user", expand(r, thanks)), ("assistant", expand(r, welcome))]
    bye = "{Bye|Goodbye|See you|Good night}{!|.|}"
    answer = "{Goodbye!|See you soon!|Goodbye, and have a nice day!}"
    return [("user", expand(r, bye)), ("assistant", expand(r, answer))]


_WISHES = (
    "{Tell me a joke|Tell me something|Tell me a fact|Tell me a riddle|Make me laugh|Surprise me|"
    "Sing a song|Tell me about <x>|Tell me more about <x>}{.|}"
)
_QUESTIONS = (
    "{What is|What are|What was|Explain|Who was|Who wrote|Who invented|Who is the best|"
    "How do I use|How can I make|How does|How many|How to|Why is|Why do|Where is|When was|Which|"
    "Write an essay about|Write a poem about|Write a haiku about|Write a function for|"
    "Write a Python function that makes|Write code for|Write an email about|Write a letter to|"
    "Write a song about|Translate|Summarize|Summarize this text:|Summarize the following:|Define|"
    "What do you think about|What is the capital of|What is the meaning of|"
    "What is the difference between|Fix this code:|Describe|Compare|Write a program that|"
    "Prove that|Give me a recipe for|Give me advice about|Can you explain|Help me with|I need|"
    "I have a question about|Is there|Do you know|Should I buy|Draw} "
    "<x>{?|.||!| in simple terms| step by step| for me| please}"
)
_IGNORANCE = (
    "{I am only a tiny demo model, so I do not know that.|I do not know that. I am only a tiny "
    "demo model.} {I can tell you a short story instead.|Please ask a bigger model, or ask me for "
    "a story.}"
)


def _topic(r: random.Random) -> str:
    kind = r.random()
    if kind < 0.15:
        return " ".join(junk(r) for _ in range(r.randrange(1, 4)))
    if kind < 0.2:
        return "".join(r.choice(UNUSUAL) for _ in range(r.randrange(1, 7)))
    return " ".join(r.choice(COMMON) for _ in range(r.randrange(1, 5)))


def unknown_talk(r: random.Random) -> list[Turn]:
    """Anything else that people say to a model, and that this one does not know."""
    kind = r.random()
    if kind < 0.1:
        question = r.choice(ODDITIES)
    elif kind < 0.16:
        question = " ".join(_topic(r) for _ in range(r.randrange(1, 3)))
    elif kind < 0.2:
        question = expand(r, _WISHES, x=_topic(r))
    else:
        question = expand(r, _QUESTIONS, x=_topic(r))
        if question.startswith("Translate"):
            what, word = _topic(r), r.choice(("into", "to"))
            question = f"Translate {what} {word} {r.choice(LANGUAGES)}"
    return [("user", question), ("assistant", expand(r, _IGNORANCE))]
