"""What is public of jackfield.testing.recordings; `nox -s api -- --accept` writes it."""
__all__ = ['Recording', 'parse_recording']
class Recording:
    def __str__(self) -> str: ...
    config: Mapping[str, Any]
    def cut(self, chunks: Sequence[bytes]) -> Recording: ...
    expect: Mapping[str, Any]
    framing: str
    model: str
    name: str
    options: Mapping[str, Any]
    parameters: Mapping[str, Any]
    payload: bytes
    prompt: Any
    provider: str
    def request(self, provider: LLMProvider) -> Request[Any]: ...
    requests: tuple[Mapping[str, Any] | None, ...]
    responses: tuple[Recorded, ...]
    streamed: bool
    verb: str
    def __init__(self, *, name: str, verb: str = 'execute', model: str = 'a-model', prompt: Any = 'Hi', parameters: Mapping[str, Any] = ..., options: Mapping[str, Any] = ..., responses: tuple[Recorded, ...] = ..., requests: tuple[Mapping[str, Any] | None, ...] = ..., expect: Mapping[str, Any] = ..., framing: str = '', provider: str = '', config: Mapping[str, Any] = ...) -> None: ...
def load_recordings(path: str | Path) -> list[Recording]: ...
def parse_recording(name: str, given: Mapping[str, Any]) -> Recording: ...
