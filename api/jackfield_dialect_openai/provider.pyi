"""What is public of jackfield_dialect_openai.provider; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
from jackfield.http import HTTPProvider
__all__ = []
ERROR_CODES: Mapping[str, type[LLMError]]
EXCHANGES: Exchanges
class GenericConfig(HTTPConfig):
    api: Literal['chat', 'responses']
    base_url: str
    stream_usage: bool
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str, stream_usage: bool = True, api: Literal['chat', 'responses'] = 'chat') -> None: ...
class GenericProvider(OpenAICompatibleProvider):
    Config: type[Any]
    exchanges: Exchanges
    file_urls = ...
    info = ...
    params: ParamTable
    reasoning_history = ...
class OpenAICompatibleProvider(HTTPProvider):
    chat_path: str
    error_codes: Mapping[str, type[LLMError]]
    def exchange_for(self, request: Request[Any]) -> Exchange[Any, Any] | Procedure[Any, Any]: ...
    exchanges: Exchanges
    file_ids: bool
    file_urls: bool
    files: bool
    def make_error(self, response: HTTPResponse) -> LLMError: ...
    params: ParamTable
    def parse_model(self, wire: Mapping[str, Any]) -> ModelInfo: ...
    def prepare(self, request: Request[Any], stream: bool = False) -> Call[Any]: ...
    reasoning_history: str | None
PARAMS: ParamTable
SAMPLING: ParamTable
