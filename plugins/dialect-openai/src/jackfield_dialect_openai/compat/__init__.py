"""Client objects in the form of the ``openai`` package's, over any provider.

::

    from jackfield import create_provider
    from jackfield_dialect_openai.compat import OpenAIClient

    client = OpenAIClient(create_provider("claude"), model="…")
    answer = client.chat.completions.create(messages=[{"role": "user", "content": "Hi"}])
    print(answer.choices[0].message.content)

The ``openai`` package is not needed. Errors are Jackfield's own.
"""

from __future__ import annotations

from .asynchronous import AsyncOpenAIClient
from .blocking import OpenAIClient
from .chunks import ChatCompletionChunk
from .listings import AsyncModelList, CreateEmbeddingResponse, Embedding, Model, ModelList
from .shape import Shape
from .shapes import ChatCompletion, ChatCompletionMessage
from .streams import AsyncStream, Stream

__all__ = [
    "AsyncModelList",
    "AsyncOpenAIClient",
    "AsyncStream",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "CreateEmbeddingResponse",
    "Embedding",
    "Model",
    "ModelList",
    "OpenAIClient",
    "Shape",
    "Stream",
]
