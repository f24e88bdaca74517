"""What is public of jackfield_azure.config; `nox -s api -- --accept` writes it."""
from jackfield.config import HTTPConfig
__all__ = []
class AzureConfig(HTTPConfig):
    api: Literal['chat', 'responses']
    api_version: str | None
    authority: str
    base_url: str
    client_id: str | None
    client_secret: Secret | None
    entra_token: Secret | None
    surface: Literal['v1', 'deployments', 'models']
    tenant_id: str | None
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ..., base_url: str, surface: Literal['v1', 'deployments', 'models'] = 'v1', api_version: str | None = None, api: Literal['chat', 'responses'] = 'chat', tenant_id: str | None = None, client_id: str | None = None, client_secret: Secret | None = None, entra_token: Secret | None = None, authority: str = 'https://login.microsoftonline.com') -> None: ...
