"""What is public of jackfield.config; `nox -s api -- --accept` writes it."""
__all__ = ['check_url', 'is_loopback', 'total_timeout', 'wrong_timeouts']
class Config:
    retry: RetryPolicy
    strict: bool
    timeout: Timeout
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False) -> None: ...
class HTTPConfig(Config):
    allow_hosts: tuple[str, ...]
    allow_insecure_http: bool
    api_key: Secret | None
    base_url: str
    ca_file: str | None
    cert_file: str | None
    headers: Mapping[str, Secret]
    key_file: str | None
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, base_url: str = '', api_key: Secret | None = None, headers: Mapping[str, Secret] = ..., ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None, allow_insecure_http: bool = False, allow_hosts: tuple[str, ...] = ...) -> None: ...
def check_url(path: str, url: str) -> list[ConfigIssue]: ...
def is_loopback(url: str) -> bool: ...
def total_timeout(seconds: float) -> Timeout: ...
def wrong_timeouts(timeout: Timeout) -> list[str]: ...
