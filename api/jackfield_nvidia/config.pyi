"""What is public of jackfield_nvidia.config; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
__all__ = []
class NvidiaConfig(HTTPConfig):
    base_url: str
    rerank_url: str
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str = 'https://integrate.api.nvidia.com/v1', rerank_url: str = 'https://ai.api.nvidia.com/v1/retrieval/{model}/reranking') -> None: ...
