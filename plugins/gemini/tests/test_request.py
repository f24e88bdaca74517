"""Conversations, parameters, tools, thinking and formats on the wire."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from jackfield import (
    ConfigError,
    GenerationParams,
    InvalidRequestError,
    MediaPart,
    Message,
    ProviderPart,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    create_provider,
)
from jackfield.params import EFFORTS
from jackfield.testing import strategies as jf
from jackfield_gemini import GeminiProvider

KEY = "made-up-key-1234"
GEMINI = GeminiProvider({"api_key": KEY})
FLASH, PRO, OLD, NEW = "gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash", "gemini-3.5-flash"
WEATHER, CLOCK = Tool("get_weather", "The weather of a city"), Tool("get_time")
PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def plan(
    parameters: Any = None, /, *, model: str = FLASH, prompt: Any = "Hi", **options: Any
) -> Any:
    return GEMINI.explain(model, prompt, parameters, **options)


def body(parameters: Any = None, /, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = plan(parameters, **options).body
    return found


def warned(parameters: Any = None, /, **options: Any) -> list[tuple[str, str]]:
    return [(w.kind, w.subject) for w in plan(parameters, **options).warnings]


def parts(*messages: Message, model: str = NEW) -> list[Any]:
    """The parts of the last content."""
    return list(body(prompt=list(messages), model=model)["contents"][-1]["parts"])


@given(params=jf.params())
def test_no_parameter_is_lost_silently(params: GenerationParams) -> None:
    found = plan(params)
    config = found.body.get("generationConfig", {})
    told = {w.subject for w in found.warnings}
    places = {"reasoning_effort": "thinkingConfig", "stop": "stopSequences"}
    places["max_tokens"] = "maxOutputTokens"
    for name, value in asdict(params).items():
        first, *rest = name.split("_")
        place = places.get(name, first + "".join(word.title() for word in rest))
        assert value is None or place in config or name in told, name


def test_parameters_go_under_the_apis_names() -> None:
    asked = {"max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "seed": 7}
    assert body({**asked, "stop": ["END"]})["generationConfig"] == {
        "maxOutputTokens": 5, "temperature": 0.5, "topP": 0.9, "topK": 3, "seed": 7,
        "stopSequences": ["END"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (FLASH, "none", {"thinkingBudget": 0}),
        (FLASH, "low", {"thinkingBudget": 1024, "includeThoughts": True}),
        (FLASH, "high", {"thinkingBudget": 24576, "includeThoughts": True}),
        (PRO, "max", {"thinkingBudget": 32768, "includeThoughts": True}),
        (PRO, "none", {"thinkingBudget": 1024, "includeThoughts": True}),
        (NEW, "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-3.1-pro", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ("models/gemini-2.5-flash", "medium", {"thinkingBudget": 8192, "includeThoughts": True}),
        (OLD, "none", None),
        (OLD, "high", None),
    ],
)
def test_a_model_is_told_in_its_own_way_how_much_to_think(
    model: str, effort: str, sent: Any
) -> None:
    config = body({"reasoning_effort": effort}, model=model).get("generationConfig", {})
    assert config.get("thinkingConfig") == sent


@given(effort=st.sampled_from(EFFORTS), model=st.sampled_from([FLASH, PRO, OLD, NEW]))
def test_thinking_is_sent_or_told(effort: str, model: str) -> None:
    found = plan({"reasoning_effort": effort}, model=model)
    config = found.body.get("generationConfig", {})
    assert "thinkingConfig" in config or found.warnings or effort == "none"


def test_a_shape_is_a_json_schema_to_the_letter() -> None:
    config = body(response_format=PERSON)["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": PERSON}
    assert body(response_format="json")["generationConfig"] == {
        "responseMimeType": "application/json"
    }


def test_functions_are_one_tool_and_the_services_own_come_after() -> None:
    search = Tool("search", provider_metadata={"gemini": {"googleSearch": {}}})
    code = Tool("run", provider_metadata={"gemini": {"codeExecution": {}}})
    functions, *served = body(tools=[search, WEATHER, code, CLOCK])["tools"]
    assert [f["name"] for f in functions["functionDeclarations"]] == ["get_weather", "get_time"]
    assert served == [{"googleSearch": {}}, {"codeExecution": {}}]


@pytest.mark.parametrize(
    ("choice", "strict", "sent"),
    [
        ("auto", None, None),
        ("auto", True, {"mode": "VALIDATED"}),
        ("none", None, {"mode": "NONE"}),
        ("required", None, {"mode": "ANY"}),
        ("add", None, {"mode": "ANY", "allowedFunctionNames": ["add"]}),
    ],
)
def test_the_choice_of_tools(choice: str, strict: bool | None, sent: Any) -> None:
    found = body(tools=[Tool("add", strict=strict)], tool_choice=choice)
    assert found.get("toolConfig") == (sent and {"functionCallingConfig": sent})


def test_strictness_of_one_function_is_that_of_all_and_is_told() -> None:
    tools = [Tool("add", strict=True), CLOCK]
    assert warned(tools=tools) == [("emulated", "strict")]
    assert warned(tool_choice="required") == [("dropped", "tool_choice")]


def test_system_messages_are_the_systems_instruction() -> None:
    said = [Message("system", "Be kind."), Message("user", "Hi"), Message("system", "Be brief.")]
    found = plan(prompt=said)
    assert found.body["systemInstruction"] == {
        "parts": [{"text": "Be kind."}, {"text": "Be brief."}]
    }
    assert [c["role"] for c in found.body["contents"]] == ["user"]
    assert [(w.kind, w.subject) for w in found.warnings] == [("emulated", "system message")]


@given(results=st.lists(jf.json_texts() | jf.texts(), min_size=1, max_size=3))
def test_results_of_parallel_calls_are_one_content(results: list[str]) -> None:
    calls = [ToolCall(f"c{at}", "add", "{}") for at in range(len(results))]
    answers = [Message("tool", ToolResult(f"c{at}", said)) for at, said in enumerate(results)]
    contents = body(prompt=[Message("user", "Hi"), Message("assistant", calls), *answers])[
        "contents"
    ]
    assert [c["role"] for c in contents] == ["user", "model", "user"]
    told = [part["functionResponse"] for part in contents[-1]["parts"]]
    assert [(t["id"], t["name"]) for t in told] == [(c.id, "add") for c in calls]
    for said, wire in zip(results, told, strict=True):
        try:
            value = json.loads(said)
        except ValueError:
            value = None
        assert wire["response"] == (value if isinstance(value, dict) else {"result": said})


def test_a_result_that_is_an_error_says_so() -> None:
    call = Message("assistant", ToolCall("c", "add", "{}"))
    failed = Message("tool", ToolResult("c", "No.", is_error=True))
    (wire,) = parts(Message("user", "Hi"), call, failed)
    assert wire["functionResponse"]["response"] == {"error": "No."}


SIGNED = {"gemini": {"thoughtSignature": "c2lnbmVk"}}


def test_signatures_go_back_to_the_parts_that_they_came_with() -> None:
    thought = {"gemini": {"thought": True, "thoughtSignature": "dGhvdWdodA=="}}
    said = Message(
        "assistant",
        [
            ReasoningPart("Hm.", provider_metadata=thought),
            TextPart("Let me see.", provider_metadata=SIGNED),
            ToolCall("c", "add", '{"a": 1}', provider_metadata=SIGNED),
        ],
    )
    assert parts(Message("user", "Hi"), said) == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "dGhvdWdodA=="},
        {"text": "Let me see.", "thoughtSignature": "c2lnbmVk"},
        {
            "functionCall": {"id": "c", "name": "add", "args": {"a": 1}},
            "thoughtSignature": "c2lnbmVk",
        },
    ]


def test_thoughts_and_parts_of_others_are_dropped_aloud() -> None:
    said = Message(
        "assistant",
        [ReasoningPart("Hm.", "c2ln"), ProviderPart("claude", {"type": "odd"}), TextPart("Hi.")],
    )
    found = plan(prompt=[Message("user", "Hi"), said, Message("user", "Go on")])
    assert found.body["contents"][1]["parts"] == [{"text": "Hi."}]
    assert [w.kind for w in found.warnings] == ["dropped", "dropped"]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("image/png", "image/png"),
        ("image/jpg", "image/jpeg"),
        ("audio/wav", "audio/wav"),
        ("audio/mpeg", "audio/mpeg"),
        ("video/mp4", "video/mp4"),
        ("application/pdf", "application/pdf"),
    ],
)
@given(data=st.binary(min_size=1, max_size=20))
def test_media_are_bytes_or_an_address(kind: str, sent: str, data: bytes) -> None:
    (inline,) = parts(Message("user", MediaPart(kind, data)))
    assert inline["inlineData"]["mimeType"] == sent
    assert b64decode(inline["inlineData"]["data"]) == data
    (linked,) = parts(Message("user", MediaPart(kind, url="https://example.com/a")))
    assert linked == {"fileData": {"mimeType": sent, "fileUri": "https://example.com/a"}}


def test_which_piece_of_a_video_is_meant_goes_along() -> None:
    about = {"gemini": {"videoMetadata": {"startOffset": "10s", "fps": 2}}}
    video = MediaPart("video/mp4", url="https://youtu.be/abc", provider_metadata=about)
    (wire,) = parts(Message("user", video))
    assert wire["videoMetadata"] == {"startOffset": "10s", "fps": 2}


def test_media_of_a_tool_are_inside_of_its_result_for_models_that_read_them_there() -> None:
    asked = Message("assistant", ToolCall("c", "look", "{}"))
    result = Message("tool", ToolResult("c", [TextPart("A bird"), MediaPart("image/png", b"PNG")]))
    (inside,) = parts(Message("user", "Hi"), asked, result, model=NEW)
    assert "inlineData" in inside["functionResponse"]["parts"][0]
    alone, beside = parts(Message("user", "Hi"), asked, result, model=FLASH)
    assert "parts" not in alone["functionResponse"]
    assert "inlineData" in beside


def test_fields_of_the_apis_own_are_merged_and_win() -> None:
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]
    own = {"safetySettings": safety, "cachedContent": "cachedContents/1",
           "generationConfig": {"temperature": 0.25, "mediaResolution": "MEDIA_RESOLUTION_LOW"}}  # fmt: skip
    found = body({"temperature": 1, "top_k": 4}, provider_options={"gemini": own})
    assert (found["safetySettings"], found["cachedContent"]) == (safety, "cachedContents/1")
    assert found["generationConfig"] == {
        "temperature": 0.25, "topK": 4, "mediaResolution": "MEDIA_RESOLUTION_LOW"
    }  # fmt: skip


def test_an_empty_conversation_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="nothing is left"):
        body(prompt=[Message("system", "Be kind."), Message("user", "")])


@pytest.mark.parametrize("ending", ["", "/", "/v1beta", "/v1beta/", "/v1alpha", "/v1"])
def test_the_address_may_have_the_version_or_not(ending: str) -> None:
    made = create_provider("gemini", {"api_key": KEY, "base_url": f"https://example.com{ending}"})
    version = ending.strip("/") or "v1beta"
    assert made.explain(FLASH, "Hi").url == (
        f"https://example.com/{version}/models/{FLASH}:generateContent"
    )


@given(
    name=st.sampled_from(["{}", "models/{}"]),
    model=jf.texts(min_size=1).filter(lambda m: m.strip() and m.isprintable() and "/" not in m),
)
def test_a_model_is_one_segment_of_the_path_whatever_it_is_called(name: str, model: str) -> None:
    url = plan(model=name.format(model)).url
    head, _, tail = url.partition("/v1beta/models/")
    assert head == "https://generativelanguage.googleapis.com"
    assert tail.count("/") == 0
    assert "?" not in tail


def test_the_key_is_in_a_header_and_never_in_a_url(stand: Any) -> None:
    made = stand({"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]})
    made.provider.execute(FLASH, "Hi")
    (sent,) = made.sent
    assert sent.headers["x-goog-api-key"] == KEY
    assert KEY not in sent.url + str(sent.body)
    assert KEY not in str(plan())


def test_without_a_key_it_is_said_where_one_is_put() -> None:
    with pytest.raises(ConfigError, match="GEMINI_API_KEY"):
        GeminiProvider({}).execute(FLASH, "Hi")
    assert GeminiProvider({"base_url": "http://127.0.0.1:9"}).check_config() == []
