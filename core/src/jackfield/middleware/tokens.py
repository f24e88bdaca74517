"""How many tokens a call will use, guessed before it, and how many it used."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from attrs import frozen

from ..requests import AnswerRequest, ChatRequest, EmbeddingRequest, Request, guess_tokens
from ..types import TextPart, Usage
from .costs import BYTES_A_TOKEN, bytes_of, guessed_input

FIRST = 256
"""Tokens of an answer while nothing is known about a model's answers."""

_MODELS, _SHARE = 1024, 0.2


@frozen
class Guess:
    """Tokens that a call will use, about."""

    input: int
    output: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.input + self.output

    def used(self, usage: Any) -> int:
        """What *usage* says, completed by the guess where it does not say."""
        if not isinstance(usage, Usage):
            return self.total
        given, made = usage.input_tokens, usage.output_tokens
        return max(0, self.input if given is None else given) + max(
            0, self.output if made is None else made
        )


def _input(request: AnswerRequest) -> int:
    """Tokens of all that *request* gives the model to read; media are not counted."""
    if not isinstance(request, ChatRequest):
        return guessed_input(request)
    parts = [p for m in request.messages for p in m.content if not isinstance(p, TextPart)]
    return guess_tokens(request) + -(-sum(map(bytes_of, parts)) // BYTES_A_TOKEN)


class Outputs:
    """The usual length of each model's answers: a moving average, of the models used last."""

    def __init__(self) -> None:
        self._usual: OrderedDict[tuple[str, str], float] = OrderedDict()

    def add(self, key: tuple[str, str], usage: Any) -> None:
        """An answer of the model *key* had this *usage*."""
        made = usage.output_tokens if isinstance(usage, Usage) else None
        if made is None or made < 0:
            return
        before = self._usual.pop(key, float(made))
        self._usual[key] = before + _SHARE * (made - before)
        while len(self._usual) > _MODELS:
            self._usual.popitem(last=False)

    def guess(self, key: tuple[str, str], request: Request[Any], most: int) -> Guess:
        """What *request* will use; what nobody asked for is not guessed above *most* in all."""
        if isinstance(request, EmbeddingRequest):
            return Guess(guess_tokens(request), 0)
        if not isinstance(request, AnswerRequest):
            return Guess(0, 0)
        given = _input(request)
        if request.params.max_tokens is not None:
            return Guess(given, max(0, request.params.max_tokens))
        usual = round(self._usual.get(key, FIRST))
        return Guess(given, max(0, min(usual, most - given)))
