"""What is public of jackfield_tiktoken; `nox -s api -- --accept` writes it."""
from jackfield_tiktoken.vocabulary import encoding as encoding
from jackfield_tiktoken.vocabulary import fill_cache as fill_cache
__all__ = ['count_tokens', 'encoding', 'fill_cache']
def count_tokens(provider: str, model: str, request: Any) -> int | None: ...
