"""What is public of jackfield.operations.jobs; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class BatchCancelRequest(Request[BatchJob]):
    job_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., job_id: str) -> None: ...
class BatchCreateRequest(Request[BatchJob]):
    items: tuple[BatchItem, ...]
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., items: tuple[BatchItem, ...]) -> None: ...
class BatchDeleteRequest(Request[None]):
    job_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., job_id: str) -> None: ...
class BatchInfoRequest(Request[BatchJob]):
    job_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., job_id: str) -> None: ...
class BatchItem:
    custom_id: str
    request: Request[Any]
    def __init__(self, *, custom_id: str, request: Request[Any]) -> None: ...
class BatchJob(Job):
    failed: int | None
    succeeded: int | None
    total: int | None
    def __init__(self, *, id: str, status: JobStatus = ..., raw_status: str | None = None, model: str = '', created_at: datetime | None = None, ended_at: datetime | None = None, error: str | None = None, warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ..., total: int | None = None, succeeded: int | None = None, failed: int | None = None) -> None: ...
class BatchListRequest(Request[Sequence[BatchJob]]):
    limit: int | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., limit: int | None = None) -> None: ...
class BatchResult:
    custom_id: str
    error: LLMError | None
    response: Any
    def __init__(self, *, custom_id: str, response: Any = None, error: LLMError | None = None) -> None: ...
class BatchResultsRequest(Request[Sequence[BatchResult]]):
    items: tuple[BatchItem, ...]
    job_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., job_id: str, items: tuple[BatchItem, ...] = ...) -> None: ...
class FineTuneCancelRequest(Request[FineTuneJob]):
    job_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., job_id: str) -> None: ...
class FineTuneCreateRequest(Request[FineTuneJob]):
    seed: int | None
    suffix: str | None
    training_file: str
    validation_file: str | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., training_file: str, validation_file: str | None = None, suffix: str | None = None, seed: int | None = None) -> None: ...
class FineTuneInfoRequest(Request[FineTuneJob]):
    job_id: str
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., job_id: str) -> None: ...
class FineTuneJob(Job):
    fine_tuned_model: str | None
    trained_tokens: int | None
    training_file: str | None
    def __init__(self, *, id: str, status: JobStatus = ..., raw_status: str | None = None, model: str = '', created_at: datetime | None = None, ended_at: datetime | None = None, error: str | None = None, warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ..., fine_tuned_model: str | None = None, training_file: str | None = None, trained_tokens: int | None = None) -> None: ...
class FineTuneListRequest(Request[Sequence[FineTuneJob]]):
    limit: int | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., limit: int | None = None) -> None: ...
class Job:
    created_at: datetime | None
    ended_at: datetime | None
    error: str | None
    id: str
    model: str
    provider_metadata: Json
    raw_status: str | None
    status: JobStatus
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, id: str, status: JobStatus = ..., raw_status: str | None = None, model: str = '', created_at: datetime | None = None, ended_at: datetime | None = None, error: str | None = None, warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
class JobStatus(StrEnum):
    CANCELLED = ...
    CANCELLING = ...
    EXPIRED = ...
    FAILED = ...
    OTHER = ...
    PENDING = ...
    RUNNING = ...
    SUCCEEDED = ...
    ended: bool
