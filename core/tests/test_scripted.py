"""The scripted provider answers what it is told to, like any other provider and deterministically."""

from __future__ import annotations

import math
from typing import Any

import pytest
from core_toy import BACKENDS, aio
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    CallWarning,
    ChatRequest,
    ChatResponse,
    ConfigError,
    ContextLengthExceededError,
    FinishReason,
    InvalidRequestError,
    Message,
    OverloadedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StreamInterruptedError,
    TextDelta,
    ToolCall,
    TransportError,
    Usage,
    create_provider,
    fold,
)
from jackfield.drivers.virtual import VirtualDriver
from jackfield.testing import Answer, ScriptedProvider
from jackfield.testing import strategies as jf

ONCE = {"retry": {"attempts": 1}}


def ask(provider: ScriptedProvider, text: str = "Hi", **options: Any) -> ChatResponse:
    return provider.execute("any", text, **options)


def test_answers_come_in_their_order_and_the_last_is_repeated() -> None:
    provider = ScriptedProvider.of("one", "two")
    assert [str(ask(provider)) for _ in range(4)] == ["one", "two", "two", "two"]


def test_then_says_what_follows_the_last_answer() -> None:
    cycling = ScriptedProvider.of("one", "two", then="cycle")
    assert [str(ask(cycling)) for _ in range(5)] == ["one", "two", "one", "two", "one"]
    echoing = ScriptedProvider.of("one", then="echo")
    assert [str(ask(echoing, "Hi")) for _ in range(2)] == ["one", "Hi"]
    failing = ScriptedProvider.of("one", then="fail")
    ask(failing)
    with pytest.raises(ConfigError, match=r"1 answers are used up: add answers"):
        ask(failing)


def test_answers_can_be_added_and_are_given_next() -> None:
    provider = ScriptedProvider.of("one")
    assert [str(ask(provider)) for _ in range(3)] == ["one"] * 3
    provider.add_answers("two", "three")
    assert [str(ask(provider)) for _ in range(2)] == ["two", "three"]


def test_without_a_script_the_prompt_comes_back_and_a_warning_says_why() -> None:
    provider = create_provider("scripted")
    answer = provider.execute("any", "A pelican", system="Be kind.")
    assert answer.text == "A pelican"
    (warning,) = answer.warnings
    assert (warning.kind, warning.subject) == ("emulated", "answers")
    assert "nothing is scripted" in warning.detail
    with pytest.raises(InvalidRequestError, match="nothing is scripted"):
        provider.execute("any", "A pelican", strict=True)


def test_an_echo_that_was_asked_for_needs_no_warning() -> None:
    assert ask(ScriptedProvider({"then": "echo"}), "A pelican", strict=True).text == "A pelican"


@given(jf.responses())
def test_a_response_is_given_as_it_is_plain_and_streamed(response: ChatResponse) -> None:
    provider = ScriptedProvider.of(response)
    assert ask(provider) == response
    stream = provider.stream_execute("any", "Hi")
    assert fold(stream) == response == stream.response


def test_text_streams_word_by_word() -> None:
    stream = ScriptedProvider.of("Once upon  a\ntime").stream_execute("any", "Hi")
    assert list(stream.text()) == ["Once ", "upon  ", "a\n", "time"]


def test_a_tool_call_is_data_and_its_arguments_stream_in_pieces() -> None:
    call = {"name": "get_weather", "arguments": {"city": "Zürich", "days": 3}}
    provider = create_provider(
        "scripted", {"answers": [{"text": "Let me see.", "tool_calls": [call]}]}
    )
    answer = provider.execute("any", "Hi")
    assert answer.tool_calls == (ToolCall("call_1", "get_weather", '{"city":"Zürich","days":3}'),)
    assert answer.finish_reason is FinishReason.TOOL_CALLS
    stream = provider.stream_execute("any", "Hi")
    kinds = [type(e).__name__ for e in stream]
    assert kinds.count("ToolCallDelta") > 2
    assert stream.response.message == answer.message


def test_tool_calls_messages_and_events_are_answers_too() -> None:
    call = ToolCall("c", "add", "{}")
    provider = ScriptedProvider.of(call, [call, call], Message("assistant", "Hello"))
    assert ask(provider).tool_calls == (call,)
    assert ask(provider).tool_calls == (call, call)
    assert ask(provider).text == "Hello"


