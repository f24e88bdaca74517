"""What is public of jackfield.params; `nox -s api -- --accept` writes it."""
__all__ = ['ALIASES', 'EFFORTS', 'GenerationParams', 'NAMES', 'ParamTable', 'normalize', 'parse_params']
ALIASES: Mapping[str, str]
EFFORTS: Sequence[str]
class GenerationParams:
    context_length: int | None
    frequency_penalty: float | None
    max_tokens: int | None
    min_p: float | None
    parallel_tool_calls: bool | None
    presence_penalty: float | None
    reasoning_effort: str | None
    repeat_penalty: float | None
    seed: int | None
    stop: tuple[str, ...] | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    def __init__(self, *, max_tokens: int | None = None, temperature: float | None = None, top_p: float | None = None, top_k: int | None = None, min_p: float | None = None, seed: int | None = None, stop: tuple[str, ...] | None = None, presence_penalty: float | None = None, frequency_penalty: float | None = None, repeat_penalty: float | None = None, reasoning_effort: str | None = None, context_length: int | None = None, parallel_tool_calls: bool | None = None) -> None: ...
NAMES: tuple[str, ...]
class Param:
    convert: Callable[[Any], Any] | None
    default: Any
    ge: float | None
    le: float | None
    most: int | None
    values: Mapping[str, Any] | None
    wire: str
    def __init__(self, wire: str, *, ge: float | None = None, le: float | None = None, default: Any = None, values: Mapping[str, Any] | None = None, most: int | None = None, convert: Callable[[Any], Any] | None = None) -> None: ...
ParamTable = Mapping[str, Param]
def normalize(table: ParamTable, params: GenerationParams) -> tuple[dict[str, Any], list[CallWarning]]: ...
def parse_params(given: Mapping[str, Any] | GenerationParams | None) -> GenerationParams: ...
