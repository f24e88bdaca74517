"""What is public of jackfield_huggingface.addresses; `nox -s api -- --accept` writes it."""
from jackfield_dialect_openai.provider import OpenAICompatibleProvider
__all__ = []
class Addressed(OpenAICompatibleProvider):
    def check_config(self) -> Sequence[ConfigIssue]: ...
    has_tei: bool
    origins: tuple[str, ...]
    shared: bool
    def task_url(self, model: str, pipeline: str = '', route: str = '') -> str: ...
