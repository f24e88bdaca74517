"""What is public of jackfield.testing.scripted; `nox -s api -- --accept` writes it."""
from jackfield.provider import LLMProvider
__all__ = []
class ScriptedProvider(LLMProvider):
    Config: type[Any]
    def __init__(self, config: Any = None, **options: Any) -> None: ...
    def add_answers(self, *answers: Any) -> None: ...
    def flow(self, request: Request[R], *, stream: bool, deadline: float) -> Flow[R]: ...
    info: ClassVar
    @classmethod
    def of(cls, *answers: Any, **config: Any) -> Self: ...
    operations: frozenset[type[Request[Any]]]
    params: ParamTable
    prefill: ClassVar
    requests: list[Request[Any]]
