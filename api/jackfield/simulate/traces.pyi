"""What is public of jackfield.simulate.traces; `nox -s api -- --accept` writes it."""
__all__ = []
class Call(msgspec.Struct):
    at: Annotated[float, msgspec.Meta(ge=0, le=LONGEST)]
    input_tokens: _Tokens
    max_tokens: _Tokens | None
    model: str
    output_tokens: _Tokens
    prompt: str | None
    stream: bool
    tags: tuple[str, ...]
class Trace:
    def __iter__(self) -> Iterator[Call]: ...
    make: Callable[[], Iterator[Call]]
    source: str
    span: float
    def __init__(self, source: str, span: float, make: Callable[[], Iterator[Call]]) -> None: ...
def read_trace(text: str, seed: int = 0) -> Trace: ...
