"""What is public of jackfield_dialect_openai.compat.asynchronous; `nox -s api -- --accept` writes it."""
from jackfield.closing import AsyncClosing
from jackfield_dialect_openai.compat.base import Client
__all__ = []
class AsyncOpenAIClient(Client, AsyncClosing):
    aclose = ...
    chat: AsyncChat
    async def close(self) -> None: ...
    embeddings: AsyncEmbeddings
    models: AsyncModels
