"""What is public of jackfield_dialect_openai.operations; `nox -s api -- --accept` writes it."""
__all__ = ['EVERYTHING']
EVERYTHING: Exchanges
