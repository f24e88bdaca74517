"""What is public of jackfield_dialect_openai.compat; `nox -s api -- --accept` writes it."""
from jackfield_dialect_openai.compat.asynchronous import AsyncOpenAIClient as AsyncOpenAIClient
from jackfield_dialect_openai.compat.blocking import OpenAIClient as OpenAIClient
__all__ = ['AsyncOpenAIClient', 'OpenAIClient']
