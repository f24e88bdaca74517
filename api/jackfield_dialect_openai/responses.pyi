"""What is public of jackfield_dialect_openai.responses; `nox -s api -- --accept` writes it."""
__all__ = ['INPUT_TOKENS']
INPUT_TOKENS: Exchange[Any, Any]
