"""What is public of jackfield.operations.memory; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class LoadRequest(Request[None]):
    context_length: int | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., context_length: int | None = None) -> None: ...
class UnloadRequest(Request[None]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
