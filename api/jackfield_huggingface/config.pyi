"""What is public of jackfield_huggingface.config; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
__all__ = []
class HuggingFaceConfig(HTTPConfig):
    base_url: str
    hub_url: str
    server: Literal['tei', 'tasks']
    tasks_url: str | None
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str = 'https://router.huggingface.co/v1', tasks_url: str | None = None, server: Literal['tei', 'tasks'] = 'tei', hub_url: str = 'https://huggingface.co') -> None: ...
