"""What is public of jackfield.drivers.replay; `nox -s api -- --accept` writes it."""
from jackfield.drivers.sync import SyncDriver
__all__ = ['Recorded', 'ReplayDriver']
class Recorded:
    chunks: Sequence[bytes]
    failure: Failure | None
    headers: dict[str, str]
    status: int
    times: Sequence[float]
    def __init__(self, *, status: int = 200, headers: dict[str, str] = ..., chunks: Sequence[bytes] = ..., times: Sequence[float] = ..., failure: Failure | None = None) -> None: ...
class ReplayDriver(SyncDriver):
    def __init__(self, recorded: Iterable[Recorded]) -> None: ...
    transport = ...
