"""What is public of jackfield_lmstudio.provider; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
from jackfield_dialect_openai.provider import OpenAICompatibleProvider
__all__ = []
class LMStudioConfig(HTTPConfig):
    api: Literal['chat', 'responses']
    base_url: str
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str = 'http://localhost:1234/v1', api: Literal['chat', 'responses'] = 'chat') -> None: ...
class LMStudioProvider(OpenAICompatibleProvider):
    Config = ...
    exchanges: Exchanges
    info = ...
    params: ParamTable
    reasoning_history = ...
