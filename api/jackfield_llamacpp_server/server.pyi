"""What is public of jackfield_llamacpp_server.server; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class PropsRequest(Request[ServerProps]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
class ServerProps:
    audio_input: bool | None
    build: str
    chat_template: str
    context_window: int | None
    model_path: str
    raw: Json
    slots: int | None
    vision: bool | None
    def __init__(self, *, model_path: str = '', context_window: int | None = None, slots: int | None = None, chat_template: str = '', vision: bool | None = None, audio_input: bool | None = None, build: str = '', raw: Json = ...) -> None: ...
class Slot:
    busy: bool
    context_window: int | None
    id: int
    raw: Json
    def __init__(self, *, id: int, context_window: int | None = None, busy: bool = False, raw: Json = ...) -> None: ...
class SlotRequest(Request[Json]):
    action: Literal['save', 'restore', 'erase']
    filename: str | None
    slot: int
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., slot: int, action: Literal['save', 'restore', 'erase'], filename: str | None = None) -> None: ...
class SlotsRequest(Request[Sequence[Slot]]):
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ...) -> None: ...