def test_a_function_of_the_request_is_an_answer() -> None:
    def shout(request: ChatRequest) -> str:
        return request.messages[-1].text.upper()

    assert ask(ScriptedProvider.of(shout), "hi").text == "HI"


def test_errors_are_raised_typed_with_their_facts_and_anew_each_time() -> None:
    scripted = {
        "error": "RateLimitError",
        "retry_after": 20,
        "code": "slow_down",
        "message": "Slow!",
    }
    provider = create_provider("scripted", {"answers": [scripted], **ONCE})
    seen = []
    for _ in range(2):
        with pytest.raises(RateLimitError, match="Slow!") as caught:
            provider.execute("any", "Hi")
        seen.append(caught.value)
    assert seen[0] is not seen[1]
    assert (seen[0].status, seen[0].code, seen[0].retry_after) == (429, "slow_down", 20.0)
    assert (seen[0].provider, seen[0].model, seen[0].attempts) == ("scripted", "any", 1)


@pytest.mark.parametrize(
    "error", [ContextLengthExceededError, ContextLengthExceededError("Too long")]
)
def test_an_error_class_or_an_error_is_an_answer(error: Any) -> None:
    with pytest.raises(ContextLengthExceededError):
        ask(ScriptedProvider.of(error))


def test_what_can_be_retried_is_and_every_attempt_is_recorded() -> None:
    provider = ScriptedProvider.of(OverloadedError, ServerError("x"), "At last")
    driver = VirtualDriver()
    request = provider.chat_request("any", "Hi")
    assert driver.run(provider.call(request)).text == "At last"
    assert provider.requests == [request] * 3


def test_a_stream_that_is_cut_keeps_its_partial_text() -> None:
    provider = ScriptedProvider.of({"text": "Once upon a time", "cut_after": 2})
    heard: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        heard.extend(map(str, provider.stream_execute("any", "Hi")))
    assert "".join(heard) == caught.value.partial_text == "Once upon "
    assert not caught.value.retryable
    assert caught.value.maybe_executed


def test_a_stream_that_breaks_before_its_first_event_is_tried_again() -> None:
    provider = ScriptedProvider.of({"text": "Once", "cut_after": 0}, "Twice")
    driver = VirtualDriver()
    request = provider.chat_request("any", "Hi")
    assert driver.run(provider.call(request, stream=True)).text == "Twice"


def test_a_plain_call_whose_answer_is_cut_is_a_transport_error() -> None:
    with pytest.raises(TransportError) as caught:
        ask(ScriptedProvider.of({"text": "Once upon a time", "cut_after": 2}, **ONCE))
    assert caught.value.maybe_executed


def test_an_error_after_text_interrupts_the_stream_and_is_its_cause() -> None:
    answer = Answer("Once upon", error=OverloadedError("busy"))
    with pytest.raises(StreamInterruptedError, match="busy") as caught:
        list(ScriptedProvider.of(answer).stream_execute("any", "Hi"))
    assert isinstance(caught.value.__cause__, OverloadedError)
    assert caught.value.partial_text == "Once upon"


def test_events_without_an_end_are_no_success() -> None:
    provider = ScriptedProvider.of([TextDelta("Once")], **ONCE)
    with pytest.raises(StreamInterruptedError):
        list(provider.stream_execute("any", "Hi"))
    with pytest.raises(TransportError):
        ask(provider)


def test_latencies_pass_on_the_drivers_clock() -> None:
    provider = ScriptedProvider.of(Answer("a b c", delay=30, pause=2))
    driver = VirtualDriver()
    driver.run(provider.call(provider.chat_request("any", "Hi"), stream=True))
    assert driver.now == 30 + 3 * 2  # three words and the end


def stream_in_virtual_time(answer: Answer, driver: VirtualDriver) -> ChatResponse:
    provider = ScriptedProvider.of(answer, **ONCE)
    return driver.run(provider.call(provider.chat_request("any", "Hi"), stream=True))


def test_a_first_event_that_comes_too_late_is_a_timeout() -> None:
    driver = VirtualDriver()
    with pytest.raises(RequestTimeoutError):
        stream_in_virtual_time(Answer("late", delay=70), driver)
    assert driver.now == 60


