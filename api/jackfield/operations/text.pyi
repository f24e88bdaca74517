"""What is public of jackfield.operations.text; `nox -s api -- --accept` writes it."""
from jackfield.requests import AnswerRequest
from jackfield.requests import Request
__all__ = []
class CompletionRequest(AnswerRequest):
    prompt: str
    suffix: str | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., params: GenerationParams = ..., prompt: str, suffix: str | None = None) -> None: ...
class DetokenizeRequest(Request[str]):
    ids: tuple[int, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., ids: tuple[int, ...]) -> None: ...
class TokenizeRequest(Request[Tokens]):
    text: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., text: str) -> None: ...
class Tokens:
    def __len__(self) -> int: ...
    ids: tuple[int, ...]
    provider_metadata: Json
    texts: tuple[str, ...]
    def __init__(self, *, ids: tuple[int, ...], texts: tuple[str, ...] = ..., provider_metadata: Json = ...) -> None: ...
