"""What is public of jackfield_ollama; `nox -s api -- --accept` writes it."""
from jackfield_ollama.config import OllamaConfig as OllamaConfig
from jackfield_ollama.config import server_url as server_url
from jackfield_ollama.models import RunningModelsRequest as RunningModelsRequest
from jackfield_ollama.provider import OllamaProvider as OllamaProvider
from jackfield_ollama.provider import PARAMS as PARAMS
__all__ = ['OllamaConfig', 'OllamaProvider', 'PARAMS', 'RunningModelsRequest', 'server_url']
