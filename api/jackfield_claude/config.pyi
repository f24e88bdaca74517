"""What is public of jackfield_claude.config; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
__all__ = []
class ClaudeConfig(HTTPConfig):
    base_url: str
    bearer: bool
    betas: tuple[str, ...]
    version: str
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str = 'https://api.anthropic.com', version: str = '2023-06-01', betas: tuple[str, ...] = ..., bearer: bool = False) -> None: ...
