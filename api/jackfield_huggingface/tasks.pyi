"""What is public of jackfield_huggingface.tasks; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class TaskRequest(Request[TaskResponse]):
    inputs: Any
    parameters: Json
    task: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., inputs: Any, parameters: Json = ..., task: str = '') -> None: ...
class TaskResponse:
    data: Any
    media: MediaPart | None
    model: str
    provider_metadata: Json
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, model: str = '', data: Any = None, media: MediaPart | None = None, warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
