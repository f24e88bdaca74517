"""What is public of jackfield.operations.files; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class FileContentRequest(Request[bytes]):
    file_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., file_id: str) -> None: ...
class FileDeleteRequest(Request[None]):
    file_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., file_id: str) -> None: ...
class FileInfoRequest(Request[RemoteFile]):
    file_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., file_id: str) -> None: ...
class FileListRequest(Request[Sequence[RemoteFile]]):
    limit: int | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., limit: int | None = None) -> None: ...
class FileUploadRequest(Request[RemoteFile]):
    data: bytes
    media_type: str
    name: str
    @classmethod
    def of(cls, data: Any, name: str = '', **fields: Any) -> Self: ...
    purpose: str | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., data: bytes, name: str, media_type: str = 'application/octet-stream', purpose: str | None = None) -> None: ...
class RemoteFile:
    created_at: datetime | None
    expires_at: datetime | None
    id: str
    media_type: str | None
    name: str
    provider_metadata: Json
    purpose: str | None
    size_bytes: int | None
    status: str | None
    uri: str | None
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, id: str, name: str = '', size_bytes: int | None = None, media_type: str | None = None, purpose: str | None = None, uri: str | None = None, status: str | None = None, created_at: datetime | None = None, expires_at: datetime | None = None, warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
