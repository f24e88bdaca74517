"""What is public of jackfield_dialect_openai.compat.blocking; `nox -s api -- --accept` writes it."""
from jackfield.closing import Closing
from jackfield_dialect_openai.compat.base import Client
__all__ = []
class OpenAIClient(Client, Closing):
    chat: Chat
    def close(self) -> None: ...
    embeddings: Embeddings
    models: Models
