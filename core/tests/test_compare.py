"""A comparison measures what each model's calls took, and tells it in forms where answers stay text."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from html.parser import HTMLParser
from statistics import median
from typing import Any

import pytest
from core_toy import BACKENDS, aio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jackfield import (
    ChatResponse,
    Cost,
    InvalidRequestError,
    LLMError,
    Message,
    RateLimitError,
    Usage,
)
from jackfield.drivers.replay import AsyncReplayDriver, ReplayDriver
from jackfield.manager.compare import Comparison, Trial, acompare, compare
from jackfield.testing import Answer, ScriptedProvider
from jackfield.testing import strategies as jf

SUITE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)


def scripted(*answers: Any, **config: Any) -> ScriptedProvider:
    """A provider whose clock moves by its script alone."""
    given = {"answers": answers, "retry": {"attempts": 1}, **config}
    return ScriptedProvider(
        given, name="s", driver=ReplayDriver([]), async_driver=AsyncReplayDriver([])
    )


class Shelf:
    """Several providers by the model's name."""

    def __init__(self, **providers: ScriptedProvider) -> None:
        self.providers = providers

    def resolve(self, request: Any) -> Any:
        if request.model not in self.providers:
            raise InvalidRequestError(f"nobody has {request.model!r}")
        return self.providers[request.model], request


WAYS = ["threads", *BACKENDS]


def compared(way: str, *args: Any, **options: Any) -> Comparison:
    if way == "threads":
        return compare(*args, **options)
    return aio(lambda: acompare(*args, **options), way)  # type: ignore[no-any-return]  # as it says


@pytest.mark.parametrize("way", WAYS)
@SUITE
@given(
    delays=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    pause=st.integers(0, 4),
    words=st.integers(1, 6),
)
def test_times_and_speeds_are_those_of_the_drivers_clock(
    way: str, delays: list[int], pause: int, words: int
) -> None:
    text = " ".join(["word"] * words)
    answers = [Answer(text, delay=float(d), pause=float(pause)) for d in delays]
    shelf = Shelf(a=scripted(*answers), b=scripted("quick"))
    found = compared(way, shelf, "Hi", ["a", "b"], repeat=len(delays))
    assert [(t.round, t.model) for t in found.trials] == [
        (n, m) for n in range(len(delays)) for m in "ab"
    ]
    first, second = found.summaries
    assert [t.first for t in first.trials] == delays
    assert [t.total for t in first.trials] == [d + pause * words for d in delays]
    assert first.first is not None
    assert (first.first.low, first.first.high) == (min(delays), max(delays))
    assert first.first.median == median(delays)
    assert first.output_tokens is not None
    assert first.output_tokens.median == words
    at_once = pause * words * 20 <= 40
    if not pause:
        assert [t.speed for t in first.trials] == [words / d for d in delays]
    elif not at_once:
        assert {t.speed for t in first.trials} == {1 / pause}
    assert second.total is not None
    assert (second.total.median, second.speed) == (0, None)
    assert first.finish_reasons == {"stop": len(delays)}


