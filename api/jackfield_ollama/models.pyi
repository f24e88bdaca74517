"""What is public of jackfield_ollama.models; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class RunningModelsRequest(Request[Sequence[ModelInfo]]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
