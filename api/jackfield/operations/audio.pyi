"""What is public of jackfield.operations.audio; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class SpeechRequest(Request[SpeechResponse]):
    instructions: str | None
    output_format: str | None
    speed: float | None
    text: str
    voice: str | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., text: str, voice: str | None = None, output_format: str | None = None, speed: float | None = None, instructions: str | None = None) -> None: ...
class SpeechResponse:
    audio: MediaPart
    cost: Cost
    model: str
    provider_metadata: Json
    usage: Usage
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, model: str = '', audio: MediaPart, usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
class TimedText:
    end: float
    speaker: str | None
    start: float
    text: str
    def __init__(self, *, text: str, start: float, end: float, speaker: str | None = None) -> None: ...
class TranscriptionRequest(Request[TranscriptionResponse]):
    audio: MediaPart
    language: str | None
    prompt: str | None
    temperature: float | None
    timestamps: tuple[Literal['segment', 'word'], ...]
    translate: bool
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., audio: MediaPart, language: str | None = None, prompt: str | None = None, temperature: float | None = None, timestamps: tuple[Literal['segment', 'word'], ...] = ..., translate: bool = False) -> None: ...
class TranscriptionResponse:
    def __str__(self) -> str: ...
    cost: Cost
    duration: float | None
    language: str | None
    model: str
    provider_metadata: Json
    segments: tuple[TimedText, ...]
    text: str
    usage: Usage
    warnings: tuple[CallWarning, ...]
    words: tuple[TimedText, ...]
    def __init__(self, *, model: str = '', text: str, language: str | None = None, duration: float | None = None, segments: tuple[TimedText, ...] = ..., words: tuple[TimedText, ...] = ..., usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
