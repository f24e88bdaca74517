"""Guardrails: what is asked and answered may be changed or refused, and nothing passes unguarded."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from core_toy import BACKENDS, aio
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    CallWarning,
    ChatRequest,
    ChatResponse,
    ConfigError,
    ContentFilterError,
    EmbeddingRequest,
    Finish,
    LLMError,
    MediaPart,
    Message,
    PartAdded,
    ReasoningDelta,
    RefusalDelta,
    StreamEvent,
    StreamInterruptedError,
    StreamStart,
    TextDelta,
    TextPart,
    TokenCountRequest,
    Tool,
    ToolCall,
    ToolCallDelta,
    Usage,
    fold,
    replay,
)
from jackfield.drivers.virtual import VirtualDriver
from jackfield.events import PartMetadata, StreamRestart
from jackfield.middleware.guardrails import (
    EMAIL,
    Guardrails,
    forbid,
    limit_length,
    map_texts,
    redact,
)
from jackfield.plugins import PluginManager
from jackfield.retrying import Budget
from jackfield.testing import Answer, ScriptedProvider
from jackfield.testing import strategies as jf

KEY = "sk-abcdefghijklmnopqrstuv"


def guarded(guardrails: Guardrails, *answers: Any, **config: Any) -> ScriptedProvider:
    plugins = PluginManager()
    plugins.register(guardrails)
    return ScriptedProvider({"answers": answers, **config}, name="work", hook=plugins.hook)


def streamed(guardrails: Guardrails, *events: StreamEvent) -> list[StreamEvent]:
    """What comes out of a stream of exactly *events*."""
    return list(guarded(guardrails, Answer(events=events)).stream_execute("m", "Hi"))


def drained(provider: ScriptedProvider) -> tuple[str, LLMError | None]:
    """What a reader of the stream sees, and the error that ends it."""
    said: list[str] = []
    try:
        said.extend(map(str, provider.stream_execute("m", "Hi")))
    except LLMError as error:
        return "".join(said), error
    return "".join(said), None


# Before.


def test_what_is_asked_can_be_changed_before_anything_else_sees_it() -> None:
    provider = guarded(Guardrails(before=[redact()]))
    asked = f"I am a@b.example and my key is {KEY}."
    provider.execute("m", asked)
    provider.stream_execute("m", asked).drain()
    provider.embed("m", [asked])
    provider.count_tokens("m", asked)
    chat, stream, embedding, count = provider.requests
    hidden = "I am [removed] and my key is [removed]."
    assert isinstance(chat, ChatRequest)
    assert isinstance(stream, ChatRequest)
    assert isinstance(embedding, EmbeddingRequest)
    assert isinstance(count, TokenCountRequest)
    assert [r.messages[0].text for r in (chat, stream, count)] == [hidden] * 3
    assert embedding.inputs == (hidden,)


def test_every_text_of_a_request_is_looked_at() -> None:
    provider = guarded(Guardrails(before=[redact(["secret"])]))
    call = ToolCall("c1", "look", '{"for": "secret"}')
    image = MediaPart("image/png", b"secret")
    messages: list[Any] = [
        Message("system", "secret"),
        Message("user", [TextPart("a secret"), image]),
        Message("assistant", [call]),
        {"role": "tool", "tool_call_id": "c1", "content": "secret"},
    ]
    tools = [Tool("look", "finds a secret")]
    provider.execute("secret-model", messages, tools=tools, metadata={"tags": ["secret"]})
    (sent,) = provider.requests
    assert isinstance(sent, ChatRequest)
    assert "secret" not in repr(evolve(sent, model="", metadata={}))
    assert (sent.model, sent.metadata) == ("secret-model", {"tags": ["secret"]})
    assert sent.messages[1].content[1] is image


def test_a_refused_request_is_not_made_and_the_refusal_says_nothing_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = guarded(Guardrails(before=[forbid(["x+yz"], name="no xyz")]))
    with caplog.at_level(logging.DEBUG), pytest.raises(ContentFilterError) as caught:
        provider.execute("m", "about xxyz")
    error = caught.value
    assert (error.code, error.phase, error.provider, error.model) == (
        "guardrail",
        "guardrail",
        "work",
        "m",
    )
    assert "'no xyz'" in str(error)
    assert "xxyz" not in str(error) + caplog.text
    assert error.__cause__ is None
    assert "no xyz" in caplog.text
    assert (provider.requests, error.retryable) == ([], False)


@pytest.mark.parametrize("backend", BACKENDS)
def test_asynchronous_calls_are_guarded_alike(backend: str) -> None:
    provider = guarded(Guardrails([forbid(["bad"])], [redact(["o"], "0")]), "Hello")

    async def main() -> None:
        assert (await provider.aexecute("m", "Hi")).text == "Hell0"
        assert (await provider.astream_execute("m", "Hi").drain()).text == "Hell0"
        with pytest.raises(ContentFilterError):
            await provider.aexecute("m", "bad")

    aio(main, backend)


def test_guards_act_in_their_order_and_functions_are_guards() -> None:
    def shout(request: ChatRequest) -> ChatRequest:
        return map_texts(request, str.upper)

    def look(request: ChatRequest) -> None:
        seen.append(request.messages[0].text)

    seen: list[str] = []
    guarded(Guardrails(before=[look, shout, look])).execute("m", "Hi")
    assert seen == ["Hi", "HI"]


def test_length_is_that_of_everything_together() -> None:
    provider = guarded(Guardrails(before=[limit_length(10)]))
    provider.execute("m", "12345", system="67890")
    with pytest.raises(ContentFilterError, match="limit_length"):
        provider.execute("m", "12345", system="678901")


def test_a_nested_call_passes_the_guards_of_the_outer_one_alone() -> None:
    seen: list[Any] = []
    provider = guarded(Guardrails([seen.append], [lambda *both: seen.append(both)]), "Hello")
    request = provider.chat_request("m", "Hi")
    VirtualDriver().run(provider.call(request, budget=Budget(1, 100)))
    assert seen == []
    VirtualDriver().run(provider.call(request))
    assert len(seen) == 2


# After.


def test_an_answer_can_be_changed_plain_and_streamed() -> None:
    provider = guarded(Guardrails(after=[redact()]), f"Use {KEY} now.")
    assert provider.execute("m", "Hi").text == "Use [removed] now."
    stream = provider.stream_execute("m", "Hi")
    assert "".join(map(str, stream)) == "Use [removed] now."
    assert stream.response.text == "Use [removed] now."


def test_an_answer_can_be_refused_and_of_its_stream_nothing_was_seen() -> None:
    provider = guarded(Guardrails(after=[forbid(["nor me"])]), "Neither this nor me, please")
    with pytest.raises(ContentFilterError) as caught:
        provider.execute("m", "Hi")
    assert "nor me" not in str(caught.value)
    said, error = drained(provider)
    assert said == ""
    assert isinstance(error, ContentFilterError)
    assert (error.provider, error.model) == ("work", "m")


def test_a_filter_of_the_providers_is_its_own_and_not_a_guardrail() -> None:
    ours = ContentFilterError("no", code="content_filter")
    with pytest.raises(ContentFilterError) as caught:
        guarded(Guardrails(after=[redact()]), Answer(error=ours)).execute("m", "Hi")
    assert caught.value.code == "content_filter"


def test_a_guard_that_breaks_lets_nothing_pass() -> None:
    def broken(_request: Any, _response: Any) -> None:
        raise ZeroDivisionError

    provider = guarded(Guardrails(after=[broken]), "Hello")
    with pytest.raises(ZeroDivisionError):
        provider.execute("m", "Hi")
    seen: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        seen += provider.stream_execute("m", "Hi")
    assert seen == []


def test_what_is_no_answer_of_a_model_is_not_held_back() -> None:
    provider = guarded(Guardrails(after=[forbid(["scripted"])]))
    assert [m.id for m in provider.list_models()] == ["scripted"]


@pytest.mark.parametrize("longest", [None, 8])
def test_a_broken_stream_does_not_tell_what_has_not_passed(longest: int | None) -> None:
    broken = Answer("the word is open sesame", cut_after=4)
    redacting = guarded(Guardrails(after=[redact(["is"], longest=longest)]), broken)
    _, error = drained(redacting)
    assert isinstance(error, StreamInterruptedError)
    assert error.partial is not None
    assert "the word [removed] open ".startswith(error.partial_text)
    refusing = guarded(Guardrails(after=[forbid(["is"], longest=longest)]), broken)
    said, error = drained(refusing)
    assert "is" not in said
    assert getattr(error, "partial", None) is None


@pytest.mark.parametrize("longest", [None, 8])
def test_an_answer_that_was_void_is_not_told_either(longest: int | None) -> None:
    events = streamed(
        Guardrails(after=[redact(["bad"], longest=longest)]),
        StreamStart(model="a"),
        TextDelta("so bad"),
        StreamRestart(reason="broke"),
        StreamStart(model="b"),
        TextDelta("so good"),
        Finish(),
    )
    assert "bad" not in repr(events)
    assert (fold(events).text, fold(events).model) == ("so good", "b")


def test_what_quotes_a_changed_text_goes_with_it() -> None:
    kept, gone = {"seen": "a"}, {"quote": "b a d"}
    parts = (TextPart("fine", provider_metadata=kept), TextPart("bad", provider_metadata=gone))
    answer = ChatResponse(message=Message("assistant", parts), provider_metadata={"tokens": ["b"]})
    guard = redact(["bad"])
    passed = guarded(Guardrails(after=[guard]), answer).execute("m", "Hi")
    assert passed.message.content == (parts[0], TextPart("[removed]"))
    assert passed.provider_metadata == {}
    fine = evolve(answer, message=Message("assistant", parts[:1]))
    assert guarded(Guardrails(after=[guard]), fine).execute("m", "Hi") == fine


# Streams that are guarded as they come.

PATTERNS = ["ab", "b+a?", r"\bc\w?", "(?<=a)c", "a|bc", "x*", "^a", "a$"]
LETTERS = st.text("abc ", max_size=40)


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    places = [0, *sorted(c % (len(text) + 1) for c in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(places)]


@given(
    LETTERS,
    st.lists(st.integers(0, 100), max_size=12),
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
)
def test_a_stream_guarded_as_it_comes_says_what_the_whole_answer_would(
    text: str, cuts: list[int], patterns: list[str]
) -> None:
    longest = 41  # as long as any match can be
    events = [StreamStart(), *(TextDelta(p) for p in pieces(text, cuts)), Finish()]
    out = streamed(Guardrails(after=[redact(patterns, "-", longest=longest)]), *events)
    whole = redact(patterns, "-")(None, fold(events))
    assert "".join(map(str, out)) == whole.text
    assert fold(out).text == whole.text


@given(LETTERS, st.lists(st.integers(0, 100), max_size=12))
def test_and_does_so_where_a_match_is_short_and_little_is_kept_back(
    text: str, cuts: list[int]
) -> None:
    events = [StreamStart(), *(TextDelta(p) for p in pieces(text, cuts)), Finish()]
    out = streamed(Guardrails(after=[redact(["a[bc]a?", r"\bc"], "-", longest=3)]), *events)
    assert fold(out).text == re.sub(r"\bc", "-", re.sub("a[bc]a?", "-", text))


@given(LETTERS, st.lists(st.integers(0, 100), max_size=12))
def test_nothing_of_a_forbidden_match_is_ever_released(text: str, cuts: list[int]) -> None:
    events = [StreamStart(), *(TextDelta(p) for p in pieces(text, cuts)), Finish()]
    provider = guarded(
        Guardrails(after=[forbid(["ab?c"], longest=3)]), Answer(events=tuple(events))
    )
    said, error = drained(provider)
    found = re.search("ab?c", text)
    if found is None:
        assert (said, error) == (text, None)
    else:
        assert isinstance(error, ContentFilterError)
        assert text[: found.start()].startswith(said)


def test_text_comes_before_the_answer_is_whole() -> None:
    provider = guarded(Guardrails(after=[redact(longest=100)]), "word " * 100)
    stream = provider.stream_execute("m", "Hi")
    before = [str(event) for event, _ in zip(stream, range(40), strict=False)]
    assert "word" in "".join(before)
    assert not stream._outcome.done
    stream.close()


def test_long_texts_are_no_burden() -> None:
    text = "".join(f"{n} word " for n in range(20_000))
    out = guarded(Guardrails(after=[redact(["7 w"], "-", longest=5)]), text)
    assert out.stream_execute("m", "Hi").drain().text == text.replace("7 w", "-")


@pytest.mark.parametrize("longest", [None, 12])
def test_every_part_of_an_answer_is_guarded(longest: int | None) -> None:
    events = streamed(
        Guardrails(after=[redact(["s-e-c"], longest=longest)]),
        StreamStart(id="1", model="m"),
        ReasoningDelta("think s-"),
        ReasoningDelta("e-c", signature="s-e-c"),
        TextDelta("one s-e"),
        TextDelta("-c", 0),
        TextDelta("two s-e-c", 1),
        RefusalDelta("no s-e-c", 2),
        ToolCallDelta(3, "c1", "look", '{"for": "s-'),
        ToolCallDelta(4, "c2", "look", '{"for": "s-e-c"}'),
        ToolCallDelta(3, arguments='e-c"}'),
        PartAdded(TextPart("last s-e-c", provider_metadata={"quote": "s-e-c"}), 5),
        TextDelta("other s-e-c", 0, 1),
        PartMetadata({"quote": "s e c"}, 0),
        Finish(provider_metadata={"tokens": ["s-", "e-c"]}),
        Finish(choice=1),
    )
    response = fold(events)
    assert "s-e-c" not in repr(response).replace("signature", "")
    assert response.text == "one [removed]two [removed]last [removed]"
    assert response.reasoning == "think [removed]"
    assert response.refusal == "no [removed]"
    assert [c.arguments for c in response.tool_calls] == ['{"for": "[removed]"}'] * 2
    assert response.alternatives[0].message.text == "other [removed]"
    assert "".join(map(str, events)) == response.text
    assert response.provider_metadata == {}


def test_parts_that_come_interleaved_could_hide_a_match_and_are_refused() -> None:
    with pytest.raises(ContentFilterError, match="interleaved"):
        streamed(
            Guardrails(after=[redact(["ab"], longest=2)]),
            TextDelta("a", 0),
            TextDelta("-", 1),
            TextDelta("b", 0),
            Finish(),
        )


@given(jf.responses())
def test_what_no_guard_changes_comes_as_it_was(response: ChatResponse) -> None:
    for longest in (None, 5):
        guardrails = Guardrails(after=[redact(["no such text!"], longest=longest)])
        assert guarded(guardrails, response).execute("m", "Hi") == response
        out = streamed(guardrails, *replay(response))
        assert fold(out) == fold(replay(response))


@given(st.lists(st.text("ab", max_size=5), max_size=8), st.integers(0, 30))
def test_a_stream_ends_where_it_is_too_long(texts: list[str], most: int) -> None:
    events = [StreamStart(), *map(TextDelta, texts), Finish()]
    provider = guarded(Guardrails(after=[limit_length(most)]), Answer(events=tuple(events)))
    said, error = drained(provider)
    assert len(said) <= most
    assert (error is None) == (len("".join(texts)) <= most)


@pytest.mark.parametrize("text", ["Hi", "a" * 500])
def test_whole_or_streamed_an_answer_is_as_long_as_its_texts(text: str) -> None:
    noted = Usage(input_tokens=1, output_tokens=1, raw={"note": "x" * 60})
    warned = CallWarning("dropped", "x", "y" * 60)
    answer = ChatResponse(
        model="m", message=Message("assistant", text), usage=noted, warnings=(warned,)
    )
    found = []
    for stream in (False, True):
        provider = guarded(Guardrails(after=[limit_length(20)]), answer)
        try:
            told = provider.stream_execute("m", "Hi") if stream else provider.execute("m", "Hi")
            found.append((told.drain() if stream else told).text)  # type: ignore[union-attr]  # as stream says
        except ContentFilterError as error:
            found.append(error.code)
    assert found == ["Hi" if text == "Hi" else "guardrail"] * 2


def test_a_guard_that_needs_the_whole_answer_holds_all_of_it_back() -> None:
    provider = guarded(Guardrails(after=[limit_length(100), lambda *_: None]), "one two three")
    events = list(provider.stream_execute("m", "Hi"))
    assert [str(e) for e in events if str(e)] == ["one two three"]


@pytest.mark.parametrize("longest", [None, 5])
def test_who_leaves_early_ends_the_call(longest: int | None) -> None:
    provider = guarded(Guardrails(after=[redact(["x"], longest=longest)]), "one two three four")
    with provider.stream_execute("m", "Hi") as stream:
        next(stream)
    assert len(provider.requests) == 1


# Guards as values.


@given(jf.chat_requests())
def test_what_has_no_text_to_change_is_returned_itself(request: ChatRequest) -> None:
    assert map_texts(request, lambda text: text) is request


def test_long_base64_is_no_text() -> None:
    blob = "ab" * 200
    part = TextPart("ab", provider_metadata={"signed": blob})
    assert map_texts({"a": blob, "b": "ab"}, str.upper) == {"a": blob, "b": "AB"}
    assert map_texts(part, lambda text: text) is part


@pytest.mark.parametrize(
    "address", ["a@b.example", "first.last+tag@sub.example.org", "x_1@localhost.local"]
)
def test_addresses_are_found(address: str) -> None:
    assert EMAIL.sub("-", f"to {address}, now") == "to -, now"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: forbid(["("]), r"patterns\[0\]: is no regular expression"),
        (lambda: redact([3]), r"patterns\[0\]: is no regular expression"),  # type: ignore[list-item]  # on purpose
        (lambda: forbid([]), "patterns: are none"),
        (lambda: forbid(["a"], longest=0), "longest must be 1 or more"),
        (lambda: limit_length(-1), "must be a number of characters"),
        (lambda: Guardrails(before=["a"]), "cannot be called"),  # type: ignore[list-item]  # on purpose
    ],
)
def test_guards_that_make_no_sense_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()
