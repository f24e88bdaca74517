"""Rows of tokens to train on, and how much each token counts."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .corpus import END, START, render, sample
from .tokenizer import SPECIALS, Tokenizer

Row = tuple[list[int], list[float]]
"""Token ids, and the weight of predicting each."""


class Rows:
    """Endless rows of *length* tokens; a conversation never goes on in the next row.

    *copy_share* is the share of rows that only repeat random tokens. They teach the circuit that
    copies names and arguments, which the conversations alone did not.
    """

    def __init__(self, tokenizer: Tokenizer, length: int, seed: int, user_weight: float) -> None:
        self.copy_share = 0.0
        self._tokenizer, self._length, self._user_weight = tokenizer, length, user_weight
        self._r = random.Random(seed)
        self._assistant = tokenizer.encode("assistant\n")

    def __iter__(self) -> Iterator[Row]:
        while True:
            copying = self._r.random() < self.copy_share
            yield self._copying() if copying else self._talking()

    def _talking(self) -> Row:
        ids: list[int] = []
        weights: list[float] = []
        while len(ids) < self._length:
            turns, tools = sample(self._r)
            text = render(turns, tools, sort_keys=self._r.random() < 0.3)
            talk = self._tokenizer.encode(text)
            ids += [*talk, self._tokenizer.ids["<|endoftext|>"]]
            weights += [*self._weigh(talk), self._user_weight]
        return ids[: self._length], weights[: self._length]

    def _weigh(self, ids: list[int]) -> list[float]:
        """What the assistant writes counts, a short answer more for each token; the rest little."""
        start, end = self._tokenizer.ids[START], self._tokenizer.ids[END]
        weights, at = [self._user_weight] * len(ids), 0
        while at < len(ids):
            begin = at + 1 + len(self._assistant)
            if ids[at] == start and ids[at + 1 : begin] == self._assistant:
                at = ids.index(end, begin) + 1
                weights[begin:at] = [min(1.5, (30 / (at - begin)) ** 0.5)] * (at - begin)
            else:
                at += 1
        return weights

    def _copying(self) -> Row:
        r, lowest, highest = self._r, len(SPECIALS), len(self._tokenizer.tokens)

        def tokens(count: int) -> list[int]:
            return [r.randrange(lowest, highest) for _ in range(count)]

        ids: list[int] = []
        weights: list[float] = []
        while len(ids) < self._length:
            run = tokens(r.randrange(2, 24))
            gap = tokens(r.randrange(8))
            ids += run
            weights += [0.0] * len(run)
            for _ in range(r.randrange(1, 4)):
                ids += gap + run
                # The first token of a copy cannot be known.
                weights += [0.0] * (len(gap) + 1) + [1.0] * (len(run) - 1)
                gap = gap if r.random() < 0.5 else []
        return ids[: self._length], weights[: self._length]
