"""What is public of jackfield_gemini; `nox -s api -- --accept` writes it."""
from jackfield_gemini.config import GeminiConfig as GeminiConfig
from jackfield_gemini.provider import GeminiProvider as GeminiProvider
__all__ = ['GeminiConfig', 'GeminiProvider']
