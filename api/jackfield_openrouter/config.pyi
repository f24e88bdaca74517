"""What is public of jackfield_openrouter.config; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
__all__ = []
class OpenRouterConfig(HTTPConfig):
    api: Literal['chat', 'responses']
    app_name: str | None
    base_url: str
    site_url: str | None
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str = 'https://openrouter.ai/api/v1', site_url: str | None = None, app_name: str | None = None, api: Literal['chat', 'responses'] = 'chat') -> None: ...