def test_a_next_event_that_comes_too_late_interrupts_the_stream() -> None:
    driver = VirtualDriver()
    with pytest.raises(StreamInterruptedError) as caught:
        stream_in_virtual_time(Answer("a b", pause=70), driver)
    assert driver.now == 60
    assert isinstance(caught.value.__cause__, RequestTimeoutError)
    assert caught.value.partial_text == "a "


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_does_the_same_in_every_colour(backend: str) -> None:
    provider = ScriptedProvider.of({"text": "Hello you", "reasoning": "Let me think"}, then="cycle")
    request = provider.chat_request("any", "Hi")
    plain = provider.run(request)

    async def main() -> tuple[ChatResponse, ChatResponse]:
        return await provider.arun(request), await provider.astream(request).drain()

    for answer in aio(main, backend):
        assert answer.message == plain.message
        assert answer.usage == plain.usage == Usage(input_tokens=1, output_tokens=5)


@given(st.lists(jf.texts(), min_size=1, max_size=3), st.integers(1, 100))
def test_embeddings_depend_on_the_text_alone_and_have_length_one(
    texts: list[str], size: int
) -> None:
    first = ScriptedProvider().embed("any", texts, dimensions=size)
    assert first.vectors == ScriptedProvider().embed("any", texts, dimensions=size).vectors
    for vector in first.vectors:
        assert len(vector) == size
        assert math.isclose(math.fsum(x * x for x in vector), 1)


def test_texts_that_share_words_are_nearer_than_those_that_do_not() -> None:
    cats, dogs, tax = (
        ScriptedProvider()
        .embed("any", ["cats chase small mice", "small dogs chase cats", "income tax forms"])
        .vectors
    )
    near = sum(a * b for a, b in zip(cats, dogs, strict=True))
    far = sum(a * b for a, b in zip(cats, tax, strict=True))
    assert near > far


def test_models_and_token_counts_need_no_script() -> None:
    provider = create_provider("scripted", {"models": ["a", "b"], "then": "fail"})
    assert [m.id for m in provider.list_models()] == ["a", "b"]
    assert provider.count_tokens("any", "three words here").input_tokens == 3


def test_no_parameter_is_unknown_to_it() -> None:
    every = {"temp": 1, "max_length": 5, "ctx_size": 99, "stop": "x", "reasoning_effort": "low"}
    assert ask(ScriptedProvider.of("Hi"), parameters=every).warnings == ()


def test_every_problem_of_a_script_is_told_at_once_with_its_place() -> None:
    answers = [
        3,
        {"txt": "x", "delay": -1, "error": "RateLimtError"},
        {"retry_after": 3},
        {"tool_calls": [{"arguments": {}}]},
        {"finish_reason": "tired"},
    ]
    with pytest.raises(ConfigError) as caught:
        create_provider("scripted", {"answers": answers})
    assert [i.path for i in caught.value.issues] == [
        "answers[0]",
        "answers[1].txt",
        "answers[1].delay",
        "answers[1].error",
        "answers[2].retry_after",
        "answers[3].tool_calls",
        "answers[4].finish_reason",
    ]
    assert "did you mean text?" in str(caught.value)
    assert "did you mean RateLimitError?" in str(caught.value)


@pytest.mark.parametrize("answers", ["Short.", {"text": "Short."}, 3])
def test_answers_that_are_no_list_are_refused(answers: Any) -> None:
    with pytest.raises(ConfigError, match="answers: must be a list"):
        create_provider("scripted", {"answers": answers})


def test_answers_are_data_and_not_interpolated() -> None:
    provider = create_provider("scripted", {"answers": ["Use ${HOME} or ${"]})
    assert provider.execute("any", "Hi").text == "Use ${HOME} or ${"


def test_replies_is_another_word_for_answers() -> None:
    assert create_provider("scripted", {"replies": ["Hello"]}).execute("any", "Hi").text == "Hello"


def test_warnings_of_a_scripted_response_reach_the_caller_once() -> None:
    warning = CallWarning("clamped", "temperature", "9 became 2")
    response = ChatResponse(message=Message("assistant", "Hi"), warnings=(warning,))
    provider = ScriptedProvider.of(response)
    assert ask(provider).warnings == (warning,)
    assert provider.stream_execute("any", "Hi").drain().warnings == (warning,)
