"""What is public of jackfield_ollama.config; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
__all__ = []
class OllamaConfig(HTTPConfig):
    base_url: str
    keep_alive: Any
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str = ..., keep_alive: Any = None) -> None: ...
def server_url(given: str) -> str: ...