@pytest.mark.parametrize("way", WAYS)
def test_failures_stand_beside_answers(way: str) -> None:
    shelf = Shelf(
        a=scripted("fine", RateLimitError("too fast", status=429)),
        b=scripted(Answer("cut off here", cut_after=1)),
    )
    found = compared(way, shelf, "Hi", ["a", "b", "c"], repeat=2, concurrency=2)
    kinds = [type(t.error).__name__ if t.error else "" for t in found.trials]
    broken, nobody = "StreamInterruptedError", "InvalidRequestError"
    assert kinds == ["", broken, nobody, "RateLimitError", broken, nobody]
    assert [len(s.failures) for s in found.summaries] == [1, 2, 2]
    assert len(found.failures) == 5
    for form in (found.to_markdown(), found.to_html()):
        assert "1 of 2" in form
        assert "0 of 2" in form


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("models", "options", "said"),
    [
        ([], {}, "models"),
        (["a", "a"], {}, "different names"),
        ("a", {}, "pass a list"),
        (["a"], {"repeat": 0}, "repeat must be"),
        (["a"], {"concurrency": 0}, "concurrency must be"),
        (["a"], {"parameters": {"temperature": "hot"}}, "temperature"),
        (["a"], {"nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_misshapen_is_told_before_anybody_is_asked(
    way: str, models: Any, options: Any, said: str
) -> None:
    provider = scripted("never")
    with pytest.raises(InvalidRequestError, match=said):
        compared(way, provider, "Hi", models, **options)
    assert provider.requests == []


def test_parameters_and_options_reach_each_call_and_progress_is_told() -> None:
    provider, seen = scripted("x"), list[str]()
    options: Any = {"parameters": {"temp": 0.5}, "system": "Be brief."}
    found = compare(provider, "Hi", ["a", "b"], progress=lambda t: seen.append(t.model), **options)
    assert seen == ["a", "b"]
    requests: Any = provider.requests
    assert [(r.model, r.params.temperature) for r in requests] == [("a", 0.5), ("b", 0.5)]
    assert found.prompt == "Be brief.\n\nHi"


def test_costs_add_up_only_where_each_is_known() -> None:
    def answer(cost: str | None) -> ChatResponse:
        known = Cost() if cost is None else Cost(amount=Decimal(cost), source="provider")
        return ChatResponse(message=Message("assistant", "x"), cost=known, usage=Usage())

    shelf = Shelf(a=scripted(answer("0.10"), answer("0.30")), b=scripted(answer("1"), answer(None)))
    first, second = compare(shelf, "Hi", ["a", "b"], repeat=2).summaries
    assert first.total_cost == Decimal("0.40")
    assert second.total_cost is None
    assert first.cost is not None
    assert first.cost.median == pytest.approx(0.2)


def test_a_judge_has_a_word_on_each_answer() -> None:
    shelf = Shelf(a=scripted("long enough"), b=scripted("no"), c=scripted(LLMError("broke")))
    found = compare(shelf, "Hi", ["a", "b", "c"]).judged(lambda r: len(r.text))
    assert [t.verdict for t in found.trials] == [11, 2, None]
    assert "Verdict" in found.to_markdown()
    assert "Verdict" not in compare(shelf, "Hi", ["a", "b"]).to_markdown()


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</pre></body><iframe src='//evil.example'>",
    "``` \n````\n</details>\n# Head\n[click](javascript:alert(1))",
    '=HYPERLINK("http://evil.example")',
    "| a | b |\n|---|---|\n<b>&lt;",
    "\x00\x1b[31m \u202e \ud800",
]
TEXTS = st.one_of(st.sampled_from(HOSTILE), jf.texts(max_size=60), st.text("`|<>&=*_#\n[]()!-", max_size=30))  # fmt: skip


def told(text: str, model: str = "m") -> Comparison:
    answer = Message("assistant", text)
    good = Trial(model=model, response=ChatResponse(message=answer), first=0.5, total=1.0)
    bad = Trial(model=model, round=1, error=LLMError(text, code=text), total=0.1)
    return Comparison(prompt=text, models=(model,), trials=(good, bad))


class Page(HTMLParser):
    """The elements and texts of a page, read by another than who wrote it."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, Any]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)
        if tag == "pre":
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "pre":
            self.texts[-1] += data


ELEMENTS = set("html head meta title style body h1 h2 pre div table thead tbody tr th td".split())


@SUITE
@given(text=TEXTS, model=TEXTS)
def test_a_page_holds_nothing_but_text_of_what_a_model_said(text: str, model: str) -> None:
    page = Page(told(text, model).to_html())
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    assert {name for _, attrs in page.elements for name in attrs} <= {
        "charset", "class", "content", "http-equiv", "lang", "name",
    }  # fmt: skip
    assert page.texts[0].removeprefix("\n") == text
    assert page.texts[1].removeprefix("\n") == text


def test_a_page_runs_nothing_and_loads_nothing() -> None:
    page = told("x").to_html()
    policies = [a["content"] for tag, a in Page(page).elements if a.get("http-equiv")]
    (policy,) = policies
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http:" not in page
    assert "https:" not in page


@SUITE
@example(text="\r", model="m")
@given(text=TEXTS, model=TEXTS)
def test_markdown_shows_what_a_model_said_and_obeys_none_of_it(text: str, model: str) -> None:
    tokens = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .parse(told(text, model).to_markdown())
    )
    fences = [t.content.removesuffix("\n") for t in tokens if t.type == "fence"]
    assert len(fences) == 3
    clean = text.replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    assert fences[1] == clean
    inline = [c.type for t in tokens if t.type == "inline" for c in t.children or []]
    assert set(inline) <= {"text", "text_special"}
    assert [t.type for t in tokens].count("heading_open") == 2
    assert not [t for t in tokens if t.type == "html_block"]


@SUITE
@given(text=TEXTS, model=TEXTS)
def test_a_spreadsheet_gets_no_formula_and_every_text(text: str, model: str) -> None:
    rows = list(csv.DictReader(io.StringIO(told(text, model).to_csv(), newline="")))
    assert [row["round"] for row in rows] == ["1", "2"]
    assert rows[0]["text"].removeprefix("'") == text.removeprefix("'")
    values = [value for row in rows for value in row.values()]
    assert not [v for v in values if v.startswith(("=", "+", "-", "@"))]


@SUITE
@given(text=TEXTS)
def test_data_is_what_json_can_hold(text: str) -> None:
    plain = told(text).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert [t["text"] for t in plain["trials"]] == [text, None]
    (summary,) = plain["models"]
    assert (summary["answers"], summary["failures"]) == (1, 1)
