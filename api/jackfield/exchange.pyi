"""What is public of jackfield.exchange; `nox -s api -- --accept` writes it."""
__all__ = ['Call', 'Exchange', 'Procedure', 'READ_ERRORS', 'decode', 'get_request', 'json_request', 'segment', 'unreadable']
class Call(Generic[Q]):
    config: Any
    deadline: float
    memo: dict[str, Any]
    options: Mapping[str, Any]
    provider: HTTPProvider
    request: Q
    stream: bool
    timeout: Timeout
    def warn(self, kind: WarningKind, subject: str, detail: str = '') -> None: ...
    warnings: list[CallWarning]
    wire: dict[str, Any]
    def __init__(self, *, request: Q, provider: HTTPProvider, wire: dict[str, Any], warnings: list[CallWarning], options: Mapping[str, Any], stream: bool = False, timeout: Timeout = ..., deadline: float = inf, memo: dict[str, Any] = ...) -> None: ...
class Exchange(Generic[Q, R]):
    build: Callable[[Call[Q]], HTTPRequest]
    framing: type[Framing]
    parse: Callable[[Call[Q], HTTPResponse], R]
    stream: Callable[[Call[Q]], StreamParser] | None
    def __init__(self, *, build: Callable[[Call[Q]], HTTPRequest], parse: Callable[[Call[Q], HTTPResponse], R], stream: Callable[[Call[Q]], StreamParser] | None = None, framing: type[Framing] = ...) -> None: ...
class Procedure(Generic[Q, R]):
    perform: Callable[[Call[Q]], Flow[R]]
    def __init__(self, perform: Callable[[Call[Q]], Flow[R]]) -> None: ...
READ_ERRORS = (msgspec.MsgspecError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
def decode(decoder: msgspec.json.Decoder[S], data: bytes) -> S: ...
def get_request(path: str, **query: Any) -> HTTPRequest: ...
def json_request(path: str, body: Any, method: str = 'POST') -> HTTPRequest: ...
def segment(name: str) -> str: ...
def unreadable(error: Exception, data: bytes = b'') -> ResponseFormatError: ...
