"""Speech: what is asked for, and what form the sound comes in."""

from __future__ import annotations

import io
import wave
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import ContentFilterError, InvalidRequestError, ResponseFormatError
from jackfield.operations import SpeechRequest
from jackfield.testing import strategies as jf

MODEL = "gemini-2.5-flash-preview-tts"
SAMPLES = st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=20).map(
    lambda samples: b"".join(s.to_bytes(2, "little", signed=True) for s in samples)
)


def answer(*pieces: bytes, kind: str = "audio/L16;codec=pcm;rate=24000") -> dict[str, Any]:
    """An answer with those pieces of sound."""
    parts = [{"inlineData": {"mimeType": kind, "data": b64encode(p).decode()}} for p in pieces]
    audio = {"modality": "AUDIO", "tokenCount": 40}
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 40,
                          "candidatesTokensDetails": [audio], "totalTokenCount": 45},
    }  # fmt: skip


def said(plan: Any) -> str:
    """What the model is to read."""
    ((part,),) = (content["parts"] for content in plan.body["contents"])
    return str(part["text"])


@given(pieces=st.lists(SAMPLES, min_size=1, max_size=3), form=st.sampled_from([None, "pcm"]))
def test_the_samples_are_those_of_the_answer(stand: Any, pieces: list[bytes], form: Any) -> None:
    spoken = stand(answer(*pieces)).provider.speak(MODEL, "Hello", output_format=form)
    assert spoken.audio.data == b"".join(pieces)
    assert spoken.audio.media_type == "audio/L16;codec=pcm;rate=24000"
    assert (spoken.usage.output_tokens, spoken.usage.audio_output_tokens) == (40, 40)
    assert spoken.warnings == ()


@given(
    pieces=st.lists(SAMPLES, min_size=1, max_size=3),
    rate=st.sampled_from([8000, 16000, 24000, 48000]),
    form=st.sampled_from(
        ["audio/L16;codec=pcm;rate={}", "audio/pcm; rate={}", "audio/l16; rate={}"]
    ),
)
def test_a_wav_file_holds_the_same_samples(
    stand: Any, pieces: list[bytes], rate: int, form: str
) -> None:
    told = answer(*pieces, kind=form.format(rate))
    spoken = stand(told).provider.speak(MODEL, "Hello", output_format="wav")
    assert spoken.audio.media_type == "audio/wav"
    with wave.open(io.BytesIO(spoken.audio.data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, 1, 2)
        assert file.readframes(file.getnframes()) == b"".join(pieces)
    assert [w.subject for w in spoken.warnings] == ["output_format"]


def test_what_is_a_file_already_stays_one(stand: Any) -> None:
    told = answer(b"RIFF", kind="audio/wav")
    spoken = stand(told).provider.speak(MODEL, "Hello", output_format="wav")
    assert (spoken.audio.media_type, spoken.audio.data) == ("audio/wav", b"RIFF")


@given(text=jf.texts(), how=jf.texts())
def test_how_to_speak_stands_before_the_text_and_is_told(stand: Any, text: str, how: str) -> None:
    provider = stand().provider
    plan = provider.explain(SpeechRequest(model=MODEL, text=text, instructions=how))
    assert said(plan) == f"{how}: {text}"
    assert [(w.kind, w.subject) for w in plan.warnings] == [("emulated", "instructions")]
    plain = provider.explain(SpeechRequest(model=MODEL, text=text))
    assert (said(plain), plain.warnings) == (text, ())


def test_a_voice_is_one_of_the_services(stand: Any) -> None:
    plan = stand().provider.explain(SpeechRequest(model=MODEL, text="Hello", voice="Kore"))
    assert plan.body["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
    }


def test_two_voices_go_by_the_callers_own_fields(stand: Any) -> None:
    voices = [
        {"speaker": name, "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
        for name, voice in (("Joe", "Kore"), ("Ann", "Puck"))
    ]
    speech = {"multiSpeakerVoiceConfig": {"speakerVoiceConfigs": voices}, "languageCode": "de-DE"}
    own = {"gemini": {"generationConfig": {"speechConfig": speech}}}
    plan = stand().provider.explain(
        SpeechRequest(model=MODEL, text="Joe: Hi. Ann: Hi.", provider_options=own)
    )
    assert plan.body["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "speechConfig": speech,
    }


@pytest.mark.parametrize(("field", "value"), [("speed", 1.5), ("output_format", "mp3")])
def test_what_the_api_does_not_have_is_refused_when_strict(
    stand: Any, field: str, value: Any
) -> None:
    made = stand()
    with pytest.raises(InvalidRequestError, match=field):
        made.provider.speak(MODEL, "Hello", strict=True, **{field: value})
    assert made.sent == []


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, ContentFilterError),
        ({"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]}, ContentFilterError),
        ({"candidates": [{"finishReason": "OTHER"}]}, ResponseFormatError),
        (answer(), ResponseFormatError),
        (answer(b"GIF", kind="image/gif"), ResponseFormatError),
    ],
)
def test_no_sound_is_an_error_that_says_why(stand: Any, told: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        stand(told).provider.speak(MODEL, "Hello")


def test_sounds_of_several_kinds_are_no_answer(stand: Any) -> None:
    told = answer(b"ab")
    told["candidates"][0]["content"]["parts"] += answer(b"RIFF", kind="audio/wav")["candidates"][0][
        "content"
    ]["parts"]
    with pytest.raises(ResponseFormatError, match="several kinds"):
        stand(told).provider.speak(MODEL, "Hello")
