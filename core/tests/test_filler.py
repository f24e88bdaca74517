"""Filler keeps sizes and structure, and nothing that anybody wrote."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jackfield.testing import strategies as jf
from jackfield.testing.filler import CODES, STRUCTURE, Filler, fill, fill_text

WORD = "Pelikan"
CUTS = st.lists(st.integers(0, 200), max_size=6)


def shape(value: Any) -> Any:
    """*value* with sizes in place of its texts."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(v) for v in value]
    return len(value.encode(errors="surrogatepass")) if isinstance(value, str) else value


def pieces(text: str, cuts: list[int]) -> list[str]:
    """*text*, cut."""
    edges = sorted({0, len(text), *(c for c in cuts if c < len(text))})
    return [text[a:b] for a, b in pairwise(edges)]


@given(st.text(), st.text())
def test_a_text_keeps_its_size_and_loses_its_words(before: str, after: str) -> None:
    text = f"{before} {WORD} {after}"
    filled = fill_text(text)
    assert len(filled.encode(errors="surrogatepass")) == len(text.encode(errors="surrogatepass"))
    assert WORD not in filled
    assert fill_text(filled) == filled


@given(jf.json_values())
def test_plain_data_keeps_its_shape(value: Any) -> None:
    told = {"content": value, "id": "kept", "role": "user"}
    if not CODES & set(json.dumps(value).split('"')):
        assert shape(fill(told)) == shape(told)
    assert fill(told)["id"] == "kept"


@given(
    st.recursive(st.just(WORD), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_no_word_stays_wherever_it_stands_in_data(value: Any) -> None:
    keyed = {"anything": value}
    if not STRUCTURE & set(json.dumps(value).split('"')):
        assert WORD not in json.dumps(fill(keyed), ensure_ascii=False).replace(f'"{WORD}":', "")


@given(st.text(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_stream_keeps_its_bytes_its_events_and_its_ends(text: str, end: str) -> None:
    data = json.dumps({"type": "delta", "text": text}, ensure_ascii=False)
    stream = f"event: delta{end}data: {data}{end}{end}: {WORD}{end}data: [DONE]{end}{end}"
    filled = Filler().stream(stream)
    assert len(filled.encode(errors="surrogatepass")) == len(stream.encode(errors="surrogatepass"))
    assert filled.startswith(f'event: delta{end}data: {{"type": "delta", ')
    assert filled.endswith(f"{end}data: [DONE]{end}{end}")
    assert WORD not in filled


@given(jf.json_values(), CUTS, st.booleans())
def test_arguments_that_come_in_pieces_are_json_together(
    value: Any, cuts: list[int], ascii_only: bool
) -> None:
    whole = json.dumps({WORD: value, "n": 12.5, "yes": True}, ensure_ascii=ascii_only)
    filler, filled = Filler(), ""
    for piece in pieces(whole, cuts):
        line = json.dumps({"arguments": piece}, ensure_ascii=False)
        filled += json.loads(filler.json(line))["arguments"]
    assert len(filled.encode(errors="surrogatepass")) == len(whole.encode(errors="surrogatepass"))
    again = json.loads(filled)
    assert isinstance(again, dict)
    assert True in again.values()
    assert WORD not in filled


@given(st.text(), CUTS)
def test_what_is_no_json_is_filled_all_the_same(text: str, cuts: list[int]) -> None:
    broken = f'{{"text": "{WORD}", {WORD}: [1, "{text}'
    for one in (Filler().lines(broken), Filler().json(broken), Filler().stream(f"data: {broken}")):
        assert WORD not in one
    for piece in pieces(broken, cuts):
        Filler().lines(piece)
