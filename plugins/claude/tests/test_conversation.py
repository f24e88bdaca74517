"""What a conversation becomes on the wire, and what it says about what it could not keep."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ChatRequest,
    InvalidRequestError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from jackfield.testing import strategies as jf
from jackfield_claude import ClaudeProvider

CLAUDE = ClaudeProvider({"api_key": "made-up"})
PNG = b"\x89PNG\r\n\x1a\n and so on"
CACHED = {"cache_control": {"type": "ephemeral"}}


def body(prompt: Any, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = CLAUDE.explain("claude-x", prompt, **options).body
    return found


def blocks(*parts: Any, role: str = "user") -> list[Any]:
    """The blocks of one message of *parts*."""
    request = ChatRequest(model="claude-x", messages=[Message(role, parts)])
    found: list[Any] = CLAUDE.explain(request).body["messages"][0]["content"]
    return found


def warned(prompt: Any) -> list[tuple[str, str]]:
    return [(w.kind, w.subject) for w in CLAUDE.explain("claude-x", prompt).warnings]


def test_a_plain_call_says_model_length_and_message() -> None:
    assert body("Hi") == {
        "model": "claude-x",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


def test_system_messages_are_blocks_in_front_in_their_order() -> None:
    cached = TextPart("Be brief.", provider_metadata={"claude": CACHED})
    said = [Message("system", "Be kind."), Message("system", [cached]), Message("user", "Hi")]
    assert body(said)["system"] == [
        {"type": "text", "text": "Be kind."},
        {"type": "text", "text": "Be brief.", **CACHED},
    ]
    assert warned(said) == []


def test_a_later_system_message_moves_to_the_front_and_says_so() -> None:
    said = [Message("user", "Hi"), Message("system", "Be brief."), Message("user", "Go on")]
    assert body(said)["system"] == [{"type": "text", "text": "Be brief."}]
    assert [m["role"] for m in body(said)["messages"]] == ["user", "user"]
    assert warned(said) == [("emulated", "system message")]


def test_a_system_message_stays_where_its_metadata_says() -> None:
    inline = Message("system", "Be brief.", provider_metadata={"claude": {"role": "system"}})
    said = [Message("user", "Hi"), inline, Message("user", "Go on")]
    assert [m["role"] for m in body(said)["messages"]] == ["user", "system", "user"]
    assert "system" not in body(said)
    assert warned(said) == []


def test_what_is_no_text_in_a_system_message_is_dropped_aloud() -> None:
    said = [Message("system", [TextPart("See:"), MediaPart("image/png", PNG)])]
    said.append(Message("user", "Hi"))
    assert body(said)["system"] == [{"type": "text", "text": "See:"}]
    assert warned(said) == [("dropped", "system message")]


def test_the_results_of_parallel_calls_share_a_message_and_come_first() -> None:
    said = [
        Message("user", "Both, please"),
        Message("assistant", [ToolCall("a", "f"), ToolCall("b", "f")]),
        Message("tool", ToolResult("a", "1")),
        Message("tool", ToolResult("b", "2", is_error=True)),
        Message("user", [TextPart("Well?"), ToolResult("a", "again")]),
    ]
    _, _, results, last = body(said)["messages"]
    assert results == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "1"},
            {"type": "tool_result", "tool_use_id": "b", "content": "2", "is_error": True},
        ],
    }
    assert [b["type"] for b in last["content"]] == ["tool_result", "text"]


def test_a_result_may_hold_pictures_and_nothing_at_all() -> None:
    seen = [TextPart("here"), MediaPart("image/png", PNG)]
    asked = Message("assistant", [ToolCall("a", "look"), ToolCall("b", "look")])
    told = Message("tool", [ToolResult("a", seen), ToolResult("b", "")])
    shown, empty = CLAUDE.explain("claude-x", [asked, told]).body["messages"][1]["content"]
    assert [b["type"] for b in shown["content"]] == ["text", "image"]
    assert empty == {"type": "tool_result", "tool_use_id": "b"}


def test_pictures_and_documents_by_bytes_and_by_url() -> None:
    encoded = b64encode(PNG).decode()
    found = blocks(
        MediaPart("image/png", PNG),
        MediaPart("image/*", PNG),
        MediaPart("image/JPG", PNG),
        MediaPart("image/png", url="https://example.com/a"),
        MediaPart("application/pdf", b"%PDF", name="a.pdf"),
        MediaPart("application/pdf", url="https://example.com/a.pdf"),
        MediaPart("text/csv; charset=utf-8", b"a,b", name="x" * 600),
    )
    assert [(b["type"], b["source"].get("media_type"), b["source"]["type"]) for b in found] == [
        ("image", "image/png", "base64"),
        ("image", "image/png", "base64"),
        ("image", "image/jpeg", "base64"),
        ("image", None, "url"),
        ("document", "application/pdf", "base64"),
        ("document", None, "url"),
        ("document", "text/plain", "text"),
    ]
    assert found[0]["source"]["data"] == encoded
    assert found[4]["title"] == "a.pdf"
    assert found[6]["source"]["data"] == "a,b"
    assert found[6]["title"] == "x" * 500


@pytest.mark.parametrize(
    "part",
    [
        MediaPart("audio/wav", b"RIFF"),
        MediaPart("audio/wav", url="https://example.com/a.wav"),
        MediaPart("image/bmp", b"BM"),
        MediaPart("text/plain", b"\xff\xfe"),
        MediaPart("text/plain", url="https://example.com/a.txt"),
        ReasoningPart("a thought of somebody else's"),
        ProviderPart("somebody-else", {"type": "text", "text": "secret"}),
    ],
    ids=lambda p: f"{type(p).__name__} {getattr(p, 'media_type', '')}",
)
def test_what_claude_cannot_take_is_dropped_aloud(part: Any) -> None:
    said = [Message("user", [part, TextPart("Hi")])]
    assert body(said)["messages"][0]["content"] == [{"type": "text", "text": "Hi"}]
    assert [kind for kind, _ in warned(said)] == ["dropped"]


def test_thinking_goes_back_with_its_signature_and_redacted_thinking_as_it_came() -> None:
    kept = [
        ReasoningPart("Hm.", "c2ln"),
        ReasoningPart("", "c2ln"),
        ReasoningPart("", redacted="x"),
    ]
    assert blocks(*kept, role="assistant") == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "thinking", "thinking": "", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "x"},
    ]


def test_a_refusal_goes_as_text_and_says_so() -> None:
    said = [Message("assistant", [RefusalPart("No.")]), Message("user", "Why?")]
    assert body(said)["messages"][0]["content"] == [{"type": "text", "text": "No."}]
    assert warned(said) == [("emulated", "refusal")]


def test_metadata_for_claude_goes_into_the_block_and_that_for_others_nowhere() -> None:
    own = {"claude": CACHED, "openai": {"detail": "high"}}
    (picture, call, result) = blocks(
        MediaPart("image/png", PNG, provider_metadata=own),
        ToolCall("a", "f", provider_metadata={"claude": {"caller": {"type": "x"}}}),
        ToolResult("a", "1", provider_metadata=own),
        role="assistant",
    )
    assert (picture["cache_control"], result["cache_control"]) == (CACHED["cache_control"],) * 2
    assert call["caller"] == {"type": "x"}
    assert "detail" not in picture
    whole = Message("user", [TextPart("a"), TextPart("b")], provider_metadata={"claude": CACHED})
    assert body([whole])["messages"][0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", **CACHED},
    ]


def test_a_citation_goes_back_without_the_files_id() -> None:
    cited = {"type": "char_location", "cited_text": "x", "file_id": None}
    own = {"claude": {"citations": [cited]}}
    assert blocks(TextPart("so", provider_metadata=own), role="assistant") == [
        {
            "type": "text",
            "text": "so",
            "citations": [{"type": "char_location", "cited_text": "x"}],
        }
    ]


def test_blank_text_is_not_sent_and_a_message_of_nothing_else_is_dropped_aloud() -> None:
    said = [Message("user", [TextPart(" \n"), TextPart("Hi")]), Message("assistant", "")]
    assert body(said)["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    assert warned(said) == [("dropped", "messages[1]")]


@pytest.mark.parametrize("said", ["", " ", [Message("system", "Be kind.")]])
def test_a_conversation_without_a_word_is_refused(said: Any) -> None:
    with pytest.raises(InvalidRequestError, match="nothing is left to send") as caught:
        body(said)
    assert caught.value.param == "messages"


@given(jf.json_texts())
def test_arguments_go_back_to_the_letter(arguments: str) -> None:
    call = ToolCall("a", "f", f" {arguments}\n")
    said = [Message("assistant", [call]), Message("tool", ToolResult("a", "1"))]
    built = CLAUDE.build(CLAUDE.prepare(CLAUDE.chat_request("claude-x", said)))
    assert arguments.encode() in (built.body or b"")
    assert warned(said) == []


@pytest.mark.parametrize(
    "arguments", ['{"city": "Par', "[1]", '"Paris"', "Paris", "\x00", "{" * 9000]
)
def test_arguments_that_are_no_object_go_as_text_and_say_so(arguments: str) -> None:
    said = [Message("assistant", [ToolCall("a", "f", arguments)])]
    (call,) = body(said)["messages"][0]["content"]
    assert call["input"] == {"arguments": arguments}
    assert warned(said) == [("emulated", "call of f")]


@given(jf.texts(), jf.texts())
def test_any_id_becomes_one_that_the_api_takes_and_stays_one(first: str, second: str) -> None:
    one, two, answer = blocks(
        ToolCall(first, "f"), ToolCall(second, "f"), ToolResult(first, "1"), role="assistant"
    )
    assert one["id"] == answer["tool_use_id"]
    assert (one["id"] == two["id"]) == (first == second)
    assert one["id"].replace("_", "").replace("-", "").isalnum() or set(one["id"]) <= {"_", "-"}
    assert one["id"].isascii()


def signed_here(part: ReasoningPart) -> bool:
    """Whether *part* has what the API sealed, and is not noted to be another provider's."""
    ours = not part.provider_metadata or "claude" in part.provider_metadata
    return ours and (part.redacted is not None or part.signature is not None)


@given(st.lists(jf.assistant_parts(), min_size=1, max_size=5))
def test_what_is_not_sent_is_told(parts: list[Any]) -> None:
    said = [Message("assistant", parts), Message("user", "Go on")]
    plan = CLAUDE.explain("claude-x", said)
    text = json.dumps(plan.body, ensure_ascii=False)
    for part in parts:
        words = getattr(part, "text", "").strip()
        lost = isinstance(part, ReasoningPart) and not signed_here(part)
        shown = json.dumps(words, ensure_ascii=False)[1:-1] in text
        assert shown or lost or getattr(part, "redacted", None)
        assert not lost or ("dropped", "reasoning") in warned(said)
