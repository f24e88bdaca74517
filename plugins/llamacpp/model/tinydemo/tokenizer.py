"""The tokenizer: byte-level BPE, learned from the corpus, splitting words as llama.cpp's "qwen2" does."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from .corpus import END, START

SPECIALS = (
    "<|endoftext|>",
    START,
    END,
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
)
CONTROL_COUNT = 3
"""The first so many specials are control tokens; the tags of tools must survive as text."""

# The ASCII form of llama.cpp's "qwen2" splitting, single digits; bytes from 0x80 count as letters.
_WORDS = re.compile(
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\nA-Za-z0-9]?[A-Za-z\x80-\xff]+"
    r"|[0-9]| ?[^\sA-Za-z0-9\x80-\xff]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPECIAL = re.compile("(" + "|".join(re.escape(special) for special in SPECIALS) + ")")
_NEVER = 1 << 30
Merge = tuple[str, str]


def byte_letters() -> dict[int, str]:
    """A printable letter for every byte, as GPT-2's vocabulary writes them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + at) for at, byte in enumerate(others)}


class Tokenizer:
    """Byte-level BPE with *merges*; ids are specials, then bytes, then merges."""

    def __init__(self, merges: Sequence[Merge]) -> None:
        self.letters = byte_letters()
        self.merges = list(merges)
        bytes_ = [self.letters[byte] for byte in range(256)]
        self.tokens = [*SPECIALS, *bytes_, *("".join(merge) for merge in merges)]
        self.ids = {token: at for at, token in enumerate(self.tokens)}
        self._rank = {merge: at for at, merge in enumerate(merges)}
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """The ids of *text*, specials read as such."""
        out: list[int] = []
        for part in _SPECIAL.split(text):
            if part in SPECIALS:
                out.append(self.ids[part])
            else:
                for word in _WORDS.findall(part):
                    out += self._word(word)
        return out

    def decode(self, ids: Sequence[int]) -> str:
        """The text of *ids*."""
        bytes_ = {letter: byte for byte, letter in self.letters.items()}
        data = b"".join(
            self.tokens[at].encode()
            if self.tokens[at] in SPECIALS
            else bytes(bytes_[letter] for letter in self.tokens[at])
            for at in ids
        )
        return data.decode("utf-8", "replace")

    def _word(self, word: str) -> list[int]:
        known = self._known.get(word)
        if known is None:
            symbols = [self.letters[byte] for byte in word.encode()]
            while len(symbols) > 1:
                pairs = itertools.pairwise(symbols)
                rank, at = min((self._rank.get(pair, _NEVER), at) for at, pair in enumerate(pairs))
                if rank == _NEVER:
                    break
                symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
            known = self._known[word] = [self.ids[symbol] for symbol in symbols]
        return known


def learn(text: str, size: int) -> Tokenizer:
    """The tokenizer with *size* tokens that fits *text*: the most frequent pairs, merged in turn."""
    letters, words = byte_letters(), Counter[str]()
    for part in _SPECIAL.split(text):
        if part not in SPECIALS:
            words.update(_WORDS.findall(part))
    spelled = [([letters[byte] for byte in word.encode()], n) for word, n in words.items()]
    merges: list[Merge] = []
    while len(SPECIALS) + 256 + len(merges) < size:
        pairs: defaultdict[Merge, int] = defaultdict(int)
        for symbols, count in spelled:
            for pair in itertools.pairwise(symbols):
                pairs[pair] += count
        best = max(pairs.items(), key=lambda item: (item[1], item[0]))[0]
        merges.append(best)
        for symbols, _ in spelled:
            _merge(symbols, best)
    return Tokenizer(merges)


def _merge(symbols: list[str], pair: Merge) -> None:
    at = 0
    while at < len(symbols) - 1:
        if (symbols[at], symbols[at + 1]) == pair:
            symbols[at : at + 2] = [pair[0] + pair[1]]
        at += 1
