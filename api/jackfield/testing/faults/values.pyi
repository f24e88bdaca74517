"""What is public of jackfield.testing.faults.values; `nox -s api -- --accept` writes it."""
__all__ = []
class Answer:
    def __init__(self, pieces: tuple[str, ...], reasoning: tuple[str, ...] = (), tools: tuple[ToolUse, ...] = (), usage: Tokens | None = Tokens(), finish: str | None = 'stop', id: str = 'answer-1', model: str = 'pelican-1', signature: str = 'c2lnbmVkIGJ5IGEgcGVsaWNhbg==') -> None: ...
    finish: str | None
    id: str
    model: str
    pieces: tuple[str, ...]
    reasoning: tuple[str, ...]
    signature: str
    text: str
    thinking: str
    tools: tuple[ToolUse, ...]
    usage: Tokens | None
DIALECTS = ('openai', 'responses', 'anthropic', 'ollama', 'cohere', 'gemini')
class Fault:
    def __init__(self, name: str, row: int, description: str, inject: Injector, stream: str = '', plain: str = '', dialects: tuple[str, ...] = DIALECTS, answer: str = 'healthy', truth: str = '', origin: str = 'http', special: Mapping[str, str] = dict(), retryable: bool | None = None, hint: float | None = None, calls: int = 1, upload: int = 0, big: bool = False, early: bool = False) -> None: ...
    answer: str
    big: bool
    calls: int
    def concerns(self, dialect: str, *, stream: bool) -> bool: ...
    description: str
    dialects: tuple[str, ...]
    early: bool
    def expected(self, dialect: str, *, stream: bool) -> frozenset[str]: ...
    hint: float | None
    inject: Injector
    name: str
    origin: str
    plain: str
    retryable: bool | None
    row: int
    special: Mapping[str, str]
    stream: str
    truth: str
    upload: int
class Pace:
    def __init__(self, gap: float = 0.03, drip: float = 0.2, hold: float = 30.0) -> None: ...
    drip: float
    gap: float
    hold: float
class Tokens:
    def __init__(self, input: int = 21, output: int = 34, cached: int = 5, reasoning: int = 8) -> None: ...
    cached: int
    input: int
    output: int
    reasoning: int
class ToolUse:
    def __init__(self, id: str, name: str, pieces: tuple[str, ...]) -> None: ...
    arguments: str
    id: str
    name: str
    pieces: tuple[str, ...]
    value: Json
VERDICTS: Mapping[str, str]
