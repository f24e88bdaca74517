"""What is public of jackfield_cohere.config; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
__all__ = []
class CohereConfig(HTTPConfig):
    api: Literal['v2', 'v1']
    base_url: str
    input_type: str
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str = 'https://api.cohere.com', api: Literal['v2', 'v1'] = 'v2', input_type: str = 'search_document') -> None: ...
